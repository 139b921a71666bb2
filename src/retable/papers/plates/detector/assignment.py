"""Which anchor of which cell predicts which plate, and which are near enough to a plate to be left alone."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from retable.boxes import AXIS_ALIGNED, shape_iou


@dataclass(frozen=True)
class Assignment:
    """What the slots of a batch learn.

    A slot is one anchor of one cell, numbered ``((image * rows + row) * columns + column) * A + anchor``. All that are
    neither responsible nor, by what they predict, ignored, learn that there is no plate.

    Attributes:
        slots: (P,) int64 slots that predict a plate, each at most once.
        boxes: (P,) int64 index of its box.
        near_cells: (T,) int64 cells, ``(image * rows + row) * columns + column``, any of whose predicted boxes could
            overlap a plate by more than the ignore threshold.
        near_boxes: (T,) int64 index of that plate's box.
    """

    slots: Tensor
    boxes: Tensor
    near_cells: Tensor
    near_boxes: Tensor


@torch.no_grad()
def assign(
    boxes: Tensor,
    image_index: Tensor,
    difficult: Tensor,
    anchors: Tensor,
    grid: tuple[int, int],
    stride: int,
    ignore_threshold: float,
) -> Assignment:
    """Assigns the boxes of a whole batch at once, before anything is predicted.

    YOLOv2's rule: the cell with the centre of a plate predicts it, by the anchor whose shape overlaps it most. Of two
    plates with one anchor and cell the smaller has it. Difficult plates are predicted by none.

    Predicted centres lie in their cell, and an IoU above t with a box of width w needs a centre within w (1 - t) / 2t
    of its own: so only a few cells around each plate can have one, and no other prediction is looked at. Of a difficult
    plate all cells are near.

    Args:
        boxes: (M, 4) boxes of all images, pixels.
        image_index: (M,) int64, the image of each.
        difficult: (M,) bool.
        anchors: (A, 2) widths and heights, pixels.
        grid: Rows and columns of cells.
        stride: Pixels of a cell.
        ignore_threshold: IoU in (0, 1].
    """
    rows, columns = grid
    limit = torch.tensor([columns, rows], device=boxes.device)
    centres, sizes = AXIS_ALIGNED.centres(boxes), AXIS_ALIGNED.sizes(boxes)

    # the largest first, so that of two in one slot the smaller is written last
    order = torch.argsort(sizes.prod(dim=1), descending=True, stable=True)
    order = order[~difficult[order]]
    cell = torch.minimum((centres[order] / stride).long().clamp(min=0), limit - 1)
    best = shape_iou(sizes[order], anchors).argmax(dim=1)
    slot = ((image_index[order] * rows + cell[:, 1]) * columns + cell[:, 0]) * len(anchors) + best
    slots, which = torch.unique(slot, return_inverse=True)
    last = torch.zeros_like(slots).scatter_reduce_(0, which, torch.arange(len(slot), device=slot.device), "amax")

    reach = sizes * torch.where(difficult, 0.5, (1 - ignore_threshold) / (2 * ignore_threshold))[:, None]
    low = ((centres - reach) / stride).floor().long().clamp(min=0)
    high = torch.minimum(((centres + reach) / stride).floor().long(), limit - 1)
    extent = (high - low + 1).clamp(min=0)
    count = extent.prod(dim=1)
    box = torch.repeat_interleave(torch.arange(len(boxes), device=boxes.device), count)
    offset = torch.arange(len(box), device=boxes.device) - (count.cumsum(0) - count)[box]
    row = low[box, 1] + torch.div(offset, extent[box, 0], rounding_mode="floor")
    column = low[box, 0] + offset % extent[box, 0]
    return Assignment(slots, order[last], (image_index[box] * rows + row) * columns + column, box)


def place(cells: Tensor, grid: tuple[int, int]) -> Tensor:
    """Returns column and row (..., 2) of cells (...), of a grid of rows and columns."""
    rows, columns = grid
    return torch.stack([cells % columns, torch.div(cells, columns, rounding_mode="floor") % rows], dim=-1)
