"""The two ways to write a box as numbers, and what tiling, warping, drawing and writing need of either.

A tensor tells its format by its last dimension: `format_of(boxes).corners(boxes)` serves both.
"""

import math
from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor

from retable.boxes._validation import as_floating, widened
from retable.boxes.iou import axis_aligned_iou, rotated_iou
from retable.boxes.nms import rotated_nms
from retable.boxes.rotated import box_to_corners, transform_boxes


class BoxFormat(ABC):
    """A format of boxes; all lengths are in pixels, all angles in radians, and results keep the boxes' number type.

    Attributes:
        names: Names of the numbers of a box.
    """

    names: tuple[str, ...]

    @abstractmethod
    def centres(self, boxes: Tensor) -> Tensor:
        """Returns the centres (..., 2) of boxes."""

    @abstractmethod
    def sizes(self, boxes: Tensor) -> Tensor:
        """Returns the widths and heights (..., 2) of boxes."""

    def areas(self, boxes: Tensor) -> Tensor:
        """Returns the areas (...) of boxes in square pixels."""
        return self.sizes(boxes).prod(dim=-1)

    @abstractmethod
    def corners(self, boxes: Tensor) -> Tensor:
        """Returns the corners (..., 4, 2) of boxes, clockwise on the screen."""

    @abstractmethod
    def bounds(self, boxes: Tensor) -> Tensor:
        """Returns the axis-aligned rectangles (x1, y1, x2, y2) around boxes, (..., 4)."""

    @abstractmethod
    def shifted(self, boxes: Tensor, x: float, y: float) -> Tensor:
        """Returns boxes that are moved to the right and down."""

    @abstractmethod
    def scaled(self, boxes: Tensor, x: float, y: float) -> Tensor:
        """Returns the boxes of an image that is scaled by two factors, which hardly differ."""

    @abstractmethod
    def transformed(self, boxes: Tensor, matrix: Tensor) -> Tensor:
        """Returns the boxes of an image that is warped by a similarity.

        Args:
            boxes: Boxes (..., n).
            matrix: (2, 3) matrix that takes a point (x, y, 1) to its new place; rotation, mirroring, one scale, shift.
        """

    @abstractmethod
    def iou(self, boxes1: Tensor, boxes2: Tensor) -> Tensor:
        """Returns the IoU (N, M) in [0, 1] of each of N boxes with each of M."""

    @abstractmethod
    def nms(self, boxes: Tensor, scores: Tensor, iou_threshold: float, labels: Tensor) -> Tensor:
        """Returns the (K,) indices, by descending score, of the boxes that suppression within each class keeps."""


class _Rotated(BoxFormat):
    """Rotated boxes (cx, cy, w, h, theta), canonical; see `retable.boxes.rotated`."""

    names = ("cx", "cy", "w", "h", "theta")

    def centres(self, boxes: Tensor) -> Tensor:
        return boxes[..., :2]

    def sizes(self, boxes: Tensor) -> Tensor:
        return boxes[..., 2:4]

    def corners(self, boxes: Tensor) -> Tensor:
        return box_to_corners(boxes)

    def bounds(self, boxes: Tensor) -> Tensor:
        cosine, sine = boxes[..., 4].cos().abs(), boxes[..., 4].sin().abs()
        width, height = boxes[..., 2], boxes[..., 3]
        reach = torch.stack([width * cosine + height * sine, width * sine + height * cosine], dim=-1) / 2
        return torch.cat([boxes[..., :2] - reach, boxes[..., :2] + reach], dim=-1)

    def shifted(self, boxes: Tensor, x: float, y: float) -> Tensor:
        return boxes + boxes.new_tensor([x, y, 0, 0, 0])

    def scaled(self, boxes: Tensor, x: float, y: float) -> Tensor:
        # the sides grow by the mean of both, so that a rectangle stays one
        side = math.sqrt(x * y)
        wide = widened(boxes)
        return (wide * wide.new_tensor([x, y, side, side, 1])).to(boxes.dtype)

    def transformed(self, boxes: Tensor, matrix: Tensor) -> Tensor:
        return transform_boxes(boxes, matrix)

    def iou(self, boxes1: Tensor, boxes2: Tensor) -> Tensor:
        return rotated_iou(boxes1, boxes2)

    def nms(self, boxes: Tensor, scores: Tensor, iou_threshold: float, labels: Tensor) -> Tensor:
        return rotated_nms(boxes, scores, iou_threshold, labels)


class _AxisAligned(BoxFormat):
    """Axis-aligned boxes (x1, y1, x2, y2) with x1 <= x2 and y1 <= y2, as torchvision has them."""

    names = ("x1", "y1", "x2", "y2")

    def centres(self, boxes: Tensor) -> Tensor:
        return (boxes[..., :2] + boxes[..., 2:]) / 2

    def sizes(self, boxes: Tensor) -> Tensor:
        return boxes[..., 2:] - boxes[..., :2]

    def corners(self, boxes: Tensor) -> Tensor:
        left, top, right, bottom = as_floating(boxes).unbind(dim=-1)
        points = [left, top, right, top, right, bottom, left, bottom]
        return torch.stack(points, dim=-1).reshape(*boxes.shape[:-1], 4, 2)

    def bounds(self, boxes: Tensor) -> Tensor:
        return boxes

    def shifted(self, boxes: Tensor, x: float, y: float) -> Tensor:
        return boxes + boxes.new_tensor([x, y, x, y])

    def scaled(self, boxes: Tensor, x: float, y: float) -> Tensor:
        wide = widened(boxes)
        return (wide * wide.new_tensor([x, y, x, y])).to(boxes.dtype)

    def transformed(self, boxes: Tensor, matrix: Tensor) -> Tensor:
        # the box around the warped corners: after a turn it is larger than what it holds
        matrix = widened(matrix).to(boxes.device)
        corners = widened(self.corners(boxes)) @ matrix[:, :2].T + matrix[:, 2]
        return torch.cat([corners.amin(dim=-2), corners.amax(dim=-2)], dim=-1).to(boxes.dtype)

    def iou(self, boxes1: Tensor, boxes2: Tensor) -> Tensor:
        return axis_aligned_iou(boxes1, boxes2)

    def nms(self, boxes: Tensor, scores: Tensor, iou_threshold: float, labels: Tensor) -> Tensor:
        if len(boxes) == 0:
            return torch.zeros(0, dtype=torch.int64, device=boxes.device)
        from torchvision.ops import batched_nms  # type: ignore[import-untyped]  # seconds to import

        # it tells classes apart by shifting them beyond the largest coordinate: none may be negative
        kept: Tensor = batched_nms(boxes - boxes.min(), scores, labels, iou_threshold)
        return kept


ROTATED = _Rotated()
AXIS_ALIGNED = _AxisAligned()
_FORMATS: dict[int, BoxFormat] = {len(kind.names): kind for kind in (ROTATED, AXIS_ALIGNED)}


def format_of(boxes: Any) -> BoxFormat:
    """Returns the format of boxes.

    Args:
        boxes: Tensor or array (..., 5) of rotated or (..., 4) of axis-aligned boxes, also of none.

    Raises:
        ValueError: The last dimension is another one.
    """
    columns = boxes.shape[-1] if boxes.ndim else 0
    if columns not in _FORMATS:
        raise ValueError(f"boxes must have shape (..., 5) or (..., 4), got {tuple(boxes.shape)}")
    return _FORMATS[columns]
