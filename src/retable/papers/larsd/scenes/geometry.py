"""Plane geometry of the scenes: rotated rectangles and their overlap.

Coordinates and angles are those of `retable.synthetic.raster`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from retable.synthetic.raster import Points, place

_UNIT_CORNERS = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])


def rectangle(cx: float, cy: float, length: float, width: float, angle: float) -> Points:
    """Returns the corners, shape (4, 2), of a rectangle whose length runs along `angle`."""
    return place(_UNIT_CORNERS * (length, width), cx, cy, angle)


def rectangles(centres: Points, sizes: Points, angle: float) -> Points:
    """Returns the corners (N, 4, 2) of N rectangles of one orientation; centres and sizes are (N, 2)."""
    return place(_UNIT_CORNERS * sizes[:, None, :], 0.0, 0.0, angle) + centres[:, None, :]


def wrap_half_turn(angle: float) -> float:
    """Wraps an angle to [-pi/2, pi/2) and keeps clear of the ends, where float32 would leave the interval."""
    wrapped = (angle + math.pi / 2) % math.pi - math.pi / 2
    return min(max(wrapped, -math.pi / 2 + 1e-6), math.pi / 2 - 1e-6)


Rectangle = tuple[float, float, float, float, float]  # cx, cy, length, width, angle


@dataclass(frozen=True)
class Placed:
    """A thing at its place.

    Attributes:
        cx: Centre of its enclosing rectangle, pixels.
        cy: Likewise.
        length: Pixels.
        width: Pixels.
        angle: Direction of the length, of a ship's bow, radians.
    """

    cx: float
    cy: float
    length: float
    width: float
    angle: float

    @property
    def rectangle(self) -> Rectangle:
        """The rectangle that encloses it."""
        return (self.cx, self.cy, self.length, self.width, self.angle)


def rectangles_touch(first: Rectangle, second: Rectangle, margin: float = 0.0) -> bool:
    """Tells whether two rotated rectangles come closer than `margin` pixels (separating axes)."""
    ax, ay, al, aw, at = first
    bx, by, bl, bw, bt = second
    dx, dy = bx - ax, by - ay
    reach = 0.5 * (math.hypot(al, aw) + math.hypot(bl, bw)) + margin
    if dx * dx + dy * dy > reach * reach:
        return False
    difference_cosine, difference_sine = abs(math.cos(at - bt)), abs(math.sin(at - bt))
    for angle, own_l, own_w, other_l, other_w in ((at, al, aw, bl, bw), (bt, bl, bw, al, aw)):
        cosine, sine = math.cos(angle), math.sin(angle)
        along, across = abs(dx * cosine + dy * sine), abs(dy * cosine - dx * sine)
        if along > 0.5 * (own_l + other_l * difference_cosine + other_w * difference_sine) + margin:
            return False
        if across > 0.5 * (own_w + other_l * difference_sine + other_w * difference_cosine) + margin:
            return False
    return True


@cache
def _grid(columns: int, rows: int) -> Points:
    """Returns a grid of points (columns * rows, 2) over the unit square around the origin, its edges included."""
    return np.stack(np.meshgrid(np.linspace(-0.5, 0.5, columns), np.linspace(-0.5, 0.5, rows)), -1).reshape(-1, 2)


def probe_points(item: Rectangle, margin: float) -> Points:
    """Returns points (N, 2), at most 3 pixels apart, over a rectangle grown by `margin` pixels on every side."""
    cx, cy, length, width, angle = item
    size = (max(length + 2 * margin, 0.0), max(width + 2 * margin, 0.0))
    # sizes of the grids are rounded up to multiples of 4, so that few different ones are ever made
    columns, rows = (4 * (int(side / 3.0) // 4 + 1) + 1 for side in size)
    return place(_grid(columns, rows) * size, cx, cy, angle)
