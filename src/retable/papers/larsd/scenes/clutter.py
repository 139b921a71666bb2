"""Things that look like ships and are none: container rows, sheds, fish rafts, breakwaters, pontoons."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from retable.papers.larsd.scenes.decks import CONTAINERS
from retable.papers.larsd.scenes.geometry import Placed
from retable.papers.larsd.scenes.sprites import Canvas, shade, vary
from retable.synthetic.raster import Image, Points
from retable.synthetic.rng import RandomStream

_SQUARE = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])


@dataclass(frozen=True)
class Clutter(Placed):
    """One thing of a layout that is not a ship.

    Attributes:
        kind: Key in this module's table.
        height: Pixels, for the shadow.
        seed: Seed of its appearance.
    """

    kind: str
    height: float
    seed: int


def _containers(canvas: Canvas, rng: RandomStream) -> None:
    ground = vary(rng, (120, 118, 112))
    palette = [ground] + [vary(rng, rng.choice(CONTAINERS), 10) for _ in range(rng.integer(3, 7))]
    bays, lanes = rng.integer(4, 14), rng.integer(2, 6)
    generator = rng.generator
    choice = generator.integers(1, len(palette), (lanes, bays)) * (generator.random((lanes, bays)) < 0.88)
    colours = np.array(palette, np.uint8)[choice]
    size = (canvas.columns, canvas.rows)
    canvas.texture = np.asarray(cv2.resize(colours, size, interpolation=cv2.INTER_NEAREST), np.uint8)
    for bay in range(1, bays):
        canvas.line(bay / bays - 0.5, -0.5, bay / bays - 0.5, 0.5, shade(ground, 0.7))
    for lane in range(1, lanes):
        canvas.line(-0.5, lane / lanes - 0.5, 0.5, lane / lanes - 0.5, shade(ground, 0.8))


def _shed(canvas: Canvas, rng: RandomStream) -> None:
    roofs = (150, 150, 148), (110, 126, 140), (136, 78, 62), (196, 194, 188), (90, 104, 96), (120, 60, 50)
    roof = vary(rng, rng.choice(roofs), 12)
    canvas.texture[:] = shade(roof, 0.85)
    canvas.box(-0.5, 0.5, -0.5, 0.0, shade(roof, 1.08))
    for number in range(rng.integer(0, 9)):
        x = -0.45 + 0.1 * number
        canvas.box(x, x + 0.04, -0.25, 0.2, shade(roof, rng.choice((0.75, 1.25))))


def _raft(canvas: Canvas, rng: RandomStream) -> None:
    water = vary(rng, (46, 62, 62), 14)
    frame = vary(rng, rng.choice(((128, 122, 108), (96, 98, 94), (160, 156, 146), (92, 76, 60))))
    canvas.texture[:] = water
    columns, lanes = rng.integer(4, 12), rng.integer(1, 3)
    thickness = max(canvas.rows // 9, 1)
    for number in range(columns + 1):
        x = number / columns - 0.5
        canvas.line(x, -0.5, x, 0.5, frame, thickness)
    for number in range(lanes + 1):
        y = number / lanes - 0.5
        canvas.line(-0.5, y, 0.5, y, frame, thickness)
    if rng.chance(0.5):
        x = rng.uniform(-0.4, 0.2)
        canvas.box(x, x + 0.16, -0.3, 0.3, vary(rng, (190, 188, 180), 20), 2.0)


def _rocky(rng: RandomStream, roughness: float, corners: int = 22) -> Points:
    """Returns an irregular outline within the unit square."""
    angles = np.linspace(0.0, 2 * math.pi, corners, endpoint=False)
    noise = rng.generator.uniform(-1.0, 0.0, corners)
    # neighbours are averaged, so that stones are jagged, not stars
    radius = 1.0 + roughness * (0.5 * noise + 0.25 * np.roll(noise, 1) + 0.25 * np.roll(noise, -1))
    # a superellipse: nearly a rectangle with round corners
    radius = 0.5 * radius * (np.abs(np.cos(angles)) ** 6 + np.abs(np.sin(angles)) ** 6) ** (-1 / 6)
    return np.stack([radius * np.cos(angles), radius * np.sin(angles)], 1)


def _ragged(rng: RandomStream) -> Points:
    """Returns the outline of a heap of stones with blunt ends."""
    x = np.linspace(-0.5, 0.5, 41)
    half = 0.5 * (1.0 - np.abs(2.0 * x) ** rng.uniform(12.0, 40.0) * 0.8)
    upper = np.stack([x, half - rng.generator.uniform(0.0, 0.13, 41)], 1)
    lower = np.stack([x[::-1], rng.generator.uniform(0.0, 0.13, 41) - half[::-1]], 1)
    return np.concatenate([upper, lower])


def _breakwater(canvas: Canvas, rng: RandomStream) -> Points:
    stone = vary(rng, rng.choice(((124, 120, 112), (92, 88, 82), (150, 144, 132))), 12)
    canvas.texture[:] = stone
    if rng.chance(0.5):
        canvas.box(-0.5, 0.5, -0.2, 0.2, shade(stone, 1.3))
    canvas.weather(rng, 0.6)
    return _ragged(rng)


def _rock(canvas: Canvas, rng: RandomStream) -> Points:
    canvas.texture[:] = vary(rng, rng.choice(((96, 88, 74), (78, 80, 64), (120, 110, 92))), 12)
    canvas.weather(rng, 0.7)
    return np.clip(_rocky(rng, 0.55, 16), -0.5, 0.5)


def _pontoon(canvas: Canvas, rng: RandomStream) -> None:
    plank = vary(rng, rng.choice(((170, 166, 156), (128, 124, 118), (110, 84, 66), (92, 62, 52), (200, 200, 196))), 12)
    canvas.texture[:] = plank
    for number in range(1, rng.integer(2, 9)):
        x = number / 9 - 0.5
        canvas.line(x, -0.5, x, 0.5, shade(plank, 0.75))
    if rng.chance(0.4):
        x = rng.uniform(-0.4, 0.2)
        canvas.box(x, x + rng.uniform(0.08, 0.3), -0.3, 0.25, vary(rng, rng.choice(CONTAINERS), 12), 2.0)


def _crane(canvas: Canvas, rng: RandomStream) -> None:
    """A gantry crane: legs and machine house on the quay (left), two girders over the ship (right)."""
    paint = vary(rng, rng.choice(((60, 90, 150), (180, 70, 50), (206, 206, 200), (200, 160, 60), (90, 100, 104))), 12)
    canvas.texture[:] = shade(paint, 0.45)
    canvas.box(-0.5, 0.5, -0.5, -0.2, paint)
    canvas.box(-0.5, 0.5, 0.2, 0.5, paint)
    for number in range(7):
        x = -0.47 + 0.15 * number
        canvas.box(x, x + 0.03, -0.5, 0.5, shade(paint, 1.15))
    canvas.box(-0.4, -0.22, -0.5, 0.5, shade(paint, 1.25), 2.0)


def _buoy(canvas: Canvas, rng: RandomStream) -> Points:
    canvas.texture[:] = vary(rng, rng.choice(((220, 200, 60), (200, 70, 50), (226, 226, 220), (60, 110, 70))))
    return _rocky(rng, 0.0, 14)


_RENDERERS: dict[str, Callable[[Canvas, RandomStream], Points | None]] = {
    "containers": _containers, "shed": _shed, "raft": _raft, "breakwater": _breakwater, "rock": _rock,
    "pontoon": _pontoon, "buoy": _buoy, "crane": _crane,
}  # fmt: skip

OVERHEAD = ("crane",)  # kinds that reach over ships
IRREGULAR = ("rock", "breakwater")  # kinds whose outline is not convex


def render_clutter(item: Clutter, shadow: tuple[float, float]) -> tuple[Image, Points]:
    """Renders a thing's texture (rows, columns, 3) and returns it with its outline (K, 2) in unit coordinates.

    `shadow` is the shadow's direction in the thing's frame times the slope.
    """
    rng = RandomStream(item.seed)
    canvas = Canvas(item.length, item.width, shadow)
    outline = _RENDERERS[item.kind](canvas, rng)
    canvas.weather(rng, rng.uniform(0.05, 0.3))
    return canvas.texture, _SQUARE if outline is None else outline
