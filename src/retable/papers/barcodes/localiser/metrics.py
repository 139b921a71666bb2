"""How well symbols are found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric

from retable.papers.barcodes.localiser.corners import Candidate
from retable.synthetic.raster import Points

FOUND = 0.5  # IoU from which on a symbol is found

METRIC_INFO: dict[str, tuple[str, str]] = {
    "mask_iou": ("fraction", "higher"),
    "recall": ("fraction", "higher"),
    "precision": ("fraction", "higher"),
    "box_iou": ("fraction", "higher"),
    "corner_error": ("pixels", "lower"),
    "loss": ("nats", "lower"),
}
_COUNTS = ("common", "union", "symbols", "candidates", "found", "box_iou", "with_corners", "corner_error")


class LocalisationMetric(Metric):
    """Masks and quadrangles over a set of photos.

    Of each photo's candidates those are right whose quadrangle has an IoU of at least `FOUND` with that of a symbol
    that no better one has; where only upright boxes are known, the boxes around the quadrangles are compared.
    """

    full_state_update = False
    common: Tensor
    union: Tensor
    symbols: Tensor
    candidates: Tensor
    found: Tensor
    box_iou: Tensor
    with_corners: Tensor
    corner_error: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name in _COUNTS:
            self.add_state(name, torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")

    def update_masks(self, masks: Tensor, targets: Tensor) -> None:
        """Counts masks of barcodes and what they should be, both bool of any equal shape."""
        self.common += (masks & targets).sum()
        self.union += (masks | targets).sum()

    def update(self, candidates: Sequence[Candidate], corners: Points, is_boxes: bool, scale: float) -> None:
        """Counts what was found in a photo.

        Args:
            candidates: In any order.
            corners: (N, 4, 2) of its symbols.
            is_boxes: Whether they are only those of upright boxes around the symbols.
            scale: Pixels of the photo for one of those in which corners are given.
        """
        self.symbols += len(corners)
        self.candidates += len(candidates)
        left = list(range(len(corners)))
        best = [0.0] * len(corners)
        for candidate in sorted(candidates, key=lambda item: -item.score):
            seen = box_around(candidate.corners) if is_boxes else candidate.corners
            overlaps = [quadrangle_iou(seen, corners[index]) for index in left]
            if not overlaps:
                break
            index = left[int(np.argmax(overlaps))]
            best[index] = max(best[index], quadrangle_iou(box_around(candidate.corners), box_around(corners[index])))
            if max(overlaps) >= FOUND:
                left.remove(index)
                self.found += 1
                if not is_boxes:
                    self.with_corners += 1
                    self.corner_error += scale * corner_error(candidate.corners, corners[index])
        self.box_iou += sum(best)

    def compute(self) -> dict[str, Tensor]:
        """Returns the metrics by name; NaN where nothing was to be found."""
        found = {
            "mask_iou": (self.common, self.union),
            "recall": (self.found, self.symbols),
            "precision": (self.found, self.candidates),
            "box_iou": (self.box_iou, self.symbols),
            "corner_error": (self.corner_error, self.with_corners),
        }
        return {name: torch.as_tensor(part / whole).float() for name, (part, whole) in found.items()}


def quadrangle_iou(one: Points, other: Points) -> float:
    """Returns the IoU of two convex quadrangles (4, 2)."""
    first, second = one.astype(np.float32), other.astype(np.float32)
    common = cv2.intersectConvexConvex(first, second)[0]
    whole = abs(cv2.contourArea(first)) + abs(cv2.contourArea(second)) - common
    return float(common / whole) if whole > 0 else 0.0


def corner_error(found: Points, known: Points) -> float:
    """Returns the mean distance of four corners, the right way up or upside down, whichever is nearer."""
    return float(min(np.linalg.norm(turned - known, axis=1).mean() for turned in (found, np.roll(found, 2, axis=0))))


def box_around(corners: Points) -> Points:
    """Returns the upright box (4, 2) around corners, clockwise from its upper left."""
    (left, top), (right, bottom) = corners.min(0), corners.max(0)
    box: Any = [(left, top), (right, top), (right, bottom), (left, bottom)]
    return np.array(box, np.float64)
