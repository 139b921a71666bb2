"""How Lightning trains a model without gradients: it collects the features of one epoch and fits once."""

import numpy as np
import torch
from torch import Tensor

from retable.classification.classifier import Batch, Classifier
from retable.classification.estimators.features import Features
from retable.classification.estimators.network import EstimatorNetwork
from retable.classification.schema import EstimatorConfig
from retable.nn.fitting import FittedOnce


class EstimatorClassifier(FittedOnce, Classifier):
    """A scikit-learn-like estimator. The training ends after one epoch, whatever ``trainer.max_epochs`` is.

    Attributes:
        network: The estimator with its features.
    """

    network: EstimatorNetwork

    def __init__(self, config: EstimatorConfig) -> None:
        super().__init__(config, EstimatorNetwork(config.estimator, config.features, len(config.subject.classes)))
        self._collected: list[tuple[Features, Tensor, Tensor]] = []

    @property
    def probability_kind(self) -> str:  # type: ignore[override]
        """What predictions tell of their probabilities: the estimator's own, or made of its decision values."""
        if hasattr(self.network.estimator, "predict_proba"):
            return super().probability_kind
        return "softmax of decision values: they say which class is ahead, not how probable it is"

    @property
    def kind(self) -> str:  # type: ignore[override]
        """The estimator's class."""
        return type(self.network.estimator).__name__

    @property
    def is_fitted(self) -> bool:
        """Whether the estimator is."""
        return len(self.network.fitted) > 0

    def collect(self, batch: Batch) -> None:
        """Takes the features of a batch."""
        self._collected.append(
            (self.network.features(self.resized(batch["images"])), batch["labels"], batch["indices"])
        )

    def fit(self) -> None:
        """Fits the estimator."""
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
