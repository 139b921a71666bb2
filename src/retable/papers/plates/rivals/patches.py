"""Proposals cut out of images, and those that a classifier of them learns from."""

import torch
from torch import Tensor

from retable.boxes import AXIS_ALIGNED

PLATE = 0.5
"""IoU with a plate from which on a proposal is one: that of the metric."""

NONE = 0.4
"""IoU with any plate below which a proposal is none; what lies between is not learnt from."""


def cut(image: Tensor, boxes: Tensor, size: tuple[int, int], margin: float) -> Tensor:
    """Cuts boxes out of an image and stretches them to one size; what lies outside the image is black.

    Args:
        image: (3, H, W).
        boxes: (N, 4), x1, y1, x2, y2 in pixels.
        size: Height and width in pixels.
        margin: What is cut out around each, as a part of its sides.

    Returns:
        (N, 3, height, width).
    """
    from torchvision.ops import roi_align  # type: ignore[import-untyped]  # seconds to import

    around = margin * AXIS_ALIGNED.sizes(boxes)
    wide = torch.cat([boxes[:, :2] - around, boxes[:, 2:] + around], dim=1)
    patches: Tensor = roi_align(image[None], [wide], size, aligned=True)
    return patches


def draw_examples(found: Tensor, target: dict[str, Tensor], positives: int, negatives: int) -> tuple[Tensor, Tensor]:
    """Draws proposals to learn from. The plates themselves count as proposals; what overlaps a difficult one does not.

    Args:
        found: (N, 4), x1, y1, x2, y2 in pixels.
        target: boxes (M, 4), labels (M,) and difficult (M,) of the image.
        positives: How many that are plates, at most.
        negatives: How many that are none, at most.

    Returns:
        boxes (K, 4), and (K,) of 1 for plates and 0 for others.
    """
    plates, difficult = target["boxes"][~target["difficult"]], target["boxes"][target["difficult"]]
    boxes = torch.cat([plates, found])
    overlap, unclear = _best_overlap(boxes, plates), _best_overlap(boxes, difficult) >= NONE
    good, bad = _drawn((overlap >= PLATE) & ~unclear, positives), _drawn((overlap < NONE) & ~unclear, negatives)
    labels = torch.cat([torch.ones(len(good)), torch.zeros(len(bad))]).to(boxes)
    return boxes[torch.cat([good, bad])], labels


def _best_overlap(boxes: Tensor, others: Tensor) -> Tensor:
    if not len(others):
        return boxes.new_zeros(len(boxes))
    return AXIS_ALIGNED.iou(boxes, others).amax(dim=1)


def _drawn(wanted: Tensor, count: int) -> Tensor:
    """Returns so many places, at most, of those that are wanted (N,)."""
    places = wanted.nonzero().squeeze(1)
    return places[torch.randperm(len(places))[:count].to(places.device)]
