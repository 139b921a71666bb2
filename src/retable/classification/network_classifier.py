"""How Lightning trains the networks: cross-entropy, any optimiser of torch, an optional cosine, or phases."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor
from torchmetrics import MeanMetric
from torchmetrics.classification import MulticlassAccuracy

from retable.classification.classifier import Batch, Classifier
from retable.classification.schema import NetworkConfig, PhasedNetworkConfig, TrainedNetworkConfig
from retable.errors import ConfigError
from retable.nn import schedules
from retable.nn.backbones import load_weights_alike
from retable.nn.phases import PhasedTraining
from retable.nn.training import check_finite


class TrainedNetwork(Classifier):
    """A network with its loss.

    Attributes:
        network: The network.

    Raises:
        ConfigError: The network has no published weights that it could start from.
    """

    config: TrainedNetworkConfig

    def __init__(self, config: TrainedNetworkConfig) -> None:
        classes = len(config.subject.classes)
        super().__init__(config, config.network(input_size=config.input_size, classes=classes))
        self.input_shape = (config.input_height or config.input_size, config.input_size)
        if config.weights != "none" and not hasattr(self.network, "load_weights"):
            raise ConfigError(
                f"model.weights={config.weights}: this network starts from scratch; use model.weights=none"
            )
        self._begun = False
        self.train_accuracy = MulticlassAccuracy(classes, average="micro", ignore_index=-1)
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
        if self.config.weights != "none" and not self._begun:
            load_weights_alike(self.network, self.config.weights, self.trainer.strategy)

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """Computes the loss of a training batch.

        Raises:
            DivergenceError: It is not finite.
        """
        logits = self.logits(batch["images"])
        loss = self.training_loss(logits, batch["labels"])
        check_finite(loss, self.global_step)
        # over the epoch, with dropout, as Keras draws it
        self.train_loss.update(loss.detach(), len(logits))
        self.train_accuracy.update(logits.detach(), batch["labels"].clamp(min=-1))
        self.log("train/loss", self.train_loss, on_step=False, on_epoch=True, prog_bar=True)
        self.log("train/accuracy", self.train_accuracy, on_step=False, on_epoch=True)
        return loss

    def training_loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Returns the loss of logits (B, C) for labels (B,)."""
        return F.cross_entropy(logits, labels, label_smoothing=self.config.label_smoothing)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keeps the origin of the weights."""
        checkpoint["weights_origin"] = self.weights_origin

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Takes up the origin of the weights, and does not load starting weights over those of the checkpoint."""
        self._begun = True
        if hasattr(self.network, "weights_origin"):
            self.network.weights_origin = checkpoint.get("weights_origin", "scratch")


class NetworkClassifier(TrainedNetwork):
    """A network that one optimiser trains."""

    config: NetworkConfig

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)

    def configure_optimizers(self) -> Any:
        """Makes the optimiser, at a constant rate or with a cosine to zero, after an optional warm-up."""
        optimizer = self.config.optimizer(self.parameters(), lr=self.config.lr)
        cosine = self.config.schedule == "cosine"
        decay = schedules.cosine(self.trainer.estimated_stepping_batches) if cosine else schedules.constant
        return schedules.scheduled(optimizer, decay, self.config.warmup)


class PhasedClassifier(PhasedTraining, TrainedNetwork):
    """A network that is trained in phases."""

    config: PhasedNetworkConfig

    def __init__(self, config: PhasedNetworkConfig) -> None:
        super().__init__(config)
