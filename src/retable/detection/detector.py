"""What all detectors share: detection in images of any size, metrics, pictures, prediction on files.

A detector of its own is a subclass with a network, `detect_batch`, a training step and its optimisers.
"""

import logging
import time
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pytorch_lightning import LightningModule
from pytorch_lightning.callbacks import Callback
from torch import Tensor
from torchmetrics import MeanMetric

from retable.boxes import ROTATED, BoxFormat
from retable.data.classes import match_classes
from retable.detection.pictures import DetectionPictures
from retable.detection.prediction import predict_files
from retable.detection.recognition import Recogniser, load_classifier
from retable.detection.schema import DetectorConfig, PredictionOptions, Scaling
from retable.detection.tiles import Prediction, as_float, detect_in_tiles, inside, padded
from retable.detection.transforms import letterbox
from retable.errors import CheckpointError, ConfigError
from retable.metrics.detection import DetectionAveragePrecision
from retable.metrics.image_results.detections import DetectionResults
from retable.nn.fusion import fuse_batch_norm
from retable.nn.winograd import use_winograd

log = logging.getLogger(__name__)
_OF_GROUPS = ("ap50_voc07", "ap50_voc12", "recall50")


class Detector(LightningModule):
    """Base of the detectors.

    Evaluation batches hold ``images``, a list of (3, H, W) of any size, ``targets``, and ``indices``, which tell images
    apart (see `retable.detection.samples.collate_evaluation`).

    Attributes:
        network: All of its weights, which a subclass brings.
        box_format: Format of the boxes that it learns from and finds.
        multiple: Images are padded to multiples of so many pixels, the network's largest stride.
        published_time: What its paper says of the time that an image takes, told beside the times of a prediction.
        classes: Names of the classes, of the data that it was trained on.
        test_metric: Average precision of the last test, with its curves.
        about: What the record tells beside: how the classes of other data than those of the training were understood.

    Raises:
        ConfigError: A value that cannot work.
    """

    monitor = "val/ap50_voc12"
    monitor_mode = "max"
    prediction_options = PredictionOptions
    box_format: BoxFormat = ROTATED
    multiple = 32
    published_time = ""

    network: Any

    def __init__(self, config: DetectorConfig) -> None:
        super().__init__()
        if config.tile_size % self.multiple or config.tile_overlap >= config.tile_size:
            raise ConfigError(
                f"model.tile_size: {config.tile_size} must be a multiple of {self.multiple}, "
                f"and above model.tile_overlap, {config.tile_overlap}"
            )
        self.config = config
        self.classes = [f"class{label}" for label in range(config.num_classes)]
        self.about: dict[str, str] = {}
        self._is_named = False  # until a training, or its checkpoint, brings the names
        self._labels: Tensor | None = None  # of the classes of other data
        self._groups: list[str] = []  # of the images of the last test
        self.image_seconds = MeanMetric()
        self.validation_metric, self.test_metric = (
            DetectionAveragePrecision(config.num_classes, rotated=self.box_format is ROTATED) for _ in range(2)
        )

    @abstractmethod
    def detect_batch(self, images: Tensor) -> list[Prediction]:
        """Detects in images of one size.

        Args:
            images: (B, 3, H, W) in [0, 1] on the module's device, H and W multiples of `multiple`.

        Returns:
            A prediction for each, by descending score.
        """

    @property
    def metric_info(self) -> dict[str, tuple[str, str]]:
        """Unit and direction of each metric by its last name."""
        names = ["ap50_voc07", "ap50_voc12", "ap75", "ap50_95", "recall50"]
        if len(self.classes) > 1:
            names += [f"{name}_class{label}" for name in names[:2] for label in range(len(self.classes))]
        names += [f"{name}_{group}" for name in _OF_GROUPS for group in self._groups]
        return {**dict.fromkeys(names, ("fraction", "higher")), "image_seconds": ("s", "lower")}

    def group_of(self, dataset: Any, index: int) -> str:
        """Tells to which group of images an image belongs, of each of which metrics are told by themselves.

        Args:
            dataset: The tested images.
            index: Place of one of them.

        Returns:
            The group's name, or "" where it belongs to none, as here.
        """
        return ""

    def setup(self, stage: str) -> None:
        """Takes up the classes of the dataset; what is tested after its training keeps its own.

        Raises:
            ConfigError: The network is built for another number of them, or was not trained on them.
        """
        classes = list(self.trainer.datamodule.classes)  # type: ignore[attr-defined]
        if stage == "test" and self._is_named:
            labels, told = match_classes(self.classes, classes)
            if told:
                log.warning("%s", told)
                self.about, self._labels = {"classes": told}, torch.tensor(labels)
            return
        if len(classes) != self.config.num_classes:
            raise ConfigError(
                f"model.num_classes: the dataset has {len(classes)} classes ({', '.join(classes)}), "
                f"not {self.config.num_classes}"
            )
        self.classes, self._is_named = classes, True

    def configure_callbacks(self) -> list[Callback]:
        """Pictures of the test."""
        return [DetectionPictures()]

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keeps the names of the classes."""
        checkpoint["classes"] = self.classes

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Takes up the names of the classes.

        Raises:
            CheckpointError: They are others in number, or no names.
        """
        classes = checkpoint.get("classes", self.classes)
        if not all(isinstance(name, str) for name in classes) or len(classes) != self.config.num_classes:
            raise CheckpointError(f"its classes are {classes!r:.80}, {self.config.num_classes} names are needed")
        self.classes, self._is_named = list(classes), "classes" in checkpoint

    def example_input(self) -> Tensor:
        """Returns images (2, 3, H, W) as the network takes them."""
        return torch.zeros(2, 3, 4 * self.multiple, 4 * self.multiple)

    def validation_step(self, batch: dict[str, Any], batch_index: int) -> None:
        """Detects in a batch of validation images."""
        self.validation_metric.update(self.detect(batch["images"]), batch["targets"], batch["indices"])

    def test_step(self, batch: dict[str, Any], batch_index: int) -> dict[str, Any]:
        """Detects in a batch of test images, and hands the detections to callbacks as ``predictions``."""
        if self._labels is not None:  # in the batch, for callbacks too
            known = self._labels
            batch["targets"] = [
                {**target, "labels": known.to(target["labels"].device)[target["labels"]]} for target in batch["targets"]
            ]
        started = time.perf_counter()
        predictions = self.detect(batch["images"])
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        self.image_seconds.update((time.perf_counter() - started) / len(predictions), len(predictions))
        self.test_metric.update(predictions, batch["targets"], batch["indices"])
        return {"predictions": predictions}

    def on_validation_epoch_start(self) -> None:
        """Resets the metric."""
        self.validation_metric.reset()

    def on_test_epoch_start(self) -> None:
        """Resets the metric."""
        self.test_metric.reset()
        self.image_seconds.reset()

    def on_validation_epoch_end(self) -> None:
        """Logs the validation metrics."""
        self._log_metric(self.validation_metric, "val")

    def on_test_epoch_end(self) -> None:
        """Logs the test metrics under the name of the tested split."""
        data: Any = self.trainer.datamodule  # type: ignore[attr-defined]
        self._log_metric(self.test_metric, data.test_name)
        self.log(f"{data.test_name}/image_seconds", self.image_seconds.compute(), sync_dist=True)
        self._log_groups(data)

    def image_results(self) -> DetectionResults:
        """How the detections in each image of the last test came out."""
        return self.test_metric.image_results()

    @torch.no_grad()
    def detect(self, images: list[Tensor]) -> list[Prediction]:
        """Detects in whole images of any size; the module has to be in evaluation mode.

        Images are padded to multiples of `multiple`. Images of a larger side than ``tile_size`` are cut into
        overlapping tiles, and never more than ``tile_batch`` images or tiles are in the network at once.

        Args:
            images: (3, H, W) each, float32 in [0, 1] or uint8.

        Returns:
            For each image its prediction, in its pixels, on the module's device.
        """
        config = self.config
        results: list[Prediction] = [{} for _ in images]
        groups: dict[tuple[int, int], list[int]] = {}
        for index, image in enumerate(images):
            height, width = image.shape[-2:]
            if max(height, width) > config.tile_size:
                results[index] = detect_in_tiles(image, self._to_device, config, self.multiple)
            else:
                size = padded(height, self.multiple), padded(width, self.multiple)
                groups.setdefault(size, []).append(index)
        for (height, width), members in groups.items():
            for first in range(0, len(members), config.tile_batch):
                chosen = members[first : first + config.tile_batch]
                batch = torch.stack([letterbox(as_float(images[index]), height, width) for index in chosen])
                for index, prediction in zip(chosen, self._to_device(batch), strict=True):
                    results[index] = prediction
        return [inside(found, *image.shape[-2:]) for found, image in zip(results, images, strict=True)]

    def predict_to(self, output: Path, options: PredictionOptions, data: Any, about: dict[str, Any]) -> None:
        """Detects in the user's files, scaled as the run's data; see `retable.detection.prediction.predict_files`.

        Raises:
            ConfigError: options.classifier is no run of a classifier.
            CheckpointError: Its checkpoint is missing, damaged or of another model.
            DataError: As of `predict_files`, as is StorageError.
        """
        recognise = None
        if options.classifier is not None:
            recognise = Recogniser(*load_classifier(options.classifier, self.device), options.unknown_below)
            about = {**about, "classifier": recognise.about}
        scaling = Scaling(data.resize, data.max_side, data.bands, data.range)
        threshold = options.score_threshold
        self.config.score_threshold = min(threshold, self.config.score_threshold)  # what is asked for is not cut off
        with self.quick():
            predict_files(
                lambda image: self.detect([image])[0],
                options.input,
                output,
                self.classes,
                threshold,
                scaling,
                about,
                recognise=recognise,
                every=options.every,
                published_time=self.published_time,
            )

    @contextmanager
    def quick(self) -> Iterator[None]:
        """Detects meanwhile by a copy of the network that is faster, up to rounding the same, and cannot be trained."""
        network = self.network
        self.network = use_winograd(fuse_batch_norm(network))
        try:
            yield
        finally:
            self.network = network

    def _log_groups(self, data: Any) -> None:
        """Logs metrics of each group of the tested images, as if there were no others."""
        results, dataset = self.image_results(), getattr(data, "datasets", {}).get(data.test_name)
        if dataset is None:  # data of another module than ours
            return
        groups = np.array([self.group_of(dataset, index) for index in range(results.images)])
        self._groups = sorted({*groups.tolist()} - {""})
        if self._groups:
            counts = (groups[:, None] == self._groups).astype(np.uint8)
            for name in _OF_GROUPS:
                values = results.resampled(name, counts)
                assert values is not None
                for group, value in zip(self._groups, values.tolist(), strict=True):
                    self.log(f"{data.test_name}/{name}_{group}", value, sync_dist=True)

    def _to_device(self, images: Tensor) -> list[Prediction]:
        return self.detect_batch(images.to(self.device))

    def _log_metric(self, metric: DetectionAveragePrecision, prefix: str) -> None:
        # all processes have the same values already; the mean over them only spares a warning
        self.log_dict({f"{prefix}/{name}": value for name, value in metric.compute().items()}, sync_dist=True)
