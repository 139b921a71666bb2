"""What all classifiers share: evaluation, metrics, pictures, prediction on files.

A classifier of its own is a subclass with a network, a training step and its optimisers.
"""

import logging
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from pytorch_lightning import LightningModule
from pytorch_lightning.callbacks import Callback
from torch import Tensor, nn
from torchmetrics import MeanMetric
from torchmetrics.classification import MulticlassConfusionMatrix

from retable.classification.image_results import ClassifiedImages
from retable.classification.metrics import MACRO, metric_info, scores
from retable.classification.pictures import ClassificationPictures
from retable.classification.prediction import Classify, classify_files
from retable.classification.schema import ClassifierConfig, PredictionOptions
from retable.classification.subject import ClassList
from retable.data.classes import match_classes
from retable.errors import ConfigError
from retable.metrics.image_results.classifications import ClassificationResults
from retable.nn.fusion import fuse_batch_norm

log = logging.getLogger(__name__)

Batch = dict[str, Any]
"""images float32 (B, 3, H, W) in [0, 1], labels int64 (B,), negative for images of no class, indices int64 (B,): places
in the dataset."""


class Classifier(LightningModule):
    """Base of the classifiers. It always knows all C classes of its subject, whichever of them the images show.

    Args:
        config: The options.
        network: Maps images (B, 3, H, W) of the input's shape, in [0, 1], to logits (B, C).

    Attributes:
        classes: The classes of the subject.
        confusion: Confusion matrix of the last validation or test.
        tested_images: What each image of the last test was taken for.
        about: What the record tells beside: how the classes of other data than those of the training were understood.
        input_shape: Height and width to which images are resized.
        knows_outliers: Whether the model learns from images of no class, too.
        probability_kind: What predictions tell of their probabilities.
    """

    monitor = "val/accuracy"
    monitor_mode = "max"
    prediction_options = PredictionOptions
    weights_origin = "scratch"
    knows_outliers = False
    probability_kind = "the classifier's own probabilities, not calibrated"

    classes: ClassList

    def __init__(self, config: ClassifierConfig, network: nn.Module) -> None:
        super().__init__()
        self.config, self.network, self.input_shape = config, network, (config.input_size, config.input_size)
        self.classes = config.subject.classes
        self.confusion = MulticlassConfusionMatrix(len(self.classes))
        self.mean_loss = MeanMetric()
        self.tested_images = ClassifiedImages(self.classes.names)
        self.about: dict[str, str] = {}
        self._labels: Tensor | None = None  # of the classes of other data

    @property
    def threshold(self) -> float:
        """Probability below which a prediction is ``unknown``."""
        return 0.0

    @property
    def metric_info(self) -> dict[str, tuple[str, str]]:
        """Unit and direction of each metric by its last name."""
        return metric_info(self.classes)

    def logits(self, images: Tensor) -> Tensor:
        """Classifies images (B, 3, H, W) in [0, 1]; returns logits (B, C)."""
        found: Tensor = self.network(self.resized(images))
        return found

    def resized(self, images: Tensor) -> Tensor:
        """Resizes images (B, 3, H, W) to the input's shape, antialiased."""
        if images.shape[-2:] == self.input_shape:
            return images
        return F.interpolate(images, self.input_shape, mode="bilinear", antialias=True, align_corners=False)

    def probabilities(self, logits: Tensor) -> Tensor:
        """Returns the probabilities (B, C) of the classes."""
        return logits.softmax(dim=1)

    def setup(self, stage: str) -> None:
        """Checks that the data are of these classes; a test may show fewer of them, or in another order.

        Raises:
            ConfigError: They are of others, or of none.
        """
        data: Any = self.trainer.datamodule  # type: ignore[attr-defined]
        found = tuple(getattr(data, "classes", ()))
        if getattr(data, "outlier_kinds", ()) and not self.knows_outliers:
            raise ConfigError("data.outliers: this model has no answer for images of no class; set it to 0")
        if stage == "test":
            labels, told = match_classes(self.classes.names, found)
            if told:
                log.warning("%s", told)
                self.about, self._labels = {"classes": told}, torch.tensor(labels)
        elif found != self.classes.names:
            raise ConfigError(
                f"data: the model tells {', '.join(self.classes.names)} apart, the data show "
                f"{', '.join(found) or 'no classes'}; use data of the model's subject"
            )

    def configure_callbacks(self) -> list[Callback]:
        """Adds the pictures of the test."""
        return [ClassificationPictures(self.classes)]

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        """Classifies a batch of validation images."""
        self._evaluate(batch)

    def test_step(self, batch: Batch, batch_index: int) -> dict[str, Tensor]:
        """Classifies a batch of test images, and hands probabilities (B, C) and losses (B,) to callbacks."""
        if self._labels is not None:  # in the batch, for callbacks too
            batch["labels"] = self._labels.to(batch["labels"].device)[batch["labels"]]
        logits, losses = self._evaluate(batch)
        self.tested_images.update(batch["indices"], batch["labels"], logits)
        return {"probabilities": self.probabilities(logits), "losses": losses}

    def on_validation_epoch_start(self) -> None:
        """Starts the counts of a validation."""
        self._reset()

    def on_test_epoch_start(self) -> None:
        """Starts the counts of a test."""
        self._reset()
        self.tested_images.reset()

    def on_validation_epoch_end(self) -> None:
        """Logs loss and metrics over all classes."""
        self._log_scores("val", MACRO)

    def on_test_epoch_end(self) -> None:
        """Logs loss and all metrics."""
        self._log_scores(self.trainer.datamodule.test_name, None)  # type: ignore[attr-defined]
        self.tested_images.compute()  # all processes take part in this

    def image_results(self) -> ClassificationResults:
        """What each image of the last test was taken for."""
        return self.tested_images.results()

    def example_input(self) -> Tensor:
        """Returns images (2, 3, H, W) as the network takes them."""
        return torch.zeros(2, 3, *self.input_shape)

    def classify(self) -> Classify:
        """Returns what maps images (B, 3, H, W) in [0, 1] to probabilities (B, C) on the CPU, batch norms folded."""
        network = fuse_batch_norm(self.network)
        return lambda images: self.probabilities(network(self.resized(images.to(self.device)))).cpu()

    def predict_to(self, output: Path, options: PredictionOptions, data: Any, about: dict[str, Any]) -> None:
        """Classifies the user's files (see `retable.classification.prediction.classify_files`).

        The data configuration of the run is not needed: the subject knows how files are read.
        """
        threshold = self.threshold if options.unknown_below is None else options.unknown_below
        classify_files(
            self.classify(),
            self.config.subject,
            options.input,
            output,
            {**about, "probability_kind": self.probability_kind, "unknown_below": round(threshold, 6)},
            threshold,
        )

    def _evaluate(self, batch: Batch) -> tuple[Tensor, Tensor]:
        logits = self.logits(batch["images"]).float()
        losses = F.cross_entropy(logits, batch["labels"], reduction="none")
        self.confusion.update(logits, batch["labels"])
        self.mean_loss.update(losses)
        return logits, losses

    def _reset(self) -> None:
        self.confusion.reset()
        self.mean_loss.reset()

    def _log_scores(self, prefix: str, names: tuple[str, ...] | None) -> None:
        found = {"loss": self.mean_loss.compute(), **scores(self.confusion.compute(), self.classes)}
        chosen = {f"{prefix}/{name}": found[name].float() for name in ("loss", *(names or found))}
        # all processes have the same values already; the mean over them only spares a warning
        self.log_dict(chosen, sync_dist=True)
