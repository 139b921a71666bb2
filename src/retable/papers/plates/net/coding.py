"""From outputs to boxes and corners.

A place says how far the four sides of its box are, and where each corner of the plate lies by the box's corner.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from retable.boxes import AXIS_ALIGNED
from retable.papers.plates.net.network import BOX, STRIDES

_LARGEST = 6.0  # exp(6) = 400 strides: more than any plate needs, and far from float16's largest number


class Places(NamedTuple):
    """The places of all maps, those of stride 4 first, row by row.

    Attributes:
        points: (P, 2) x and y of their centres, pixels.
        strides: (P,) pixels from one place to the next.
    """

    points: Tensor
    strides: Tensor


@cache
def _places(height: int, width: int) -> Places:
    points, strides = [], []
    for stride in STRIDES:
        rows, columns = (torch.arange(0.5, side // stride) * stride for side in (height, width))
        y, x = torch.meshgrid(rows, columns, indexing="ij")
        points.append(torch.stack([x, y], dim=2).flatten(end_dim=1))
        strides.append(torch.full((len(points[-1]),), float(stride)))
    return Places(torch.cat(points), torch.cat(strides))


def places(height: int, width: int, device: torch.device) -> Places:
    """Returns the places of images of a size in pixels, multiples of 16."""
    found = _places(height, width)
    return Places(found.points.to(device), found.strides.to(device))


def log_distances(shapes: Tensor, strides: Tensor) -> Tensor:
    """Returns the logarithms (..., 4) of the distances in pixels to the top, right, bottom and left side of the box."""
    return shapes[..., :BOX].float().clamp(max=_LARGEST) + strides.log().unsqueeze(-1)


def decode_boxes(shapes: Tensor, at: Places) -> Tensor:
    """Returns boxes float32 (..., 4), x1, y1, x2, y2 in pixels, of outputs (..., 12)."""
    top, right, bottom, left = log_distances(shapes, at.strides).exp().unbind(dim=-1)
    x, y = at.points.unbind(dim=-1)
    return torch.stack([x - left, y - top, x + right, y + bottom], dim=-1)


def decode_corners(shapes: Tensor, boxes: Tensor) -> Tensor:
    """Returns corners float32 (..., 4, 2) in pixels, clockwise from the plate's upper left, of outputs (..., 12)."""
    corners = AXIS_ALIGNED.corners(boxes)
    moved = shapes[..., BOX:].float().reshape(corners.shape)
    return corners + moved * AXIS_ALIGNED.sizes(boxes).unsqueeze(-2)


def encode_corners(corners: Tensor, boxes: Tensor) -> Tensor:
    """Returns (..., 8), where corners lie by those of their boxes, as parts of the boxes' widths and heights."""
    return ((corners - AXIS_ALIGNED.corners(boxes)) / AXIS_ALIGNED.sizes(boxes).unsqueeze(-2)).flatten(start_dim=-2)
