"""Kinds of ships: lengths, proportions, hull shapes, and their hull outlines."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from retable.papers.larsd.scenes.geometry import Placed, wrap_half_turn
from retable.synthetic.raster import Points
from retable.synthetic.rng import RandomStream


@dataclass(frozen=True)
class Kind:
    """A kind of ship.

    Attributes:
        name: Key.
        lengths: Range of lengths in metres.
        aspects: Range of length over width, within 3 to 9.
        bow: Range of the bow's length as a part of the ship's.
        fullness: Range of the exponent of the bow's curve (1 is a wedge, 3 nearly a rectangle).
        transom: Range of the stern's width as a part of the ship's.
        depth: Height of the hull and deck above water as a part of the width (for shadows).
    """

    name: str
    lengths: tuple[float, float]
    aspects: tuple[float, float]
    bow: tuple[float, float]
    fullness: tuple[float, float]
    transom: tuple[float, float]
    depth: float


_KINDS = (
    Kind("bulk", (90, 300), (5.2, 7.2), (0.07, 0.14), (2.0, 2.8), (0.6, 0.9), 0.45),
    Kind("cargo", (55, 170), (4.8, 8.0), (0.09, 0.18), (1.7, 2.5), (0.55, 0.95), 0.4),
    Kind("container", (110, 390), (6.0, 8.4), (0.12, 0.22), (1.6, 2.3), (0.75, 1.0), 0.7),
    Kind("tanker", (70, 330), (5.0, 6.8), (0.07, 0.14), (2.0, 2.9), (0.5, 0.85), 0.4),
    Kind("ferry", (45, 320), (4.2, 8.0), (0.1, 0.25), (1.5, 2.4), (0.7, 1.0), 0.8),
    Kind("warship", (55, 200), (6.8, 9.0), (0.38, 0.55), (1.35, 1.9), (0.6, 0.85), 0.5),
    Kind("carrier", (180, 335), (3.6, 4.8), (0.04, 0.1), (1.2, 2.0), (0.6, 0.85), 0.5),
    Kind("submarine", (60, 170), (7.6, 9.0), (0.06, 0.1), (2.0, 2.4), (0.05, 0.15), 0.15),
    Kind("tug", (14, 42), (3.0, 3.8), (0.2, 0.3), (1.7, 2.4), (0.6, 0.9), 0.5),
    Kind("fishing", (10, 65), (3.1, 5.0), (0.25, 0.42), (1.5, 2.2), (0.6, 0.95), 0.45),
    Kind("yacht", (8, 60), (3.0, 4.6), (0.4, 0.6), (1.4, 2.2), (0.65, 0.95), 0.4),
)
KINDS = {kind.name: kind for kind in _KINDS}


@dataclass(frozen=True)
class Vessel(Placed):
    """One ship of a layout.

    Attributes:
        kind: Name of its kind.
        speed: 0 when moored or at anchor, up to 1 for a fast ship with a long wake.
        hull: Bow part, fullness, stern part (unit length), transom.
        seed: Seed of the deck's appearance.
    """

    kind: str
    speed: float
    hull: tuple[float, float, float, float]
    seed: int

    @property
    def box(self) -> tuple[float, float, float, float, float]:
        """The canonical rotated box (cx, cy, w, h, theta), w >= h, theta in [-pi/2, pi/2)."""
        return (self.cx, self.cy, self.length, self.width, wrap_half_turn(self.angle))


_STEPS = np.linspace(0.0, 1.0, 9)


def hull_outline(hull: tuple[float, float, float, float]) -> Points:
    """Returns a hull's outline (K, 2) in unit coordinates: bow at (0.5, 0), enclosing rectangle exactly [-0.5, 0.5]².

    `hull` is as of `Vessel`: bow part of the length, exponent of the bow's curve, stern part, transom.
    """
    bow, fullness, stern, transom = hull
    bow_x = 0.5 - bow + bow * _STEPS
    bow_y = 0.5 * (1.0 - _STEPS**fullness)
    stern_x = -0.5 + stern * _STEPS
    stern_y = 0.5 * (transom + (1.0 - transom) * np.sqrt(1.0 - (1.0 - _STEPS) ** 2))
    upper = np.concatenate([np.stack([stern_x, stern_y], 1), np.stack([bow_x, bow_y], 1)])
    lower = upper[::-1] * (1.0, -1.0)
    return np.concatenate([upper, lower])


def draw_hull(rng: RandomStream, kind: Kind) -> tuple[float, float, float, float]:
    """Draws a hull shape of that kind."""
    bow, fullness, transom = (rng.uniform(*span) for span in (kind.bow, kind.fullness, kind.transom))
    stern = rng.uniform(0.25, 0.45) if kind.name == "submarine" else rng.uniform(0.03, 0.12)
    if kind.name == "ferry" and rng.chance(0.25):
        stern, transom = bow, rng.uniform(0.1, 0.3)  # double-ended
    return (bow, fullness, stern, transom)


def draw_size(
    rng: RandomStream, kind: Kind, resolution: float, shortest: float, longest: float
) -> tuple[float, float] | None:
    """Draws a length between the limits and a width, all in pixels; the resolution is in metres per pixel.

    Returns None when no ship of the kind fits the limits.
    """
    low, high = max(kind.lengths[0] / resolution, shortest), min(kind.lengths[1] / resolution, longest)
    if low >= high:
        return None
    length = rng.log_uniform(low, high)
    # large ships of a kind are the slender ones, though not strictly
    slender = math.log(length * resolution / kind.lengths[0]) / math.log(kind.lengths[1] / kind.lengths[0])
    mix = min(max(0.35 * slender + 0.65 * rng.random(), 0.0), 1.0)
    aspect = kind.aspects[0] + (kind.aspects[1] - kind.aspects[0]) * mix
    return length, length / aspect
