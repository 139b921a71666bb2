"""Tears of joy: at the eyes, beside them, or running down."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Final

from retable.papers.emoji.drawings.eyes import Spot, Style
from retable.papers.emoji.drawings.shapes import Shape
from retable.papers.emoji.drawings.sketch import Ink, Sketch
from retable.synthetic.rng import Weighted


def draw_tears(sketch: Sketch, spots: Sequence[Spot]) -> None:
    """Draws tears at both eyes, seldom at one."""
    rng = sketch.rng
    if not sketch.neat and rng.chance(0.08):
        spots = [rng.choice(spots)]
    _draw_style(rng)(sketch, spots)


def _drop(
    sketch: Sketch, shape: Shape, x: float, y: float, width: float, height: float, angle: float, fill: Ink
) -> None:
    rng = sketch.rng
    if shape == Shape.LOOP:  # lies on its side
        turn, shear = angle - math.pi / 2, rng.triangular(0.2)
        sketch.add(shape, x, y, -height, width, turn, shear=shear, start=0.06, sweep=0.88, fill=fill)
    elif sketch.neat or shape in (Shape.CUP, Shape.BOW):
        sketch.add(shape, x, y, width, height, angle, fill=fill)
    else:
        sweep, mix = rng.uniform(0.88, 1.05), rng.uniform(0.0, 0.3)
        add = partial(sketch.add, other=Shape.CIRCLE, mix=mix, sweep=sweep, shear=rng.triangular(0.3))
        add(shape, x, y, width, height, angle, fill=fill)


def _filling(sketch: Sketch) -> tuple[Ink, bool]:
    """Returns how this drawing fills its drops: with an ink, and whether with a scribble."""
    rng = sketch.rng
    fill = sketch.tint(Ink.TEAR)
    if fill != Ink.NONE or rng.chance(0.75):
        return fill, False
    return (Ink.DETAIL, False) if sketch.neat or rng.chance(0.6) else (Ink.NONE, True)


def _beside(sketch: Sketch, spots: Sequence[Spot]) -> None:
    """Large drops that hang from the outer corners, often across the head's outline."""
    rng = sketch.rng
    shape = rng.choice((Shape.DROP, Shape.DROP, Shape.DROP, Shape.CIRCLE, Shape.ALMOND, Shape.LOOP, Shape.LOOP))
    width, ratio = rng.uniform(0.08, 0.17), rng.uniform(1.2, 2.1)
    away, down, turn = rng.uniform(0.22, 0.55), rng.uniform(0.02, 0.42), rng.uniform(0.1, 1.4)
    if rng.chance(0.25):  # on their way down, beside the mouth
        away, down, turn = rng.uniform(0.1, 0.4), rng.uniform(0.4, 0.65), rng.uniform(0.0, 1.0)
    fill, shaded = _filling(sketch)
    for spot in spots:
        x, y = spot.x + spot.side * away, spot.y + down
        angle = -spot.side * turn + sketch.slip(0.3)
        _drop(sketch, shape, x, y, width * spot.size, ratio * width * spot.size, angle, fill)
        if shaded:
            sketch.shade(x, y, width, ratio * width, angle)


def _below(sketch: Sketch, spots: Sequence[Spot]) -> None:
    """Drops that roll over the cheeks."""
    rng = sketch.rng
    shape = rng.choice((Shape.DROP, Shape.DROP, Shape.CIRCLE, Shape.CUP, Shape.LOOP))
    width, ratio, count = rng.uniform(0.05, 0.12), rng.uniform(1.2, 2.0), rng.choice((1, 1, 1, 2, 3))
    out, down = rng.uniform(0.0, 0.22), rng.uniform(0.2, 0.34)
    fill, shaded = _filling(sketch)
    for spot in spots:
        for k in range(count):
            x, y = spot.x + spot.side * (out + 0.05 * k), spot.y + down + 2.3 * width * ratio * k
            _drop(sketch, shape, x, y, width, ratio * width, sketch.slip(0.3), fill)
            if shaded:
                sketch.shade(x, y, width, ratio * width)


def _streams(sketch: Sketch, spots: Sequence[Spot]) -> None:
    """Tears that run down in lines."""
    rng = sketch.rng
    shape = rng.choice((Shape.LINE, Shape.LINE, Shape.WAVE, Shape.RIPPLE))
    length, lines = rng.uniform(0.18, 0.4), rng.integer(1, 3)
    gap, fan = rng.uniform(0.06, 0.12), rng.uniform(0.0, 0.4)
    for spot in spots:
        for k in range(lines):
            x = spot.x + spot.side * (0.08 + gap * k)
            sketch.add(shape, x, spot.y + 0.1 + length, length, 0.03, math.pi / 2 - spot.side * fan, ink=Ink.DETAIL)


def _splashes(sketch: Sketch, spots: Sequence[Spot]) -> None:
    """Small drops that fly off."""
    rng = sketch.rng
    shape = rng.choice((Shape.DROP, Shape.CIRCLE, Shape.LINE))
    count, size = rng.integer(2, 4), rng.uniform(0.05, 0.09)
    fill, _ = _filling(sketch)
    for spot in spots:
        for k in range(count):
            x = spot.x + spot.side * rng.uniform(0.25, 0.6)
            y = spot.y + 0.17 * (k - 0.5) + rng.triangular(0.05)
            if shape == Shape.LINE:
                sketch.add(shape, x, y, 1.3 * size, 0.0, spot.side * (0.3 * k - 0.2))
            else:
                _drop(sketch, shape, x, y, 0.7 * size, 1.3 * size, -spot.side * 0.8, fill)


_draw_style: Final = Weighted[Style]((_beside, 0.62), (_below, 0.22), (_streams, 0.09), (_splashes, 0.07)).draw
