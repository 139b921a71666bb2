"""How Lightning trains the networks: cross-entropy, any optimiser of torch, an optional cosine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchmetrics import MeanMetric
from torchmetrics.classification import MulticlassAccuracy

from retable.classification.classifier import EmojiClassifier
from retable.errors import ConfigError, DivergenceError
from retable.nn import schedules
from retable.nn.backbones import load_weights_alike
from retable.papers.emoji.classes import CLASSES
from retable.papers.emoji.training_data import Batch

SCHEDULES = ("constant", "cosine")


class NetworkClassifier(EmojiClassifier):
    """A network with its loss and optimiser; the keys are described in `NetworkConfig`.

    Attributes:
        network: The network.

    Raises:
        ConfigError: A value that cannot work.
    """

    def __init__(
        self,
        network: Callable[..., nn.Module],
        input_size: int,
        optimizer: Callable[..., torch.optim.Optimizer],
        lr: float,
        schedule: str = "constant",
        warmup: int = 0,
        label_smoothing: float = 0.0,
        weights: str = "none",
    ) -> None:
        super().__init__(network(input_size=input_size, classes=len(CLASSES)), input_size)
        if schedule not in SCHEDULES:
            raise ConfigError(f"model.schedule: {schedule!r} must be {' or '.join(SCHEDULES)}")
        if not lr > 0 or warmup < 0:
            raise ConfigError(f"model.lr={lr}, model.warmup={warmup}: the rate must be above 0, the warm-up 0 or more")
        if not 0 <= label_smoothing < 1:
            raise ConfigError(f"model.label_smoothing={label_smoothing}: must be from 0 to below 1")
        if weights != "none" and not hasattr(self.network, "load_weights"):
            raise ConfigError(f"model.weights={weights}: this network starts from scratch; use model.weights=none")
        self._optimizer, self._lr = optimizer, lr
        self._schedule, self._warmup, self._label_smoothing = schedule, warmup, label_smoothing
        self._weights = weights
        self._begun = False
        self.train_accuracy = MulticlassAccuracy(len(CLASSES), average="micro")
        self.train_loss = MeanMetric()

    @property
    def weights_origin(self) -> str:  # type: ignore[override]
        """Where the weights began: ``scratch``, ``imagenet:...`` or ``file:...``."""
        return str(getattr(self.network, "weights_origin", "scratch"))

    def on_fit_start(self) -> None:
        """Loads the starting weights of a new training; a module that is resumed keeps what it has.

        Raises:
            CheckpointError: Their file cannot be used.
        """
        if self._weights != "none" and not self._begun:
            load_weights_alike(self.network, self._weights, self.trainer.strategy)

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """Computes the loss of a training batch.

        Raises:
            DivergenceError: It is not finite.
        """
        logits = self.logits(batch["images"])
        loss = F.cross_entropy(logits, batch["labels"], label_smoothing=self._label_smoothing)
        if not torch.isfinite(loss):
            raise DivergenceError(
                f"the loss is not finite at step {self.global_step}: try a lower model.lr or trainer.gradient_clip_val"
            )
        # over the epoch, with dropout, as Keras draws it in Figs. 5 and 6
        self.train_loss.update(loss.detach(), len(logits))
        self.train_accuracy.update(logits.detach(), batch["labels"])
        self.log("train/loss", self.train_loss, on_step=False, on_epoch=True, prog_bar=True)
        self.log("train/accuracy", self.train_accuracy, on_step=False, on_epoch=True)
        return loss

    def configure_optimizers(self) -> Any:
        """The optimiser, at a constant rate or with a cosine to zero, after an optional warm-up."""
        optimizer = self._optimizer(self.parameters(), lr=self._lr)
        if self._schedule == "cosine":
            return schedules.scheduled(
                optimizer, schedules.cosine(self.trainer.estimated_stepping_batches), self._warmup
            )
        return schedules.scheduled(optimizer, schedules.constant, self._warmup)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keeps the origin of the weights."""
        checkpoint["weights_origin"] = self.weights_origin

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Takes up the origin of the weights, and does not load starting weights over those of the checkpoint."""
        self._begun = True
        if hasattr(self.network, "weights_origin"):
            self.network.weights_origin = checkpoint.get("weights_origin", "scratch")
