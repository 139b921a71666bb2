"""What all classifiers of drawings share: evaluation, metrics, pictures, prediction on files.

A classifier of its own is a subclass with a network, a training step and its optimisers.
"""

from pathlib import Path
from typing import Any

import torch.nn.functional as F
from pytorch_lightning import LightningModule
from pytorch_lightning.callbacks import Callback
from torch import Tensor, nn
from torchmetrics import MeanMetric
from torchmetrics.classification import MulticlassConfusionMatrix

from retable.classification.metrics import MACRO, METRIC_INFO, scores
from retable.classification.pictures import ClassificationPictures
from retable.classification.prediction import classify_files
from retable.classification.schema import PredictionOptions
from retable.errors import ConfigError
from retable.nn.fusion import fuse_batch_norm
from retable.papers.emoji.classes import CLASSES
from retable.papers.emoji.training_data import Batch


class EmojiClassifier(LightningModule):
    """Base of the classifiers: always eight classes, whichever of them the drawings show.

    Batches are those of `retable.papers.emoji.training_data`.

    Args:
        network: Maps images (B, 3, S, S) in [0, 1] to logits (B, 8); S is the input size.
        input_size: Side in pixels to which canvases are resized.

    Attributes:
        confusion: Confusion matrix of the last validation or test.
        probability_kind: What predictions tell of their probabilities.

    Raises:
        ConfigError: A value that cannot work.
    """

    monitor = "val/accuracy"
    monitor_mode = "max"
    metric_info = METRIC_INFO
    prediction_options = PredictionOptions
    weights_origin = "scratch"
    probability_kind = "the classifier's own probabilities, not calibrated"

    def __init__(self, network: nn.Module, input_size: int) -> None:
        super().__init__()
        if input_size < 1:
            raise ConfigError(f"model.input_size={input_size}: must be 1 or more")
        self.network, self.input_size = network, input_size
        self.confusion = MulticlassConfusionMatrix(len(CLASSES))
        self.mean_loss = MeanMetric()

    def logits(self, images: Tensor) -> Tensor:
        """Classifies canvases (B, 3, H, W) in [0, 1]; returns logits (B, 8)."""
        found: Tensor = self.network(self.resized(images))
        return found

    def resized(self, images: Tensor) -> Tensor:
        """Resizes square canvases (B, 3, H, H) to the input size, antialiased."""
        if images.shape[-1] == self.input_size:
            return images
        size = (self.input_size, self.input_size)
        return F.interpolate(images, size, mode="bilinear", antialias=True, align_corners=False)

    def setup(self, stage: str) -> None:
        """Checks that the data are drawings of the eight classes.

        Raises:
            ConfigError: They are something else.
        """
        classes = getattr(self.trainer.datamodule, "classes", None)  # type: ignore[attr-defined]
        if classes != CLASSES:
            raise ConfigError("data: the model classifies emoji and the data are of other classes; use data=emoji")

    def configure_callbacks(self) -> list[Callback]:
        """Pictures of the test."""
        return [ClassificationPictures()]

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        """Classifies a batch of validation drawings."""
        self._evaluate(batch)

    def test_step(self, batch: Batch, batch_index: int) -> dict[str, Tensor]:
        """Classifies a batch of test drawings, and hands probabilities (B, 8) and losses (B,) to callbacks."""
        return self._evaluate(batch)

    def on_validation_epoch_start(self) -> None:
        """Forgets the last validation."""
        self._forget()

    def on_test_epoch_start(self) -> None:
        """Forgets the last validation."""
        self._forget()

    def on_validation_epoch_end(self) -> None:
        """Logs loss and metrics over all classes."""
        self._log_scores("val", MACRO)

    def on_test_epoch_end(self) -> None:
        """Logs loss and all metrics."""
        self._log_scores("test", None)

    def predict_to(self, output: Path, options: PredictionOptions, data: Any, about: dict[str, Any]) -> None:
        """Classifies the user's files (see `retable.classification.prediction.classify_files`).

        Args:
            output: Folder for the results.
            options: What ``predict.py`` was asked.
            data: The data configuration of the run, whose canvases the images get.
            about: What is told of the run in the results.

        Raises:
            DataError: An image cannot be read.
            StorageError: A result cannot be written.
        """
        network = fuse_batch_norm(self.network)
        classify_files(
            lambda images: network(self.resized(images.to(self.device))).softmax(dim=1).cpu(),
            Path(options.input).expanduser(),
            output,
            data.image_size,
            data.crop_to_ink,
            {**about, "probability_kind": self.probability_kind},
        )

    def _evaluate(self, batch: Batch) -> dict[str, Tensor]:
        logits = self.logits(batch["images"]).float()
        losses = F.cross_entropy(logits, batch["labels"], reduction="none")
        self.confusion.update(logits, batch["labels"])
        self.mean_loss.update(losses)
        return {"probabilities": logits.softmax(dim=1), "losses": losses}

    def _forget(self) -> None:
        self.confusion.reset()
        self.mean_loss.reset()

    def _log_scores(self, prefix: str, names: tuple[str, ...] | None) -> None:
        found = {"loss": self.mean_loss.compute(), **scores(self.confusion.compute())}
        chosen = {f"{prefix}/{name}": found[name].float() for name in ("loss", *(names or found))}
        # all processes have the same values already; the mean over them only spares a warning
        self.log_dict(chosen, sync_dist=True)
