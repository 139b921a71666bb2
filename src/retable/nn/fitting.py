"""Trainings without gradients: what one epoch collects is fitted once."""

from abc import abstractmethod
from typing import Any

from pytorch_lightning import LightningModule
from pytorch_lightning.callbacks import Callback, WeightAveraging

from retable.errors import ConfigError


class FittedOnce(LightningModule):
    """Base of modules without gradients. The training ends after one epoch, whatever ``trainer.max_epochs`` is.

    Attributes:
        kind: What is fitted, for messages.
    """

    kind: str

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.automatic_optimization = False

    @property
    @abstractmethod
    def is_fitted(self) -> bool:
        """Whether there is nothing left to learn."""

    @abstractmethod
    def collect(self, batch: Any) -> None:
        """Takes from a training batch what is to be fitted."""

    @abstractmethod
    def fit(self) -> None:
        """Fits what was collected."""

    def setup(self, stage: str) -> None:
        """Refuses several processes.

        Raises:
            ConfigError: There are several, or the data cannot be used.
        """
        super().setup(stage)
        if self.trainer.world_size > 1:
            raise ConfigError(
                f"trainer.devices: a {self.kind} fits once, on all data; several processes "
                "gain nothing: use trainer=cpu or trainer.devices=1"
            )

    def configure_callbacks(self) -> list[Callback]:
        """Refuses what belongs to gradients and weights.

        Here rather than in `setup`, as Lightning looks at some of it before that, and ends in a traceback.

        Raises:
            ConfigError: It is set.
        """
        kind, trainer = self.kind, self.trainer
        if trainer.gradient_clip_val:
            raise ConfigError(
                f"trainer.gradient_clip_val={trainer.gradient_clip_val}: a {kind} has no gradients to clip"
            )
        if trainer.accumulate_grad_batches != 1:
            raise ConfigError(
                f"trainer.accumulate_grad_batches={trainer.accumulate_grad_batches}: a {kind} has no gradients; use 1"
            )
        if any(isinstance(callback, WeightAveraging) for callback in trainer.callbacks):  # type: ignore[attr-defined]
            raise ConfigError(f"callbacks=ema: a {kind} has no weights to average; use callbacks=default")
        return super().configure_callbacks()  # type: ignore[return-value]

    def configure_optimizers(self) -> Any:
        """Makes none: there are no gradients."""
        return []

    def on_train_start(self) -> None:
        """Ends the training of a resumed run that has fitted already."""
        self.trainer.should_stop = self.is_fitted

    def training_step(self, batch: Any, batch_index: int) -> None:
        """Collects a batch; with the last one of the epoch, fits."""
        self.collect(batch)
        if self.trainer.is_last_batch:
            self.fit()
            self.trainer.should_stop = True


class NothingToFit(FittedOnce):
    """Base of modules that are ready as they are. They train for one batch, so that a run has its checkpoint."""

    is_fitted = False

    def collect(self, batch: Any) -> None:
        """Takes nothing."""

    def fit(self) -> None:
        """Fits nothing."""

    def training_step(self, batch: Any, batch_index: int) -> None:
        """Ends the training."""
        self.trainer.should_stop = True
