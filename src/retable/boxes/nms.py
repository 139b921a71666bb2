"""Non-maximum suppression of rotated boxes, and the merging of what it suppressed."""

import math

import numpy as np
import torch
from torch import Tensor

from retable.boxes import _batched
from retable.boxes._validation import check_rotated_boxes, check_same_device
from retable.boxes.iou import has_batched_path, rotated_iou
from retable.boxes.rotated import canonical


def rotated_nms(boxes: Tensor, scores: Tensor, iou_threshold: float, labels: Tensor | None = None) -> Tensor:
    """Suppresses what is not a maximum, greedily.

    By descending score, a box is kept unless a kept box of its label overlaps it by more than the threshold.

    Args:
        boxes: (N, 5) boxes (cx, cy, w, h, theta) in pixels and radians, canonical or not.
        scores: (N,) scores, the higher the better; of equal scores the lower index goes first.
        iou_threshold: IoU in [0, 1] above which the lower-scored box is suppressed.
        labels: (N,) integer classes; boxes of different classes do not suppress each other. None: all are of one class.

    Returns:
        (K,) int64 indices of the kept boxes by descending score, on the device of the boxes.

    Raises:
        ValueError: Wrong shapes, NaN scores, boxes that are not finite or of negative size, a threshold outside [0, 1],
            or different devices.
    """
    check_rotated_boxes(boxes, "boxes")
    if scores.shape != boxes.shape[:1]:
        raise ValueError(f"scores must have shape ({len(boxes)},), got {tuple(scores.shape)}")
    if bool(torch.isnan(scores).any()):
        raise ValueError("scores must not contain NaN")
    if not 0.0 <= iou_threshold <= 1.0:
        raise ValueError(f"iou_threshold must be in [0, 1], got {iou_threshold}")
    check_same_device(boxes, scores, "boxes and scores")
    if labels is None:
        labels = torch.zeros(len(boxes), dtype=torch.int64, device=boxes.device)
    if labels.shape != scores.shape:
        raise ValueError(f"labels must have shape ({len(boxes)},), got {tuple(labels.shape)}")
    if labels.is_floating_point():
        raise ValueError(f"labels must be integers, got {labels.dtype}")
    check_same_device(boxes, labels, "boxes and labels")
    if has_batched_path(boxes):
        order = torch.argsort(scores.detach(), descending=True, stable=True)
        return order[_batched.suppress(boxes[order], labels[order], float(iou_threshold))]
    kept = _on_cpu(boxes.detach().cpu(), scores.detach().cpu(), float(iou_threshold), labels.cpu())
    return kept.to(boxes.device)


def merge_rotated_boxes(
    kept: Tensor, kept_labels: Tensor, boxes: Tensor, weights: Tensor, labels: Tensor, iou_threshold: float
) -> Tensor:
    """Replaces each kept box by the weighted mean of the boxes that overlap it, itself among them.

    A rectangle has several descriptions (theta turned by half a turn, or by a quarter with the sides exchanged); each
    box enters the mean in the one whose angle is nearest to that of the kept box.

    Args:
        kept: (K, 5) boxes (cx, cy, w, h, theta) in pixels and radians that suppression kept.
        kept_labels: (K,) their integer classes.
        boxes: (N, 5) boxes that may be merged into them.
        weights: (N,) weights, not negative, such as scores.
        labels: (N,) classes; only boxes of the same class are merged.
        iou_threshold: Boxes with a larger IoU are merged; at 1 the kept boxes stay as they are.

    Returns:
        (K, 5) canonical boxes; one that no box of positive weight overlaps so much stays as it is.

    Raises:
        ValueError: Wrong shapes, or boxes that are not finite or of negative size.
    """
    if weights.shape != boxes.shape[:1]:
        raise ValueError(f"weights must have shape ({len(boxes)},), got {tuple(weights.shape)}")
    near = rotated_iou(kept, boxes) > iou_threshold
    which, other = (near & (kept_labels[:, None] == labels[None])).nonzero(as_tuple=True)
    quarters = torch.round((boxes[other, 4] - kept[which, 4]) / (math.pi / 2))
    theta = boxes[other, 4] - quarters * (math.pi / 2)
    size = boxes[other, 2:4]
    size = torch.where((quarters % 2 == 1)[:, None], size.flip(1), size)
    described = torch.cat([boxes[other, :2], size, theta[:, None]], dim=1)
    weight = weights[other].to(boxes.dtype)[:, None]
    total = torch.zeros_like(kept[:, :1]).index_add_(0, which, weight)
    # relative to the kept box: sums of large coordinates would lose digits
    offset = torch.zeros_like(kept).index_add_(0, which, (described - kept[which]) * weight)
    return canonical(kept + torch.where(total > 0, offset / total.clamp_min(torch.finfo(kept.dtype).tiny), 0.0))


def _on_cpu(boxes: Tensor, scores: Tensor, iou_threshold: float, labels: Tensor) -> Tensor:
    if len(boxes) == 0:
        return torch.zeros(0, dtype=torch.int64)
    from retable.boxes._kernels import box_table, suppress_kernel

    # float64 holds every score of every type; negated, since NumPy's stable sort only ascends
    order = np.argsort(-scores.to(torch.float64).numpy(), kind="stable")
    table = np.ascontiguousarray(box_table(boxes)[:, order])
    kept = np.empty(len(order), dtype=np.bool_)
    suppress_kernel()(table, labels.numpy().astype(np.int64)[order], iou_threshold, kept)
    return torch.from_numpy(order[kept])
