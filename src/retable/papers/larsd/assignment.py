"""Which locations and anchors learn from which ship (section II.B.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from retable.boxes import ROTATED, upright_size
from retable.papers.larsd.priors import Priors

POSITIVE_IOU = 0.5
IGNORE_IOU = 0.2


@dataclass(frozen=True)
class Assignment:
    """What the slots of a batch learn.

    A slot is one anchor at one location. Slots are numbered image by image, level by level, row by row, then by anchor:
    ``image * per_image + level_start + (row * width + column) * K + anchor``.

    Attributes:
        positive_slots: (P,) int64 slots that are a ship; each at most once, ascending.
        positive_boxes: (P,) int64 index of the box that each of them regresses.
        positive_points: (P, 2) location of each in pixels of its image.
        positive_priors: (P, 2) width and height of the prior of each, pixels.
        ignored: (total,) bool, slots that learn nothing. All others are background.
    """

    positive_slots: Tensor
    positive_boxes: Tensor
    positive_points: Tensor
    positive_priors: Tensor
    ignored: Tensor


class _Grid(NamedTuple):
    start: int
    height: int
    width: int
    stride: int


@torch.no_grad()
def assign(
    boxes: Tensor,
    image_index: Tensor,
    difficult: Tensor,
    priors: Priors,
    grids: Sequence[tuple[int, int]],
    images: int,
    force_match: bool = True,
) -> Assignment:
    """Assigns the boxes of a whole batch at once.

    The paper's rule: a location in the range of a box is positive for the anchors whose shape has an IoU above 0.5
    with it, ignored for those in [0.2, 0.5], and background otherwise.

    Where the paper is silent: an anchor at a location inside several boxes takes the one of best IoU, then the
    smaller, then the earlier. Inside a difficult box nothing is background. With `force_match`, a box that got no
    positive at all (thinner than the grid, or of a shape that no anchor is near) gets its best anchor at the location
    nearest to its centre, taking it over from another box if need be.

    Only cells in the bounding rectangles of the boxes are looked at, so the cost follows the ships, not the image.

    Args:
        boxes: (M, 5) boxes of all images, pixels and radians.
        image_index: (M,) int64, the image of each box.
        difficult: (M,) bool.
        priors: The prior boxes.
        grids: (height, width) in cells of each level.
        images: Number of images.
        force_match: Whether every box that is not difficult gets a positive.
    """
    device = boxes.device
    boxes = boxes.detach().to(torch.float32)
    per_location = priors.per_location
    layout: list[_Grid] = []
    per_image = 0
    for (height, width), stride in zip(grids, priors.strides, strict=True):
        layout.append(_Grid(per_image, height, width, stride))
        per_image += height * width * per_location
    ignored = torch.zeros(images * per_image, dtype=torch.bool, device=device)
    if len(boxes) == 0:
        none = torch.zeros(0, dtype=torch.int64, device=device)
        return Assignment(none, none, boxes.new_zeros(0, 2), boxes.new_zeros(0, 2), ignored)

    quality = priors.quality(upright_size(boxes)).to(torch.float32)
    ranks = _ranks(quality, boxes[:, 2] * boxes[:, 3])
    best = torch.full((images * per_image,), len(boxes), dtype=torch.int64, device=device)
    anchors = torch.arange(per_location, device=device)
    candidates: list[tuple[Tensor, Tensor, Tensor, Tensor]] = []
    spared: list[Tensor] = []
    for level, grid in enumerate(layout):
        box, cell = _cells_inside(boxes, grid)
        slots = (image_index[box] * per_image + grid.start + cell * per_location).unsqueeze(1) + anchors
        hard = difficult[box]
        spared.append(slots[hard].flatten())
        # a background pair is no candidate: it can win against nothing
        near = (quality[level][box] >= IGNORE_IOU) & ~hard.unsqueeze(1)
        pair, anchor = near.nonzero(as_tuple=True)
        slot, box = slots[pair, anchor], box[pair]
        rank = ranks[level][box, anchor]
        best.scatter_reduce_(0, slot, rank, "amin")
        candidates.append((slot, box, rank, quality[level][box, anchor]))
    slot, box, rank, value = (torch.cat(parts) for parts in zip(*candidates, strict=True))
    wins = best[slot] == rank
    slot, box, positive = slot[wins], box[wins], value[wins] > POSITIVE_IOU
    ignored[torch.cat([slot[~positive], *spared])] = True
    slot, box = slot[positive], box[positive]
    if force_match:
        forced_slot, forced_box = _forced(boxes, image_index, difficult, box, quality, layout, per_image)
        kept = ~torch.isin(slot, forced_slot)
        slot, box = torch.cat([slot[kept], forced_slot]), torch.cat([box[kept], forced_box])
    slot, order = slot.sort()
    box = box[order]
    ignored[slot] = False
    points, sizes = _locate(slot % per_image, layout, priors)
    return Assignment(slot, box, points, sizes, ignored)


def _ranks(quality: Tensor, areas: Tensor) -> Tensor:
    """Rank (L, M, K) of each box for each prior: 0 is the best quality, then the smaller area, then the earlier."""
    by_area = torch.argsort(areas, stable=True)
    by_quality = torch.argsort(quality[:, by_area], dim=1, descending=True, stable=True)
    order = by_area[by_quality]
    places = torch.arange(len(areas), device=areas.device).view(1, -1, 1).expand_as(order)
    return torch.empty_like(order).scatter_(1, order, places)


def _cells_inside(boxes: Tensor, grid: _Grid) -> tuple[Tensor, Tensor]:
    """All pairs of a box and a cell (row * width + column) whose centre lies inside it: two (T,) int64."""
    bounds = ROTATED.bounds(boxes)
    limit = torch.tensor([grid.width, grid.height], device=boxes.device)
    # cell c has its centre at (c + 0.5) * stride; one cell more on each side, for the rounding
    low = torch.floor(bounds[:, :2] / grid.stride - 0.5).to(torch.int64).clamp(min=0)
    high = torch.ceil(bounds[:, 2:] / grid.stride - 0.5).to(torch.int64)
    extent = (torch.minimum(high + 1, limit) - low).clamp(min=0)
    count = extent.prod(dim=1)
    box = torch.repeat_interleave(torch.arange(len(boxes), device=boxes.device), count)
    offset = torch.arange(len(box), device=boxes.device) - (count.cumsum(0) - count)[box]
    columns = extent[box, 0]
    column = low[box, 0] + offset % columns
    row = low[box, 1] + torch.div(offset, columns, rounding_mode="floor")
    x = (column + 0.5) * grid.stride - boxes[box, 0]
    y = (row + 0.5) * grid.stride - boxes[box, 1]
    cosine, sine = torch.cos(boxes[:, 4]), torch.sin(boxes[:, 4])
    along = x * cosine[box] + y * sine[box]
    across = y * cosine[box] - x * sine[box]
    inside = (along.abs() <= boxes[box, 2] / 2) & (across.abs() <= boxes[box, 3] / 2)
    return box[inside], (row * grid.width + column)[inside]


def _forced(
    boxes: Tensor,
    image_index: Tensor,
    difficult: Tensor,
    matched: Tensor,
    quality: Tensor,
    layout: Sequence[_Grid],
    per_image: int,
) -> tuple[Tensor, Tensor]:
    """Slots, each at most once, and boxes of those boxes that have no positive."""
    without = ~difficult
    without[matched] = False
    box = without.nonzero().squeeze(1)
    if len(box) == 0:
        return box, box
    box = box[torch.argsort(boxes[box, 2] * boxes[box, 3], stable=True)]
    per_location = quality.shape[2]
    choice = quality[:, box].transpose(0, 1).flatten(1).argmax(dim=1)
    level, anchor = torch.div(choice, per_location, rounding_mode="floor"), choice % per_location
    start, height, width, stride = torch.tensor(layout, device=boxes.device)[level].unbind(1)
    column = torch.minimum(torch.floor(boxes[box, 0] / stride).to(torch.int64).clamp(min=0), width - 1)
    row = torch.minimum(torch.floor(boxes[box, 1] / stride).to(torch.int64).clamp(min=0), height - 1)
    slot = image_index[box] * per_image + start + (row * width + column) * per_location + anchor
    # of two boxes that are forced into one slot the smaller stays, which comes first
    slot, order = slot.sort(stable=True)
    first = torch.ones_like(slot, dtype=torch.bool)
    first[1:] = slot[1:] != slot[:-1]
    return slot[first], box[order][first]


def _locate(slot: Tensor, layout: Sequence[_Grid], priors: Priors) -> tuple[Tensor, Tensor]:
    """Location (P, 2) and prior size (P, 2), in pixels, of slots within their image."""
    table = torch.tensor(layout, device=slot.device)
    level = torch.bucketize(slot, table[1:, 0].contiguous(), right=True)
    start, _, width, stride = table[level].unbind(1)
    cell = torch.div(slot - start, priors.per_location, rounding_mode="floor")
    row = torch.div(cell, width, rounding_mode="floor")
    points = (torch.stack([cell - row * width, row], dim=1) + 0.5) * stride.unsqueeze(1)
    sizes = priors.sizes[level, (slot - start) % priors.per_location]
    return points.to(torch.float32), sizes.to(torch.float32)
