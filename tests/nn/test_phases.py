"""Which rate, batch and optimiser each epoch of a phased training has."""

from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from retable.errors import ConfigError
from retable.nn.phases import TwoPhases
from retable.nn.schema import PhaseConfig, TwoPhasesConfig

SGD = partial(torch.optim.SGD, momentum=0.9)


def paper(**second: Any) -> TwoPhases:
    """The schedule of the paper on number plates, in fewer epochs."""
    first = PhaseConfig(SGD, lr=0.4, every=2, lr_factor=0.5, epochs=6)
    keys: dict[str, Any] = {"lr": 1e-3, "every": 3, "lr_factor": 0.5, "batch_factor": 2, "while_improving": True}
    return TwoPhases(TwoPhasesConfig(first=first, second=PhaseConfig(torch.optim.Adam, **{**keys, **second})))


class FakeTrainer:
    """What the callback sees of Lightning's trainer."""

    sanity_checking = False
    global_rank = 0

    def __init__(self, phases: TwoPhases) -> None:
        self.phases = phases
        self.strategy = self
        self.should_stop = False
        self.accumulate_grad_batches = 3
        self.callback_metrics: dict[str, float] = {}
        self.current_epoch = 0
        self.setup_optimizers(self)

    def setup_optimizers(self, trainer: Any) -> None:
        self.optimizers = [self.phases.optimizer([torch.nn.Parameter(torch.zeros(1))])]


def epochs(phases: TwoPhases, scores: list[float | None], mode: str = "max") -> list[tuple[str, float, int]]:
    """Optimiser, rate and batches a step of each epoch, whose validation scores are given, until training ends."""
    trainer: Any = FakeTrainer(phases)
    module: Any = SimpleNamespace(monitor="val/score", monitor_mode=mode)
    phases.on_train_start(trainer, module)
    found = []
    for score in scores:
        if trainer.should_stop:
            break
        phases.on_train_epoch_start(trainer, module)
        optimizer = trainer.optimizers[0]
        found.append((type(optimizer).__name__, optimizer.param_groups[0]["lr"], trainer.accumulate_grad_batches))
        if score is not None:
            trainer.callback_metrics["val/score"] = score
            phases.on_validation_end(trainer, module)
        phases.on_train_epoch_end(trainer, module)
        trainer.current_epoch += 1
    return found


def test_the_paper_s_schedule() -> None:
    first = [("SGD", lr, 3) for lr in (0.4, 0.4, 0.2, 0.2, 0.1, 0.1)]
    second = [("Adam", lr, batches) for lr, batches in ((1e-3, 3), (5e-4, 6), (2.5e-4, 12)) for _ in range(3)]
    # the second stage of the second phase is better in one epoch, the third in none
    scores = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.6, 0.7, 0.5, 0.7, 0.6, 0.8, 0.8, 0.7, 0.8, 0.9]
    assert epochs(paper(), scores) == first + second
    assert epochs(paper(), [-score for score in scores], "min") == first + second


def test_a_phase_that_is_no_better_than_the_one_before_ends_after_one_stage() -> None:
    assert len(epochs(paper(), [0.9] + [0.8] * 20)) == 6 + 3


def test_a_phase_ends_at_its_last_epoch_or_never() -> None:
    assert len(epochs(paper(epochs=4), list(range(20)))) == 6 + 4
    assert len(epochs(paper(while_improving=False), [0.5] * 20)) == 20


def test_stages_without_validation_go_on_and_nan_is_no_improvement() -> None:
    assert len(epochs(paper(), [None] * 20)) == 20
    assert len(epochs(paper(), [0.5] * 6 + [float("nan")] * 14)) == 6 + 3


@pytest.mark.parametrize(("key", "value"), [("lr", 0), ("every", 0), ("batch_factor", 0), ("epochs", 0)])
def test_senseless_values_are_told(key: str, value: int) -> None:
    with pytest.raises(ConfigError, match=f"{key}={value}: must be"):
        PhaseConfig(**{"lr": 1.0, **{key: value}})
