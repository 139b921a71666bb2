"""From where a car is seen, and what hides a part of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

from retable.synthetic.rng import RandomStream, Weighted

VIEWS: Final = (
    "front", "front_left", "left", "rear_left", "rear", "rear_right", "right", "front_right",
)  # fmt: skip
"""Names of the sides that a car shows, in sectors of 45 degrees."""

OCCLUSIONS: Final = ("none", "pole", "pedestrian", "car", "border")
"""What may hide a part of a car."""

_HIDERS: Final = Weighted(*zip(OCCLUSIONS[1:], (0.3, 0.2, 0.25, 0.25), strict=True))


class Camera(NamedTuple):
    """Where the camera stands."""

    azimuth: float  # direction from the car to the camera in radians: 0 before the nose, pi / 2 at the car's left side
    distance: float  # from the car's middle, on the ground, in metres
    height: float  # above the ground in metres
    roll: float  # turn of the picture in radians


Shape = tuple[float, float, float, float, float, float]
"""A superellipse: middle x and y, half sizes, lean (dx/dy), power; sizes as shares of the car's box."""


@dataclass(frozen=True)
class Occlusion:
    """What hides a part of a car."""

    kind: str  # one of `OCCLUSIONS`
    shapes: tuple[Shape, ...] = ()  # what covers the car
    # the part of the car's box inside the photograph: left, top, right, bottom, as shares
    window: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)


def view_name(azimuth: float) -> str:
    """Names the side that is seen from a direction given in radians."""
    return VIEWS[round(azimuth / (math.tau / 8)) % 8]


def draw_camera(rng: RandomStream) -> Camera:
    """Draws a camera of a car in traffic: most cars are seen from behind or obliquely, parked or oncoming."""
    where = rng.random()
    if where < 0.3:
        azimuth = math.pi + rng.normal(0.0, 0.25)
    elif where < 0.48:
        azimuth = rng.normal(0.0, 0.25)
    elif where < 0.62:
        azimuth = rng.choice((0.5, 1.5)) * math.pi + rng.normal(0.0, 0.15)
    else:
        azimuth = rng.uniform(0.0, math.tau)
    return Camera(azimuth % math.tau, rng.log_uniform(5.0, 30.0), rng.uniform(1.1, 2.2), rng.normal(0.0, 0.012))


def draw_occlusion(rng: RandomStream, share: float) -> Occlusion:
    """Draws what hides a part of a car, of which this share is partly hidden."""
    if not rng.chance(share):
        return Occlusion("none")
    kind = _HIDERS.draw(rng)
    middle = rng.uniform(0.1, 0.9)
    if kind == "pole":
        shapes: tuple[Shape, ...] = ((middle, 0.5, rng.uniform(0.015, 0.06), 20.0, rng.normal(0.0, 0.03), 2.0),)
        return Occlusion(kind, shapes)
    if kind == "pedestrian":
        half, top = rng.uniform(0.05, 0.12), rng.uniform(-0.2, 0.35)
        head = half * rng.uniform(0.4, 0.6)
        return Occlusion(
            kind,
            (
                (middle, top, head, head * 1.3, 0.0, 2.0),
                (middle, top + 0.45, half, 0.38, rng.normal(0.0, 0.05), 2.0),
                (middle - half * 0.4, top + 1.0, half * 0.35, 0.5, rng.normal(0.0, 0.1), 4.0),
                (middle + half * 0.4, top + 1.0, half * 0.35, 0.5, rng.normal(0.0, 0.1), 4.0),
            ),
        )
    hidden = rng.uniform(0.12, 0.45)
    left = rng.chance(0.5)
    if kind == "car":
        body = 1.0  # half the other car's width
        at = hidden - body if left else 1.0 - hidden + body
        low = rng.uniform(0.25, 0.6)  # where its bonnet or boot begins
        slope = rng.normal(0.0, 0.1)
        roof = at - body * 0.35 if left else at + body * 0.35
        return Occlusion(
            kind,
            ((at, low + 1.0, body, 1.0, slope, 8.0), (roof, low, body * 0.8, rng.uniform(0.3, 0.6), slope, 4.0)),
        )
    if rng.chance(0.15):
        return Occlusion(kind, window=(0.0, 0.0, 1.0, 1.0 - 0.5 * hidden))
    return Occlusion(kind, window=(hidden, 0.0, 1.0, 1.0) if left else (0.0, 0.0, 1.0 - hidden, 1.0))
