"""A training in two phases, each with an optimiser of its own, whose rate and batch change stage by stage.

A stage is so many epochs at one rate and one batch. Everything that decides what comes next is kept in every
checkpoint, so that a training that was killed goes on exactly as it would have.

Larger batches are accumulated gradients: they need no more memory, and no sample comes at another time. The gradient is
that of the larger batch; only batch normalisation still sees the batches of the loader.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable
from typing import Any

from pytorch_lightning import LightningModule
from pytorch_lightning.callbacks import Callback
from torch.nn import Parameter
from torch.optim import Optimizer

from retable.nn.schema import PhaseConfig, TwoPhasesConfig

log = logging.getLogger(__name__)


class TwoPhases(Callback):
    """Changes optimiser, rate and batch at the ends of epochs, and ends a phase that no longer helps.

    Better is what the module's own ``monitor`` and ``monitor_mode`` say. The validations of a stage are compared with
    the best of all before it; a stage without any goes by as if it had been better.
    """

    def __init__(self, config: TwoPhasesConfig) -> None:
        self._phases = (config.first, config.second)
        self._phase = 0
        self._epochs = 0  # of this phase that are over
        self._best: float | None = None
        self._improves: bool | None = None  # whether this stage has; None: it was not validated yet
        self._over = False
        self._loaded_batches = 1  # of the loader in a step, before any growth

    @property
    def phase(self) -> PhaseConfig:
        """The phase of the next epoch."""
        return self._phases[self._phase]

    @property
    def stage(self) -> int:
        """The stage of the next epoch in its phase, counted from 0."""
        return self._epochs // self.phase.every

    @property
    def lr(self) -> float:
        """The learning rate of the next epoch."""
        return self.phase.lr * self.phase.lr_factor**self.stage

    def optimizer(self, parameters: Iterable[Parameter]) -> Optimizer:
        """Makes the optimiser of the phase that the training is in: what `configure_optimizers` returns."""
        made: Optimizer = self.phase.optimizer(parameters, lr=self.lr)
        return made

    def state_dict(self) -> dict[str, Any]:
        """Where the training is, kept in every checkpoint."""
        return {
            "phase": self._phase,
            "epochs": self._epochs,
            "best": self._best,
            "improves": self._improves,
            "over": self._over,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes up where an interrupted training was, before its optimiser is made."""
        self._phase, self._epochs = state_dict["phase"], state_dict["epochs"]
        self._best, self._improves, self._over = (state_dict[name] for name in ("best", "improves", "over"))

    def on_train_start(self, trainer: Any, pl_module: LightningModule) -> None:
        """Ends a training again that was interrupted after its last epoch."""
        self._loaded_batches = trainer.accumulate_grad_batches
        trainer.should_stop = trainer.should_stop or self._over

    def on_train_epoch_start(self, trainer: Any, pl_module: LightningModule) -> None:
        """Lets steps accumulate as many batches as the stage wants."""
        trainer.accumulate_grad_batches = self._loaded_batches * self.phase.batch_factor**self.stage

    def on_validation_end(self, trainer: Any, pl_module: LightningModule) -> None:
        """Looks whether the stage is better than what was before it."""
        if trainer.sanity_checking:
            return
        sign = 1 if pl_module.monitor_mode == "max" else -1
        score = sign * float(trainer.callback_metrics[str(pl_module.monitor)])
        better = not math.isnan(score) and (self._best is None or score > self._best)
        self._best = score if better else self._best
        self._improves = bool(self._improves) or better

    def on_train_epoch_end(self, trainer: Any, pl_module: LightningModule) -> None:
        """Goes on to the next stage or phase, or ends the training; checkpoints are written after this."""
        self._epochs += 1
        phase = self.phase
        if self._epochs % phase.every and self._epochs != phase.epochs:
            return
        useless = phase.while_improving and self._improves is False
        self._improves = None
        if not useless and self._epochs != phase.epochs:
            for group in trainer.optimizers[0].param_groups:
                group["lr"] = self.lr
        elif phase is self._phases[0]:
            self._phase, self._epochs = 1, 0
            trainer.strategy.setup_optimizers(trainer)  # asks the module, which asks `optimizer`
        else:
            self._over = trainer.should_stop = True
            log.info("epoch %d: the training ends, %s", trainer.current_epoch + 1, "no better" if useless else "full")
            return
        log.info(
            "from epoch %d on: phase %d, rate %.3g, %d times the batch",
            trainer.current_epoch + 2, self._phase + 1, self.lr, self.phase.batch_factor**self.stage,
        )  # fmt: skip


class PhasedTraining(LightningModule):
    """Base of the modules whose configuration has ``phases``, `TwoPhases`."""

    config: Any

    def configure_callbacks(self) -> list[Callback]:
        """Adds the phases."""
        return [*super().configure_callbacks(), self.config.phases]  # type: ignore[misc]

    def configure_optimizers(self) -> Optimizer:
        """Makes the optimiser of the phase that the training is in."""
        made: Optimizer = self.config.phases.optimizer(self.parameters())
        return made
