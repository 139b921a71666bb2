"""What all rotated ship detectors share: detection in images of any size, metrics, pictures, prediction on files.

A detector of its own is a subclass with a network, `detect_batch`, a training step and its optimisers.
"""

import math
from abc import abstractmethod
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import LightningModule
from pytorch_lightning.callbacks import Callback
from torch import Tensor

from retable.detection.pictures import DetectionPictures
from retable.detection.prediction import Scaling, predict_files
from retable.detection.schema import PredictionOptions
from retable.detection.tiles import detect_in_tiles
from retable.detection.transforms import letterbox
from retable.errors import ConfigError
from retable.metrics import DetectionAveragePrecision

Prediction = dict[str, Tensor]
"""boxes float32 (N, 5) canonical, scores float32 (N,), labels int64 (N,), by descending score."""

MULTIPLE = 32  # the backbones' largest stride: images are padded to its multiples


class ShipDetector(LightningModule):
    """Base of the detectors.

    Evaluation batches hold ``images``, a list of (3, H, W) of any size, ``targets``, and ``indices``, which tell images
    apart (see `retable.detection.samples.collate_evaluation`).

    Args:
        num_classes: Classes of the dataset.
        tile_size: Images of a larger side are cut into tiles of this side in pixels.
        tile_overlap: Least overlap of the tiles in pixels.
        tile_batch: Images or tiles that are in the network at once.
        nms_threshold: Of two detections in different tiles with a larger IoU one goes.

    Attributes:
        test_metric: Average precision of the last test, with its curves.

    Raises:
        ConfigError: A value that cannot work.
    """

    monitor = "val/ap50_voc12"
    monitor_mode = "max"
    prediction_options = PredictionOptions

    def __init__(
        self, num_classes: int, tile_size: int, tile_overlap: int, tile_batch: int, nms_threshold: float
    ) -> None:
        super().__init__()
        if tile_size % MULTIPLE or not 0 <= tile_overlap < tile_size:
            raise ConfigError(
                f"model.tile_size: {tile_size} must be a multiple of {MULTIPLE}, "
                f"and above model.tile_overlap, {tile_overlap}"
            )
        self.num_classes = num_classes
        self._tiles = {"size": tile_size, "overlap": tile_overlap, "batch_size": tile_batch}
        self._nms_threshold = nms_threshold
        self.validation_metric = DetectionAveragePrecision(num_classes)
        self.test_metric = DetectionAveragePrecision(num_classes)

    @abstractmethod
    def detect_batch(self, images: Tensor) -> list[Prediction]:
        """Detects in images of one size.

        Args:
            images: (B, 3, H, W) in [0, 1] on the module's device, H and W multiples of 32.

        Returns:
            A prediction for each.
        """

    @property
    def metric_info(self) -> dict[str, tuple[str, str]]:
        """Unit and direction of each metric by its last name."""
        names = ["ap50_voc07", "ap50_voc12", "ap75", "ap50_95", "recall50"]
        if self.num_classes > 1:
            names += [f"{name}_class{label}" for name in names[:2] for label in range(self.num_classes)]
        return dict.fromkeys(names, ("fraction", "higher"))

    def setup(self, stage: str) -> None:
        """Checks that the dataset has the classes that the network is built for.

        Raises:
            ConfigError: It has another number of classes.
        """
        classes = self.trainer.datamodule.classes  # type: ignore[attr-defined]
        if len(classes) != self.num_classes:
            raise ConfigError(
                f"model.num_classes: the dataset has {len(classes)} classes ({', '.join(classes)}), "
                f"not {self.num_classes}"
            )

    def configure_callbacks(self) -> list[Callback]:
        """Pictures of the test."""
        return [DetectionPictures()]

    def validation_step(self, batch: dict[str, Any], batch_index: int) -> None:
        """Detects in a batch of validation images."""
        self.validation_metric.update(self.detect(batch["images"]), batch["targets"], batch["indices"])

    def test_step(self, batch: dict[str, Any], batch_index: int) -> dict[str, Any]:
        """Detects in a batch of test images, and hands the detections to callbacks as ``predictions``."""
        predictions = self.detect(batch["images"])
        self.test_metric.update(predictions, batch["targets"], batch["indices"])
        return {"predictions": predictions}

    def on_validation_epoch_start(self) -> None:
        """Forgets the last validation."""
        self.validation_metric.reset()

    def on_test_epoch_start(self) -> None:
        """Forgets the last test."""
        self.test_metric.reset()

    def on_validation_epoch_end(self) -> None:
        """Logs the validation metrics."""
        self._log_metric(self.validation_metric, "val")

    def on_test_epoch_end(self) -> None:
        """Logs the test metrics under the name of the tested split."""
        self._log_metric(self.test_metric, self.trainer.datamodule.test_name)  # type: ignore[attr-defined]

    @torch.no_grad()
    def detect(self, images: list[Tensor]) -> list[Prediction]:
        """Detects ships in whole images of any size; the module has to be in evaluation mode.

        Images are padded to multiples of 32. Images of a larger side than `tile_size` are cut into overlapping tiles,
        and never more than `tile_batch` images or tiles are in the network at once.

        Args:
            images: (3, H, W) each, float32 in [0, 1] or uint8.

        Returns:
            For each image its prediction, in its pixels, on the module's device.
        """
        results: list[Prediction] = [{} for _ in images]
        groups: dict[tuple[int, int], list[int]] = {}
        for index, image in enumerate(images):
            height, width = image.shape[-2:]
            if max(height, width) > self._tiles["size"]:
                results[index] = detect_in_tiles(
                    image, self._to_device, iou_threshold=self._nms_threshold, multiple=MULTIPLE, **self._tiles
                )
            else:
                groups.setdefault((_padded(height), _padded(width)), []).append(index)
        for (height, width), members in groups.items():
            for first in range(0, len(members), self._tiles["batch_size"]):
                chosen = members[first : first + self._tiles["batch_size"]]
                batch = torch.stack([letterbox(_as_float(images[index]), height, width) for index in chosen])
                for index, prediction in zip(chosen, self._to_device(batch), strict=True):
                    results[index] = prediction
        return [_inside(found, image) for found, image in zip(results, images, strict=True)]

    def predict_to(self, output: Path, options: PredictionOptions, data: Any, about: dict[str, Any]) -> None:
        """Detects in the user's files (see `retable.detection.prediction.predict_files`).

        Args:
            output: Folder for the results.
            options: What ``predict.py`` was asked.
            data: The data configuration of the run, whose scaling the images get.
            about: What is told of the run in the results.

        Raises:
            DataError: An image cannot be read.
            StorageError: A result cannot be written.
        """
        names = (data.get("files") or {}).get("classes") or ["ship"]
        predict_files(
            lambda image: self.detect([image])[0],
            Path(options.input).expanduser(),
            output,
            list(names) if len(names) == self.num_classes else [f"class{label}" for label in range(self.num_classes)],
            options.score_threshold,
            Scaling(data.resize, data.max_side),
            about,
        )

    def _to_device(self, images: Tensor) -> list[Prediction]:
        return self.detect_batch(images.to(self.device))

    def _log_metric(self, metric: DetectionAveragePrecision, prefix: str) -> None:
        # all processes have the same values already; the mean over them only spares a warning
        self.log_dict({f"{prefix}/{name}": value for name, value in metric.compute().items()}, sync_dist=True)


def _padded(side: int) -> int:
    return math.ceil(side / MULTIPLE) * MULTIPLE


def _as_float(image: Tensor) -> Tensor:
    return image.float() / 255 if image.dtype == torch.uint8 else image


def _inside(prediction: Prediction, image: Tensor) -> Prediction:
    """Leaves out what was found in the padding."""
    centre = prediction["boxes"][:, :2]
    limit = centre.new_tensor([image.shape[-1], image.shape[-2]])
    inside = ((centre >= 0) & (centre <= limit)).all(dim=1)
    return {name: value[inside] for name, value in prediction.items()}
