"""A classifier that says ``unknown`` of what is of no class."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torchmetrics import CatMetric

from retable.classification.classifier import Batch
from retable.classification.network_classifier import NetworkClassifier
from retable.classification.schema import OpenNetworkConfig


class OpenClassifier(NetworkClassifier):
    """A network with C outputs that knows one answer more: none of the classes, whose logit is always 0.

    So no class has a high probability unless its own logit is above 0 as well as above the others'. Where the best
    one's probability is below a threshold, the answer is unknown. The threshold leaves a given part of the validation
    images out, and is kept in checkpoints. Accuracies are those of the best class, whether or not it passes.
    """

    config: OpenNetworkConfig
    knows_outliers = True
    probability_kind = "of the classes, not calibrated; what is left to 1 is that of no class"
    lowest: Tensor

    def __init__(self, config: OpenNetworkConfig) -> None:
        super().__init__(config)
        self.register_buffer("lowest", torch.zeros(()))
        self.known_scores, self.outlier_scores, self.outlier_labels = CatMetric(), CatMetric(), CatMetric()
        self._kinds: tuple[str, ...] = ()

    @property
    def threshold(self) -> float:
        """Probability below which the answer is unknown, as the last validation set it."""
        return float(self.lowest)

    @property
    def metric_info(self) -> dict[str, tuple[str, str]]:
        """Unit and direction of each metric by its last name."""
        names = ("unknown", *(f"unknown_{kind}" for kind in self._kinds))
        return {
            **super().metric_info,
            **dict.fromkeys(names, ("fraction", "higher")),
            "rejected": ("fraction", "lower"),
        }

    def setup(self, stage: str) -> None:
        """Checks the classes, and learns of which kinds the images of no class are."""
        super().setup(stage)
        self._kinds = tuple(getattr(self.trainer.datamodule, "outlier_kinds", ()))  # type: ignore[attr-defined]

    def probabilities(self, logits: Tensor) -> Tensor:
        """Returns the probabilities (B, C) of the classes; what is left to 1 is that of no class."""
        return _with_none(logits).softmax(dim=1)[:, :-1]

    def training_loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Returns the loss of logits (B, C) for labels (B,), of which the negative ones are of no class."""
        labels = torch.where(labels < 0, logits.shape[1], labels)
        return F.cross_entropy(_with_none(logits), labels, label_smoothing=self.config.label_smoothing)

    def validation_step(self, batch: Batch, batch_index: int, dataloader_idx: int = 0) -> None:
        """Classifies a batch of validation images, of the classes (0) or of none (1)."""
        if dataloader_idx:
            self._update_outliers(batch)
        else:
            super().validation_step(batch, batch_index)

    def test_step(self, batch: Batch, batch_index: int, dataloader_idx: int = 0) -> Any:
        """Classifies a batch of test images, of the classes (0) or of none (1); of the latter callbacks get None."""
        if not dataloader_idx:
            return super().test_step(batch, batch_index)
        self._update_outliers(batch)
        return None

    def on_validation_epoch_end(self) -> None:
        """Sets the threshold by the images of the classes, and logs loss and metrics."""
        self.lowest.copy_(torch.quantile(_gathered(self.known_scores), self.config.rejected))
        super().on_validation_epoch_end()

    def _evaluate(self, batch: Batch) -> tuple[Tensor, Tensor]:
        logits, losses = super()._evaluate(batch)
        self.known_scores.update(self._scores(logits))
        return logits, losses

    def _update_outliers(self, batch: Batch) -> None:
        self.outlier_scores.update(self._scores(self.logits(batch["images"]).float()))
        self.outlier_labels.update(batch["labels"])

    def _scores(self, logits: Tensor) -> Tensor:
        """Returns the probability (B,) of the best class."""
        return self.probabilities(logits).amax(dim=1)

    def _reset(self) -> None:
        super()._reset()
        for metric in (self.known_scores, self.outlier_scores, self.outlier_labels):
            metric.reset()

    def _log_scores(self, prefix: str, names: tuple[str, ...] | None) -> None:
        super()._log_scores(prefix, names)
        found = {"rejected": (_gathered(self.known_scores) < self.lowest).float().mean()}
        if self._kinds:
            unknown = (_gathered(self.outlier_scores) < self.lowest).float()
            labels = _gathered(self.outlier_labels)
            found["unknown"] = unknown.mean()
            if names is None:
                for number, kind in enumerate(self._kinds):
                    found[f"unknown_{kind}"] = unknown[labels == -1 - number].mean()
        self.log_dict({f"{prefix}/{name}": value for name, value in found.items()}, sync_dist=True)


def _with_none(logits: Tensor) -> Tensor:
    """Adds the logit of no class (B, C + 1)."""
    return F.pad(logits, (0, 1))


def _gathered(metric: CatMetric) -> Tensor:
    """Returns the values of all processes in one row."""
    values: Any = metric.compute()
    return torch.as_tensor(values).reshape(-1)
