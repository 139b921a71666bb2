"""Which places learn which plate: those inside of it that predict it best already.

The task-aligned assignment of TOOD (Feng et al., ICCV 2021, section 3.2): a place is the better, the higher its score
and the IoU of its box, so that scores learn to tell how good their boxes are. It chooses the stride, too.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from retable.boxes import axis_aligned_iou
from retable.papers.plates.net.coding import Places

_TINY = 1e-9


@dataclass(frozen=True)
class Assignment:
    """What the B * P places of a batch learn.

    Attributes:
        places: (K,) int64 those that learn a plate, counted over the batch.
        boxes: (K,) int64 the plate of each, counted over the batch.
        scores: (K,) the score that each learns, the IoU of its box.
        ignored: bool (B * P,), those at difficult plates, which learn no score.
    """

    places: Tensor
    boxes: Tensor
    scores: Tensor
    ignored: Tensor


@torch.no_grad()
def assign(
    scores: Tensor,
    predicted: Tensor,
    at: Places,
    boxes: Tensor,
    labels: Tensor,
    difficult: Tensor,
    image_index: Tensor,
    candidates: int,
    alignment: float,
) -> Assignment:
    """Assigns the plates of a batch to places.

    Args:
        scores: (B, P, C) predicted, in [0, 1].
        predicted: (B, P, 4) predicted boxes, pixels.
        at: The P places of an image.
        boxes: (M, 4) of the batch, pixels.
        labels: (M,) int64.
        difficult: (M,) bool.
        image_index: (M,) int64, in which image each plate is.
        candidates: Places of a plate at most.
        alignment: Power of the IoU.
    """
    images, count = scores.shape[:2]
    ignored = torch.zeros(images, count, dtype=torch.bool, device=scores.device)
    found: list[tuple[Tensor, Tensor, Tensor]] = []
    for image in torch.unique(image_index).tolist():
        here = (image_index == image).nonzero().squeeze(1)
        inside = _inside(at.points, boxes[here])
        hard = difficult[here]
        ignored[image] = inside[hard].any(dim=0)
        here, inside = here[~hard], inside[~hard]
        if not len(here):
            continue
        overlaps = axis_aligned_iou(boxes[here].float(), predicted[image].float())
        fit = scores[image].T[labels[here]].float() * overlaps**alignment
        fit = torch.where(inside, fit + _TINY, 0.0)  # a place inside of a plate that nobody predicts yet counts, too
        best, where = fit.topk(min(candidates, count), dim=1)
        # a place at two plates learns the one that it overlaps more
        chosen = torch.zeros_like(inside).scatter_(1, where, best > 0)
        overlap, plate = torch.where(chosen, overlaps + _TINY, 0.0).max(dim=0)
        place = (overlap > 0).nonzero().squeeze(1)
        plate = plate[place]
        found.append((place + image * count, here[plate], overlaps[plate, place]))
        ignored[image, place] = False
    if not found:
        none = torch.zeros(0, dtype=torch.int64, device=scores.device)
        return Assignment(none, none, scores.new_zeros(0, dtype=torch.float32), ignored.flatten())
    joined_places, joined_boxes, joined_scores = (torch.cat(part) for part in zip(*found, strict=True))
    return Assignment(joined_places, joined_boxes, joined_scores, ignored.flatten())


def _inside(points: Tensor, boxes: Tensor) -> Tensor:
    """Whether points (P, 2) lie inside of boxes (M, 4); bool (M, P)."""
    low, high = boxes[:, None, :2], boxes[:, None, 2:]
    return ((points > low) & (points < high)).all(dim=2)
