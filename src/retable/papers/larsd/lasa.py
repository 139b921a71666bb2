"""Locality-aware score alignment (section II.C): the score of a box is read where the box lies."""

from __future__ import annotations

import torch
from torch import Tensor

from retable.papers.larsd.schema import DISTRIBUTIONS


def sampling_points(distribution: str, extent: float) -> Tensor:
    """Sampling points in the frame of a box whose sides are at -1 and 1 (Fig. 6).

    The paper draws (a) the rectangle of 9, (b) the diamond of 5 and (c) the diamond of 9, and says nothing of the 13.
    Here:

    - ``rectangle-9``: the 3 x 3 points (i, j) with i, j in {-1, 0, 1};
    - ``diamond-5``: the centre and the four tips (1, 0), (0, 1), (-1, 0), (0, -1);
    - ``diamond-9``: these and the middles of the diamond's four edges, (1/2, 1/2) and its mirrors;
    - ``diamond-13``: all (i, j) / 2 with |i| + |j| <= 2, which adds the points half-way to the tips.

    Args:
        distribution: One of `DISTRIBUTIONS` but ``none``.
        extent: Part of the half sides that the outermost points reach; 1 puts them on the sides.

    Returns:
        (S, 2) points along the width and along the height.

    Raises:
        ValueError: There is no such distribution.
    """
    square = [(i, j) for j in range(-2, 3) for i in range(-2, 3)]
    lattices = {
        "rectangle-9": [(i, j) for i, j in square if i % 2 == j % 2 == 0],
        "diamond-5": [(0, 0), (2, 0), (0, 2), (-2, 0), (0, -2)],
        "diamond-9": [(0, 0), *[(i, j) for i, j in square if abs(i) + abs(j) == 2]],
        "diamond-13": [(i, j) for i, j in square if abs(i) + abs(j) <= 2],
    }
    if distribution not in lattices:
        raise ValueError(f"no sampling distribution {distribution!r}; there are {', '.join(DISTRIBUTIONS)}")
    return torch.tensor(lattices[distribution], dtype=torch.float32) / 2 * extent


def aligned_scores(scores: Tensor, channel: Tensor, boxes: Tensor, stride: int, points: Tensor) -> Tensor:
    """Mean score at the sampling points of each box, read from the map of its own anchor and class.

    Points between cell centres are interpolated bilinearly. A point beyond the outermost cell centres takes the score
    at the border: a ship that the image cuts is not punished for the part that cannot be seen.

    Args:
        scores: (C, H, W) scores in [0, 1] of one level.
        channel: (N,) int64 map of each box.
        boxes: (N, 5) predicted boxes, pixels and radians.
        stride: Pixels a cell.
        points: (S, 2) of `sampling_points`.

    Returns:
        (N,) aligned scores.
    """
    height, width = scores.shape[-2:]
    cosine, sine = torch.cos(boxes[:, 4:]), torch.sin(boxes[:, 4:])
    along = boxes[:, 2:3] / 2 * points[:, 0]
    across = boxes[:, 3:4] / 2 * points[:, 1]
    # cell c has its centre at (c + 0.5) * stride
    x = ((boxes[:, 0:1] + along * cosine - across * sine) / stride - 0.5).clamp(0, width - 1)
    y = ((boxes[:, 1:2] + along * sine + across * cosine) / stride - 0.5).clamp(0, height - 1)
    left, top = x.floor(), y.floor()
    part_x, part_y = x - left, y - top
    column, row = left.to(torch.int64), top.to(torch.int64)
    right, below = (column + 1).clamp(max=width - 1), (row + 1).clamp(max=height - 1)
    flat = scores.reshape(-1)
    base = channel.unsqueeze(1) * (height * width)
    upper = flat[base + row * width + column] * (1 - part_x) + flat[base + row * width + right] * part_x
    lower = flat[base + below * width + column] * (1 - part_x) + flat[base + below * width + right] * part_x
    return (upper * (1 - part_y) + lower * part_y).mean(dim=1)
