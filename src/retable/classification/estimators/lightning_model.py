"""How Lightning trains a model without gradients: it collects the features of one epoch and fits once."""

from typing import Any

import numpy as np
import torch
from pytorch_lightning.callbacks import Callback, WeightAveraging
from torch import Tensor

from retable.classification.classifier import Batch, Classifier
from retable.classification.estimators.features import Features
from retable.classification.estimators.network import EstimatorNetwork
from retable.classification.schema import EstimatorConfig
from retable.errors import ConfigError


class EstimatorClassifier(Classifier):
    """A scikit-learn-like estimator. The training ends after one epoch, whatever ``trainer.max_epochs`` is.

    Attributes:
        network: The estimator with its features.
    """

    network: EstimatorNetwork

    def __init__(self, config: EstimatorConfig) -> None:
        super().__init__(config, EstimatorNetwork(config.estimator, config.features, len(config.subject.classes)))
        self.automatic_optimization = False
        self._collected: list[tuple[Features, Tensor, Tensor]] = []

    @property
    def probability_kind(self) -> str:  # type: ignore[override]
        """What predictions tell of their probabilities: the estimator's own, or made of its decision values."""
        if hasattr(self.network.estimator, "predict_proba"):
            return super().probability_kind
        return "softmax of decision values: they say which class is ahead, not how probable it is"

    def setup(self, stage: str) -> None:
        """Refuses several processes.

        Raises:
            ConfigError: There are several, or the data are of other classes.
        """
        super().setup(stage)
        if self.trainer.world_size > 1:
            raise ConfigError(
                f"trainer.devices: a {type(self.network.estimator).__name__} fits once, on all data; several processes "
                "gain nothing: use trainer=cpu or trainer.devices=1"
            )

    def configure_callbacks(self) -> list[Callback]:
        """Adds the pictures of the test; refuses what belongs to gradients and weights.

        Here rather than in `setup`, as Lightning looks at some of it before that, and ends in a traceback.

        Raises:
            ConfigError: It is set.
        """
        kind, trainer = type(self.network.estimator).__name__, self.trainer
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
        return super().configure_callbacks()

    def configure_optimizers(self) -> Any:
        """Makes none: there are no gradients."""
        return []

    def on_train_start(self) -> None:
        """Ends the training of a resumed run that has fitted already."""
        self.trainer.should_stop = len(self.network.fitted) > 0

    def training_step(self, batch: Batch, batch_index: int) -> None:
        """Collects a batch; with the last one of the epoch, fits."""
        self._collected.append(
            (self.network.features(self.resized(batch["images"])), batch["labels"], batch["indices"])
        )
        if not self.trainer.is_last_batch:
            return
        rows, classes, places = zip(*self._collected, strict=True)
        features = np.concatenate(rows)
        labels, indices = (torch.cat(parts).cpu().numpy() for parts in (classes, places))
        # a last batch that was filled up repeats images; and the order of the epoch must not matter
        _, first = np.unique(indices, return_index=True)
        features, labels = features[first], labels[first]
        self._collected = []
        self.network.fit(features, labels)
        recognised = self.network.classify(features).argmax(dim=1).numpy()
        self.log("train/accuracy", float((recognised == labels).mean()), on_step=False, on_epoch=True)
        self.trainer.should_stop = True
