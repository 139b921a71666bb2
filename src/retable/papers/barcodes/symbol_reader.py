"""What all models share that read symbols: evaluation and metrics."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import LightningModule
from pytorch_lightning.callbacks import Callback
from torch import Tensor, nn

from retable.metrics.image_results.sequences import SequenceResults
from retable.metrics.sequences import SequenceAccuracy, sequence_metric_info
from retable.papers.barcodes.pictures import ReadingPictures
from retable.papers.barcodes.reading import Locate, PhotoReader, Reading, ReadSymbols, best_reading
from retable.papers.barcodes.schema import PredictionOptions, SymbolReaderConfig
from retable.papers.barcodes.symbology.ean13 import DIGITS

Batch = dict[str, Any]
"""images float32 (B, 1, H, W) in [0, 1], digits int64 (B, 13), indices int64 (B,): places in the dataset.

Of symbols that a localiser found in photos each may come in several views, images (B, V, 1, H, W): both ways up."""


class SymbolReader(LightningModule, ABC):
    """Base of them. One of its own is a subclass with a network, `read`, a training step and its optimisers.

    Attributes:
        network: The plain network.
    """

    monitor = "val/character_accuracy"
    monitor_mode = "max"
    weights_origin = "scratch"
    prediction_options = PredictionOptions
    network: nn.Module

    def __init__(self, config: SymbolReaderConfig) -> None:
        super().__init__()
        self.config = config
        self.validation_metric, self.test_metric = SequenceAccuracy(DIGITS), SequenceAccuracy(DIGITS)

    @property
    def threshold(self) -> float:
        """Confidence below which an answer is withheld."""
        return 0.0

    @property
    def metric_info(self) -> dict[str, tuple[str, str]]:
        """Unit and direction of each metric by its last name."""
        return {**sequence_metric_info(DIGITS), "loss": ("nats", "lower")}

    @abstractmethod
    def read(self, images: Tensor) -> Sequence[Reading]:
        """Reads symbols (B, 1, H, W) in [0, 1]; returns B readings, none of them withheld."""

    def quick_read(self) -> ReadSymbols:
        """Returns what reads symbols as `read` does, for prediction: pictures on the CPU, weights that stay."""
        return lambda images: self.read(images.to(self.device))

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        """Reads a batch of validation symbols."""
        self._evaluate(batch, self.validation_metric)

    def test_step(self, batch: Batch, batch_index: int) -> dict[str, Any]:
        """Reads a batch of test symbols, and hands its readings to callbacks."""
        return {"readings": self._evaluate(batch, self.test_metric)}

    def configure_callbacks(self) -> list[Callback]:
        """Adds the pictures of the test."""
        return [ReadingPictures()]

    def on_validation_epoch_start(self) -> None:
        """Starts the counts of a validation."""
        self.validation_metric.reset()

    def on_test_epoch_start(self) -> None:
        """Starts the counts of a test."""
        self.test_metric.reset()

    def on_validation_epoch_end(self) -> None:
        """Logs the metrics of a validation."""
        self._log_metric(self.validation_metric, "val")

    def on_test_epoch_end(self) -> None:
        """Logs the metrics of a test."""
        self._log_metric(self.test_metric, self.trainer.datamodule.test_name)  # type: ignore[attr-defined]

    def image_results(self) -> SequenceResults:
        """What was read in each image of the last test."""
        return self.test_metric.image_results()

    def predict_to(self, output: Path, options: PredictionOptions, data: Any, about: dict[str, Any]) -> None:
        """Reads the user's photos (see `retable.papers.barcodes.prediction.predict_files`).

        Args:
            output: Folder for the results.
            options: What was asked.
            data: The data configuration of the run, which knows the shape of the symbols' pictures.
            about: What is told of the run in the results.
        """
        from retable.papers.barcodes.locating import load_localiser
        from retable.papers.barcodes.prediction import predict_files

        locate = None
        if options.localiser is not None:
            locate, told = load_localiser(options.localiser, self.device)
            about = {**about, "localiser": told}
        reader = self.photo_reader(locate, data, options.certain)
        about = {**about, "certain": round(reader.threshold, 6)}
        predict_files(reader.everything if options.all else reader.largest, options.input, output, about)

    def photo_reader(self, locate: Locate | None, data: Any, certain: float | None = None) -> PhotoReader:
        """Returns what reads photos as `predict.py` does.

        Args:
            locate: What finds symbols; None: each picture is one symbol.
            data: The data configuration of the run, which knows the shape of the symbols' pictures.
            certain: Confidence below which an answer is withheld; None: the model's own threshold.
        """
        threshold = self.threshold if certain is None else certain
        return PhotoReader(locate, self.quick_read(), data.width, data.height, data.margin, threshold)

    def _evaluate(self, batch: Batch, metric: SequenceAccuracy) -> list[Reading]:
        images = batch["images"]
        views = images.shape[1] if images.dim() == 5 else 1
        every = self.read(images.flatten(0, 1) if images.dim() == 5 else images)
        readings = [best_reading(every[first : first + views]) for first in range(0, len(every), views)]
        codes = [reading.answered(self.threshold) for reading in readings]
        digits = [list(map(int, code)) if code else [-1] * DIGITS for code in codes]
        confidences = torch.tensor([reading.confidence for reading in readings])
        metric.update(batch["indices"], batch["digits"], torch.tensor(digits), confidences)
        return readings

    def _log_metric(self, metric: SequenceAccuracy, prefix: str) -> None:
        found = metric.compute()
        # all processes have the same values already; the mean over them only spares a warning
        self.log_dict({f"{prefix}/{name}": value for name, value in found.items()}, sync_dist=True)
