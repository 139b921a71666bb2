"""YOLOv2 as Lightning trains and tests it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from retable.boxes import AXIS_ALIGNED
from retable.detection.pretrained import PretrainedDetector
from retable.detection.samples import joined_targets
from retable.detection.tiles import Prediction
from retable.nn.backbones import load_weights_alike
from retable.nn.phases import PhasedTraining
from retable.papers.plates.anchors import BoxSizes, anchor_fit, draw_sizes
from retable.papers.plates.detector.assignment import assign, place
from retable.papers.plates.detector.coding import decode
from retable.papers.plates.detector.loss import LossParts, yolov2_loss
from retable.papers.plates.detector.network import STRIDE, Yolov2Network
from retable.papers.plates.detector.schema import Yolov2Config
from retable.papers.plates.plate_detector import TrainedPlateDetector

log = logging.getLogger(__name__)
_FIGURE_3 = "plots/anchors.png"


class Yolov2Module(PhasedTraining, TrainedPlateDetector, PretrainedDetector):
    """YOLOv2 with its loss, its phases and its metrics.

    Attributes:
        network: The network with its anchors.
        pictures: What was drawn beside the detections.
    """

    multiple = STRIDE
    rate_key = "model.phases.first.lr"
    config: Yolov2Config

    def __init__(self, config: Yolov2Config) -> None:
        super().__init__(config)
        self.network = Yolov2Network(config)
        self.box_sizes = BoxSizes()
        self.pictures: dict[str, str] = {}

    @property
    def metric_info(self) -> dict[str, tuple[str, str]]:
        """Unit and direction of each metric by its last name."""
        return super().metric_info | dict.fromkeys(("anchor_iou_min", "anchor_iou_mean"), ("fraction", "higher"))

    def on_fit_start(self) -> None:
        """Before a new training: starting weights, and anchors for the training boxes.

        A checkpoint is loaded by now where there is one, and a module that is resumed keeps what it has.

        Raises:
            CheckpointError: The file of the starting weights cannot be used.
            DataError: The training images hold no boxes.
        """
        network = self.network
        if bool(network.fitted):
            return
        load_weights_alike(network.backbone, self.config.weights, self.trainer.strategy)
        sizes = AXIS_ALIGNED.sizes(self.trainer.datamodule.training_boxes())  # type: ignore[attr-defined]
        network.anchors.copy_(self.config.anchors.fit(sizes))
        network.fitted.fill_(True)
        fit = anchor_fit(sizes, network.anchors.to(sizes))
        log.info("%d anchors; best IoU of a training box %s", len(network.anchors), _words(fit))

    def loss(self, images: Tensor, targets: list[dict[str, Tensor]]) -> LossParts:
        """Computes the loss parts, differentiable.

        Args:
            images: (B, 3, H, W) in [0, 1], H and W multiples of 16.
            targets: For each image boxes (N, 4), labels (N,) and difficult (N,).
        """
        boxes, labels, difficult, image_index = joined_targets(targets)
        anchors = self.network.anchors
        grid = images.shape[2] // STRIDE, images.shape[3] // STRIDE
        # before the network: what waits for the device here waits for an idle one
        assignment = assign(boxes, image_index, difficult, anchors, grid, STRIDE, self.config.ignore_threshold)
        outputs = self.network(images)
        return yolov2_loss(outputs, assignment, boxes, labels, difficult, anchors, STRIDE, self.config)

    @torch.no_grad()
    def detect_batch(self, images: Tensor) -> list[Prediction]:
        """Detects in images (B, 3, H, W) of one size, H and W multiples of 16."""
        return [self._detections(outputs) for outputs in self.network(images).float()]

    def _detections(self, outputs: Tensor) -> Prediction:
        """The plates of one image, of outputs (H, W, A, 5 + C): a class and score of each slot, then suppression."""
        config, (rows, columns, per_cell, width) = self.config, outputs.shape
        anchors = self.network.anchors
        flat = outputs.reshape(-1, width)
        objectness = flat[:, 4].sigmoid()
        slots = (objectness > config.score_threshold).nonzero().squeeze(1)
        likely, labels = flat[slots, 5:].softmax(dim=1).max(dim=1)
        scores = objectness[slots] * likely
        # sorted by hand: topk does not say which of equal scores it takes
        order = torch.argsort(scores, descending=True, stable=True)[: config.candidates]
        slots, scores, labels = slots[order], scores[order], labels[order]
        cells = place(slots // per_cell, (rows, columns))
        boxes = decode(flat[slots, :4], cells, anchors[slots % per_cell], STRIDE)
        return self.best_of({"boxes": boxes, "scores": scores, "labels": labels})

    def test_step(self, batch: dict[str, Any], batch_index: int) -> dict[str, Any]:
        """Detects in a batch of test images, and remembers the sizes of their plates."""
        for target in batch["targets"]:
            self.box_sizes.update(target)
        return super().test_step(batch, batch_index)

    def on_test_epoch_start(self) -> None:
        """Resets the metrics."""
        super().on_test_epoch_start()
        self.box_sizes.reset()

    def on_test_epoch_end(self) -> None:
        """Logs the metrics, those of the anchors too, and draws Fig. 3."""
        super().on_test_epoch_end()
        trainer: Any = self.trainer
        sizes, anchors = self.box_sizes.compute(), self.network.anchors
        found = anchor_fit(sizes.to(anchors), anchors)
        self.log_dict(
            {f"{trainer.datamodule.test_name}/{name}": value for name, value in found.items()}, sync_dist=True
        )
        if trainer.is_global_zero and not trainer.fast_dev_run:
            draw_sizes(sizes, anchors, Path(trainer.default_root_dir) / _FIGURE_3)
            self.pictures = {_FIGURE_3: "sizes of the plates, and the anchors"}


def _words(fit: Mapping[str, Tensor]) -> str:
    return f"{float(fit['anchor_iou_min']):.3f} at least and {float(fit['anchor_iou_mean']):.3f} in the mean"
