"""plate_net as Lightning trains and tests it."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from retable.detection.samples import joined_targets
from retable.detection.tiles import Prediction, padded
from retable.detection.transforms import letterbox
from retable.nn.training import AdamWTraining
from retable.papers.plates.net.assignment import assign
from retable.papers.plates.net.coding import Places, decode_boxes, decode_corners, places
from retable.papers.plates.net.loss import LossParts, plate_net_loss
from retable.papers.plates.net.network import DEEPEST, PlateNetwork
from retable.papers.plates.net.schema import PlateNetConfig
from retable.papers.plates.plate_detector import TrainedPlateDetector


class PlateNetModule(AdamWTraining, TrainedPlateDetector):
    """plate_net with its loss, optimiser and metrics.

    Attributes:
        network: The network.
    """

    multiple = DEEPEST
    weights_origin = "scratch"
    config: PlateNetConfig

    def __init__(self, config: PlateNetConfig) -> None:
        super().__init__(config)
        self.network = PlateNetwork(config)

    def loss(self, images: Tensor, targets: list[dict[str, Tensor]]) -> LossParts:
        """Computes the loss parts, differentiable.

        Args:
            images: (B, 3, H, W) in [0, 1], H and W multiples of 32.
            targets: For each image boxes (N, 4), labels (N,), difficult (N,), and perhaps corners (N, 4, 2).
        """
        config = self.config
        boxes, labels, difficult, image_index = joined_targets(targets)
        unknown = [target["boxes"].new_full((len(target["boxes"]), 4, 2), torch.nan) for target in targets]
        corners = torch.cat([target.get("corners", none) for target, none in zip(targets, unknown, strict=True)])
        logits, shapes = self.network(images)
        at = places(images.shape[2], images.shape[3], images.device)
        found = decode_boxes(shapes, at).nan_to_num()  # a loss of NaN is told as such
        scores = logits.sigmoid().nan_to_num()
        assignment = assign(
            scores, found, at, boxes, labels, difficult, image_index, config.candidates, config.alignment
        )
        return plate_net_loss(logits, shapes, at, assignment, boxes, labels, corners, config)

    @torch.no_grad()
    def detect_batch(self, images: Tensor) -> list[Prediction]:
        """Detects in images (B, 3, H, W) of one size, H and W multiples of 32; see ``first_side`` for large ones."""
        first, largest = self.config.first_side, max(images.shape[2:])
        if first is None or largest <= first:
            return self._detections(images)
        height, width = (max(1, round(side * first / largest)) for side in images.shape[2:])
        shrunk = F.interpolate(images, size=(height, width), mode="bilinear", antialias=True)
        sides = padded(height, self.multiple), padded(width, self.multiple)
        results = self._detections(torch.stack([letterbox(image, *sides) for image in shrunk]))
        factors = images.new_tensor([images.shape[3] / width, images.shape[2] / height])
        for index, found in enumerate(results):
            found["boxes"] = found["boxes"] * factors.repeat(2)
            found["corners"] = found["corners"] * factors
            if not bool((found["scores"] >= self.config.second_below).any()):
                (closer,) = self._detections(images[index : index + 1])
                joined = {key: torch.cat([value, closer[key]]) for key, value in found.items()}
                results[index] = self.best_of(joined)
        return results

    def _detections(self, images: Tensor) -> list[Prediction]:
        """Detects in images of one size as they are."""
        logits, shapes = self.network(images)
        at = places(images.shape[2], images.shape[3], images.device)
        scores, labels = logits.float().sigmoid().max(dim=2)
        results = []
        for score, label, shape in zip(scores, labels, shapes, strict=True):
            likely = (score > self.config.score_threshold).nonzero().squeeze(1)
            here = Places(at.points[likely], at.strides[likely])
            boxes = decode_boxes(shape[likely], here)
            corners = decode_corners(shape[likely], boxes)
            results.append(
                self.best_of({"boxes": boxes, "scores": score[likely], "labels": label[likely], "corners": corners})
            )
        return results
