"""Intersection over union of rotated boxes, of axis-aligned boxes, and of shapes.

Rotated IoU is exact: float32 boxes are widened to float64 and taken relative to each other, so that coordinates of
several thousand pixels cost no digits. On the CPU numba kernels do the work, on as many threads as torch is set to use;
on a GPU, batched torch operations. Gradients are not propagated.
"""

import numpy as np
import torch
from torch import Tensor

from retable.boxes import _batched
from retable.boxes._parallel import over_rows
from retable.boxes._validation import (
    as_floating,
    check_rotated_boxes,
    check_rows,
    check_same_device,
)


def has_batched_path(boxes: Tensor) -> bool:
    """Tells whether the boxes lie on a device for the batched path: not the CPU, and one that has float64."""
    return boxes.device.type not in ("cpu", "mps")


def rotated_iou(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    """Returns the IoU of each box of one set with each of another.

    Args:
        boxes1: (N, 5) boxes (cx, cy, w, h, theta) in pixels and radians, canonical or not.
        boxes2: (M, 5) boxes on the same device.

    Returns:
        (N, M) float32 in [0, 1]. A box of zero area has IoU 0 with all, itself included.

    Raises:
        ValueError: Wrong shapes, numbers that are not finite, negative sizes, or different devices.
    """
    check_rotated_boxes(boxes1, "boxes1")
    check_rotated_boxes(boxes2, "boxes2")
    check_same_device(boxes1, boxes2, "boxes1 and boxes2")
    if has_batched_path(boxes1):
        return _batched.pairwise(boxes1, boxes2)
    iou = torch.empty(len(boxes1), len(boxes2), dtype=torch.float32)  # the kernel writes every element
    if iou.numel() > 0:
        _pairwise_on_cpu(boxes1.cpu(), boxes2.cpu(), iou)
    return iou.to(boxes1.device)


def _pairwise_on_cpu(boxes1: Tensor, boxes2: Tensor, iou: Tensor) -> None:
    from retable.boxes._kernels import box_table, pairwise_kernel

    kernel = pairwise_kernel()
    rows, columns, matrix = box_table(boxes1), box_table(boxes2), iou.numpy()
    places = np.argsort(columns[0])
    columns = np.ascontiguousarray(columns[:, places])
    reach = float(columns[8].max())

    def fill(start: int, step: int) -> None:
        kernel(rows, columns, places, reach, start, step, matrix)

    over_rows(fill, len(boxes1), cost=iou.numel())


def rotated_iou_aligned(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    """Returns the IoU of box k of one set with box k of another.

    Args:
        boxes1: (N, 5) boxes (cx, cy, w, h, theta) in pixels and radians, canonical or not.
        boxes2: (N, 5) boxes on the same device.

    Returns:
        (N,) float32 in [0, 1].

    Raises:
        ValueError: Wrong or different shapes, numbers that are not finite, negative sizes, or different devices.
    """
    check_rotated_boxes(boxes1, "boxes1")
    check_rotated_boxes(boxes2, "boxes2")
    check_same_device(boxes1, boxes2, "boxes1 and boxes2")
    if len(boxes1) != len(boxes2):
        raise ValueError(f"boxes1 and boxes2 must have one shape, got {tuple(boxes1.shape)} and {tuple(boxes2.shape)}")
    if has_batched_path(boxes1):
        return _batched.aligned(boxes1, boxes2)
    iou = torch.empty(len(boxes1), dtype=torch.float32)
    if len(boxes1) > 0:
        from retable.boxes._kernels import aligned_kernel, box_table

        aligned_kernel()(box_table(boxes1.cpu()), box_table(boxes2.cpu()), iou.numpy())
    return iou.to(boxes1.device)


def shape_iou(sizes1: Tensor, sizes2: Tensor) -> Tensor:
    """Returns the IoU of rectangles that share centre and angle: the overlap of anchor shapes (LARSD, section II.B.2).

    Args:
        sizes1: (N, 2) widths and heights in pixels.
        sizes2: (M, 2) widths and heights in pixels.

    Returns:
        (N, M) in [0, 1]; 0 where both areas are zero.

    Raises:
        ValueError: The shapes are not (N, 2) and (M, 2).
    """
    check_rows(sizes1, 2, "sizes1")
    check_rows(sizes2, 2, "sizes2")
    sizes1, sizes2 = as_floating(sizes1), as_floating(sizes2)
    overlap = torch.minimum(sizes1.unsqueeze(1), sizes2).prod(dim=2)
    union = sizes1.prod(dim=1).unsqueeze(1) + sizes2.prod(dim=1) - overlap
    return torch.where(union > 0, overlap / union, 0.0)


def axis_aligned_iou(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    """Returns the IoU of each axis-aligned box of one set with each of another.

    Args:
        boxes1: (N, 4) boxes (x1, y1, x2, y2) in pixels, with x1 <= x2 and y1 <= y2.
        boxes2: (M, 4) boxes.

    Returns:
        (N, M) in [0, 1]; a box of zero area has IoU 0 with all.

    Raises:
        ValueError: The shapes are not (N, 4) and (M, 4), or a box contains NaN.
    """
    boxes1, boxes2 = _checked(boxes1, boxes2)
    return _axis_aligned(boxes1[:, None], boxes2)


def axis_aligned_iou_aligned(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    """Returns the IoU of axis-aligned box k of one set with box k of another.

    Args:
        boxes1: (N, 4) boxes (x1, y1, x2, y2) in pixels, with x1 <= x2 and y1 <= y2.
        boxes2: (N, 4) boxes.

    Returns:
        (N,) in [0, 1].

    Raises:
        ValueError: The shapes are not (N, 4) for both, or a box contains NaN.
    """
    if len(boxes1) != len(boxes2):
        raise ValueError(f"boxes1 and boxes2 must have one shape, got {tuple(boxes1.shape)} and {tuple(boxes2.shape)}")
    boxes1, boxes2 = _checked(boxes1, boxes2)
    return _axis_aligned(boxes1, boxes2)


def _checked(boxes1: Tensor, boxes2: Tensor) -> tuple[Tensor, Tensor]:
    for boxes, name in ((boxes1, "boxes1"), (boxes2, "boxes2")):
        check_rows(boxes, 4, name)
        if bool(torch.isnan(boxes).any()):
            raise ValueError(f"{name} must not contain NaN")
    return as_floating(boxes1), as_floating(boxes2)


def _axis_aligned(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    """IoU over the last dimension, with PyTorch's rules of broadcasting."""
    low = torch.maximum(boxes1[..., :2], boxes2[..., :2])
    high = torch.minimum(boxes1[..., 2:], boxes2[..., 2:])
    overlap = (high - low).clamp(min=0).prod(dim=-1)
    areas1, areas2 = ((boxes[..., 2:] - boxes[..., :2]).prod(dim=-1) for boxes in (boxes1, boxes2))
    return torch.where(overlap > 0, overlap / (areas1 + areas2 - overlap), 0.0)
