"""Detectors of proposals: image processing finds boxes, and something tells which of them are plates."""

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor

from retable.detection.tiles import Prediction
from retable.detection.transforms import to_image
from retable.papers.plates.plate_detector import PlateDetector
from retable.papers.plates.rivals.patches import cut, draw_examples
from retable.papers.plates.rivals.proposals import propose
from retable.papers.plates.rivals.schema import LearntRivalConfig, RivalConfig


class ProposalDetector(PlateDetector, ABC):
    """Base of them. Boxes stay as they are proposed."""

    multiple = 1
    config: RivalConfig

    @abstractmethod
    def judge(self, image: Tensor, boxes: Tensor, scores: Tensor) -> Tensor:
        """Tells how much each proposal is a plate.

        Args:
            image: (3, H, W) in [0, 1].
            boxes: (N, 4), x1, y1, x2, y2 in pixels.
            scores: (N,), what image processing says.

        Returns:
            (N,) from 0 to 1.
        """

    def propose(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Proposes boxes (N, 4) and their scores (N,) in an image (3, H, W) in [0, 1]."""
        found = propose(to_image(image), self.config.proposals)
        return torch.from_numpy(found.boxes).to(image), torch.from_numpy(found.scores).to(image)

    @torch.no_grad()
    def detect_batch(self, images: Tensor) -> list[Prediction]:
        """Detects in images (B, 3, H, W) in [0, 1]."""
        return [self._detections(image) for image in images]

    def _detections(self, image: Tensor) -> Prediction:
        boxes, scores = self.propose(image)
        if len(boxes):
            scores = self.judge(image, boxes, scores)
        return self.best_of({"boxes": boxes, "scores": scores})


class LearntDetector(ProposalDetector, ABC):
    """Base of those that have learnt it from cut-out proposals.

    Attributes:
        network: Maps them (N, 3, h, w), in [0, 1], to scores (N,) from 0 to 1.
    """

    network: Any
    config: LearntRivalConfig

    def judge(self, image: Tensor, boxes: Tensor, scores: Tensor) -> Tensor:
        """Returns the network's scores (N,)."""
        judged: Tensor = self.network(self.cut(image, boxes))
        return judged

    def cut(self, image: Tensor, boxes: Tensor) -> Tensor:
        """Cuts boxes (N, 4) out of an image (3, H, W), as the network takes them."""
        return cut(image, boxes, self.config.input_size, self.config.margin)

    @torch.no_grad()
    def examples(self, batch: dict[str, Any]) -> tuple[Tensor, Tensor]:
        """Draws cut-out proposals (N, 3, h, w) of a training batch, and (N,) of 1 for plates and 0 for others."""
        config, patches, labels = self.config, [], []
        for image, target in zip(batch["images"], batch["targets"], strict=True):
            boxes, is_plate = draw_examples(self.propose(image)[0], target, config.positives, config.negatives)
            patches.append(self.cut(image, boxes))
            labels.append(is_plate)
        return torch.cat(patches), torch.cat(labels)

    def example_input(self) -> Tensor:
        """Returns cut-out proposals (2, 3, h, w) as the network takes them."""
        return torch.zeros(2, 3, *self.config.input_size)
