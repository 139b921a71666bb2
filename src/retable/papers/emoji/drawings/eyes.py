"""Eyes and brows, in all the ways that people draw them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, NamedTuple

from retable.papers.emoji.drawings.layout import Layout
from retable.papers.emoji.drawings.shapes import Shape
from retable.papers.emoji.drawings.sketch import Ink, Sketch
from retable.synthetic.rng import Weighted


class Spot(NamedTuple):
    """Where one eye goes.

    Attributes:
        x: Centre.
        y: Centre.
        side: -1 for the left one of the picture, 1 for the right one.
        size: Factor on the style's own size.
    """

    x: float
    y: float
    side: float
    size: float


Style = Callable[[Sketch, Sequence[Spot]], None]


def place_eyes(sketch: Sketch, layout: Layout) -> list[Spot]:
    """Returns the spots of both eyes: not quite level, not quite of the same size."""
    rng = sketch.rng
    unsteady = 0.0 if sketch.neat else 1.0
    size = rng.uniform(0.8, 1.2)
    return [
        Spot(
            side * layout.eye_x + unsteady * rng.triangular(0.08),
            layout.eye_y + unsteady * rng.triangular(0.1),
            side,
            size * (1.0 + unsteady * rng.triangular(0.25)),
        )
        for side in (-1.0, 1.0)
    ]


def _dots(sketch: Sketch, spots: Sequence[Spot]) -> None:
    rng = sketch.rng
    size, ratio = rng.log_uniform(0.03, 0.16), math.sqrt(rng.log_uniform(0.6, 1.9))
    scribbled = not sketch.neat and rng.chance(0.15)
    for spot in spots:
        width, height = size * spot.size / ratio, size * spot.size * ratio
        if scribbled:
            sketch.shade(spot.x, spot.y, width, height)
        else:
            sketch.add(Shape.CIRCLE, spot.x, spot.y, width, height, fill=Ink.DETAIL)


def _rings(sketch: Sketch, spots: Sequence[Spot]) -> None:
    rng = sketch.rng
    size, ratio = rng.log_uniform(0.07, 0.24), math.sqrt(rng.log_uniform(0.6, 2.2))
    mix, start = rng.uniform(0.0, 0.8), rng.random()
    sweep, fill = 1.0 if sketch.neat else rng.uniform(0.9, 1.1), sketch.tint(Ink.WHITE)
    for x, y, _, factor in spots:
        width, height = size * factor / ratio, size * factor * ratio
        sketch.add(Shape.CIRCLE, x, y, width, height, other=Shape.SQUARE, mix=mix, start=start, sweep=sweep, fill=fill)


def _pupils(sketch: Sketch, spots: Sequence[Spot]) -> None:
    """Rings, almonds or half discs with a pupil that looks somewhere."""
    rng = sketch.rng
    shape = rng.choice((Shape.CIRCLE, Shape.CIRCLE, Shape.CIRCLE, Shape.ALMOND, Shape.BOWL))
    size, ratio = rng.log_uniform(0.12, 0.28), math.sqrt(rng.log_uniform(0.6, 1.8))
    if shape != Shape.CIRCLE:
        ratio = math.sqrt(rng.uniform(0.4, 0.8))
    upwards = -1.0 if shape == Shape.BOWL and rng.chance(0.7) else 1.0
    gaze_x, gaze_y, pupil = rng.triangular(0.4), rng.triangular(0.4), rng.uniform(0.2, 0.5)
    for spot in spots:
        width, height = size * spot.size / ratio, size * spot.size * ratio
        sketch.add(shape, spot.x, spot.y, width, upwards * height, fill=sketch.tint(Ink.WHITE))
        dot = pupil * min(width, height)
        sketch.add(Shape.CIRCLE, spot.x + gaze_x * width, spot.y + gaze_y * height, dot, dot, fill=Ink.DETAIL)


def _lashes(sketch: Sketch, spots: Sequence[Spot]) -> None:
    """Open eyes with lashes."""
    rng = sketch.rng
    _pupils(sketch, spots)
    count, length = rng.integer(2, 4), rng.uniform(0.08, 0.16)
    for spot in spots:
        for k in range(count):
            angle = (k + 0.5) / count * 2.2 - 1.1 + 0.3 * spot.side
            x, y = spot.x + 0.2 * math.sin(angle), spot.y - 0.2 * math.cos(angle)
            sketch.line(x, y, x + length * math.sin(angle), y - length * math.cos(angle))


def _bars(sketch: Sketch, spots: Sequence[Spot]) -> None:
    """Upright strokes or tall filled ellipses."""
    rng = sketch.rng
    height, full = rng.log_uniform(0.08, 0.24), rng.chance(0.4)
    slant = sketch.slip(0.25)
    for spot in spots:
        if full:
            sketch.add(Shape.CIRCLE, spot.x, spot.y, 0.4 * height, height * spot.size, slant, fill=Ink.DETAIL)
        else:
            sketch.add(Shape.LINE, spot.x, spot.y, height * spot.size, 0.0, math.pi / 2 + slant)


def _crosses(sketch: Sketch, spots: Sequence[Spot]) -> None:
    rng = sketch.rng
    size, opening = rng.log_uniform(0.08, 0.2), rng.uniform(0.55, 1.0)
    for spot in spots:
        reach = size * spot.size
        for angle in (opening, -opening):
            sketch.add(Shape.LINE, spot.x, spot.y, reach, 0.0, angle + sketch.slip(0.15))


def _dashes(sketch: Sketch, spots: Sequence[Spot]) -> None:
    rng = sketch.rng
    size, full = rng.log_uniform(0.09, 0.22), rng.chance(0.2)
    for spot in spots:
        slope = sketch.slip(0.15)
        if full:
            sketch.add(Shape.SQUARE, spot.x, spot.y, size * spot.size, 0.35 * size, slope, fill=Ink.DETAIL)
        else:
            sketch.add(Shape.LINE, spot.x, spot.y, size * spot.size, 0.0, slope)


def _squares(sketch: Sketch, spots: Sequence[Spot]) -> None:
    rng = sketch.rng
    size, full = rng.log_uniform(0.07, 0.18), rng.chance(0.4)
    for spot in spots:
        side = size * spot.size
        sketch.add(Shape.SQUARE, spot.x, spot.y, side, side, fill=Ink.DETAIL if full else sketch.tint(Ink.WHITE))


def _spirals(sketch: Sketch, spots: Sequence[Spot]) -> None:
    size = sketch.rng.uniform(0.12, 0.22)
    for spot in spots:
        sketch.add(Shape.SPIRAL, spot.x, spot.y, spot.side * size * spot.size, size * spot.size)


def arched_eyes(sketch: Sketch, spots: Sequence[Spot], up: bool | None = None) -> None:
    """Closed eyes as arcs: cheerful ones that arch `up`, or calm ones that hang; None leaves it to chance."""
    rng = sketch.rng
    above = rng.chance(0.8) if up is None else up
    shape = rng.choice((Shape.ARC, Shape.BOW, Shape.BOW, Shape.VEE))
    width, depth = rng.log_uniform(0.09, 0.22), rng.uniform(0.45, 1.3)
    mix, twice = rng.uniform(0.0, 0.6), not sketch.neat and rng.chance(0.07)
    for spot in spots:
        height = (-1.0 if above else 1.0) * 0.7 * depth * width * spot.size * (1.0 + rng.triangular(0.3))
        shear = sketch.slip(0.5)
        for _ in range(2 if twice else 1):
            reach, angle = width * spot.size, rng.triangular(0.25)
            sketch.add(shape, spot.x, spot.y, reach, height, angle, other=Shape.ARC, mix=mix, shear=shear)


def squeezed_eyes(sketch: Sketch, spots: Sequence[Spot]) -> None:
    """Eyes squeezed shut, > <."""
    rng = sketch.rng
    size, opening = rng.log_uniform(0.08, 0.18), rng.uniform(0.5, 1.1)
    lidded = rng.chance(0.2)
    for spot in spots:
        height = 0.8 * size * spot.size
        sketch.add(Shape.VEE, spot.x, spot.y, opening * size * spot.size, height, spot.side * math.pi / 2)
        if lidded:
            sketch.add(Shape.LINE, spot.x + spot.side * 0.05, spot.y, height, 0.0)


def tired_eyes(sketch: Sketch, spots: Sequence[Spot]) -> None:
    """Lines under hanging lids."""
    rng = sketch.rng
    size, slant, gap = rng.uniform(0.12, 0.22), rng.uniform(0.1, 0.7), rng.uniform(0.12, 0.2)
    for spot in spots:
        sketch.add(Shape.LINE, spot.x, spot.y, size * spot.size, 0.0, rng.triangular(0.1))
        sketch.add(Shape.ARC, spot.x, spot.y - gap, size, 0.35 * size, spot.side * slant)


def shut_eye(sketch: Sketch, spot: Spot) -> None:
    """One eye closed in a wink."""
    rng = sketch.rng
    width = rng.log_uniform(0.1, 0.24)
    style = rng.random()
    if style < 0.3:  # a line, seldom level
        sketch.add(Shape.LINE, spot.x, spot.y, width, 0.0, rng.triangular(0.35))
    elif style < 0.42:
        sketch.add(Shape.VEE, spot.x, spot.y, 0.7 * width, 0.8 * width, spot.side * math.pi / 2 + rng.triangular(0.2))
    else:
        apex = rng.sign() * rng.uniform(0.25, 0.8) * width
        shape = rng.choice((Shape.ARC, Shape.BOW, Shape.BOW))
        sketch.add(shape, spot.x, spot.y, width, apex, rng.triangular(0.3), shear=sketch.slip(0.4))
        if rng.chance(0.15):  # lashes
            for k in (-1.0, 0.0, 1.0):
                x, y = spot.x + 0.7 * k * width, spot.y + max(apex, 0.0) + 0.02
                sketch.line(x, y, x + 0.05 * k, y + 0.1)


# an eye that no one takes for a closed one, beside the closed one of a wink
wide_open: Final = Weighted[Style](
    (_dots, 0.42), (_rings, 0.16), (_pupils, 0.22), (_lashes, 0.05), (_bars, 0.11), (_squares, 0.04)
).draw
open_eyes: Final = Weighted[Style](
    (_dots, 0.34),
    (_rings, 0.12),
    (_pupils, 0.13),
    (_lashes, 0.02),
    (_bars, 0.12),
    (_crosses, 0.1),
    (_dashes, 0.12),
    (_squares, 0.03),
    (_spirals, 0.02),
).draw


def mismatched_eyes(sketch: Sketch, spots: Sequence[Spot]) -> None:
    """Two different eyes that are not a wink: both wide open, or neither."""
    pair = [_crosses, _dashes] if sketch.rng.chance(0.6) else [_rings, _dots]
    if sketch.rng.chance(0.5):
        pair.reverse()
    for style, spot in zip(pair, spots, strict=True):
        style(sketch, [spot])


def calm_brows(sketch: Sketch, spots: Sequence[Spot], worried: float = 0.25) -> None:
    """Brows that are level, raised, or worried (outer ends hang, by up to so many radians), never drawn together."""
    rng = sketch.rng
    shape = rng.choice((Shape.LINE, Shape.ARC, Shape.ARC, Shape.BOW, Shape.WAVE))
    width, height = rng.uniform(0.12, 0.26), -rng.uniform(0.02, 0.1)
    gap, slant = rng.uniform(0.22, 0.42), rng.uniform(-0.04, worried)
    for spot in spots:
        y = spot.y - gap * (1.0 if sketch.neat else rng.uniform(0.8, 1.2))
        sketch.add(shape, spot.x * rng.uniform(0.95, 1.2), y, spot.side * width, height, spot.side * slant)


def angry_brows(sketch: Sketch, spots: Sequence[Spot], joined: bool = False, alone: bool = False) -> None:
    """Brows whose inner ends point down, towards the nose; `joined` in one stroke, or `alone`, without eyes under them.

    Those that are alone are eye and brow in one, and often short.
    """
    rng = sketch.rng
    shape = rng.choice(
        (Shape.LINE, Shape.HOOK, Shape.HOOK) if alone else (Shape.LINE, Shape.LINE, Shape.ARC, Shape.HOOK)
    )
    width, gap = rng.uniform(0.16, 0.34), rng.uniform(0.08, 0.3)
    if alone:
        width, gap = rng.log_uniform(0.12, 0.34), rng.uniform(-0.08, 0.12)
    slant, bend = rng.uniform(0.4, 1.0), rng.triangular(0.1)
    thickness, outwards = 1.8 if rng.chance(0.12) else 1.0, rng.uniform(-0.06, 0.16)
    if joined:
        y = min(spot.y for spot in spots) - gap
        sketch.add(Shape.VEE, 0.0, y, rng.uniform(0.35, 0.6), rng.uniform(0.12, 0.25))
        return
    for spot in spots:
        angle, reach = slant * (1.0 if sketch.neat else rng.uniform(0.8, 1.2)), width * spot.size
        height = bend
        if shape == Shape.HOOK:  # falls by itself
            angle, height = angle - 0.4, rng.uniform(0.3, 0.75) * reach
        x, y = spot.x + spot.side * outwards, spot.y - gap
        sweep = 1.0 if sketch.neat else rng.uniform(0.85, 1.0)
        sketch.add(shape, x, y, -spot.side * reach, height, -spot.side * angle, line=thickness, sweep=sweep)
        if shape == Shape.LINE and not sketch.neat and rng.chance(0.25):  # the inner end runs on into the eye
            inner, low = x - spot.side * math.cos(angle) * reach, y + math.sin(angle) * reach
            sketch.line(inner, low, inner + 0.02 * spot.side, low + 0.12)


def glaring_eyes(sketch: Sketch, spots: Sequence[Spot]) -> None:
    """Eyes that slanted lids cut off, with or without a pupil."""
    rng = sketch.rng
    size, slant, full = rng.uniform(0.13, 0.25), rng.uniform(0.35, 0.75), rng.chance(0.3)
    brow = rng.uniform(1.0, 1.6)
    for spot in spots:
        angle, reach = -spot.side * slant, size * spot.size
        fill = Ink.DETAIL if full else sketch.tint(Ink.WHITE)
        sketch.add(Shape.BOWL, spot.x, spot.y, reach, 0.7 * reach, angle, fill=fill)
        if not full:
            sketch.add(Shape.CIRCLE, spot.x, spot.y, 0.25 * reach, 0.25 * reach, fill=Ink.DETAIL)
        if brow > 1.2:
            x, y = spot.x + 0.75 * reach * math.sin(angle), spot.y - 0.75 * reach * math.cos(angle)
            sketch.add(Shape.LINE, x, y, brow * reach, 0.0, angle)


def heart_eyes(sketch: Sketch, spots: Sequence[Spot]) -> None:
    """Hearts, from careful ones to two hurried humps that never close."""
    rng = sketch.rng
    shape = rng.choice((Shape.HEART, Shape.HEART, Shape.SHARP_HEART, Shape.SHARP_HEART, Shape.ANGULAR_HEART))
    width, ratio = rng.uniform(0.13, 0.32), rng.uniform(0.8, 1.5)
    tilt = rng.triangular(0.3)
    careless = not sketch.neat and rng.chance(0.5)
    style = rng.random()
    full, shaded = style < (0.35 if sketch.neat else 0.1), not sketch.neat and style > 0.93
    fill = Ink.HEART if sketch.coloured and rng.chance(0.85) else Ink.DETAIL if full else Ink.NONE
    start, other = rng.choice((0.0, 0.0, 0.5)), rng.choice((Shape.CIRCLE, Shape.DIAMOND, Shape.SQUARE))
    for spot in spots:
        reach = width * spot.size
        angle = tilt * spot.side if rng.chance(0.5) else tilt
        if sketch.neat:
            sketch.add(shape, spot.x, spot.y, reach, reach * ratio, fill=fill)
            continue
        if careless and fill == Ink.NONE and rng.chance(0.3):
            sketch.add(Shape.EM, spot.x, spot.y, reach, reach * ratio, angle, shear=rng.triangular(0.4))
            continue
        wide, tall = reach * (1.0 + rng.triangular(0.2)), reach * ratio * (1.0 + rng.triangular(0.2))
        turn, mix, shear = angle + rng.triangular(0.3), rng.uniform(0.0, 0.3), rng.triangular(0.35)
        sweep = rng.uniform(0.82, 1.02) if careless else rng.uniform(0.96, 1.04)
        wobble = rng.uniform(1.0, 2.2) if careless else 1.0
        add = partial(sketch.add, other=other, start=start, fill=fill)
        add(shape, spot.x, spot.y, wide, tall, turn, mix=mix, shear=shear, sweep=sweep, wobble=wobble)
        if shaded:
            sketch.shade(spot.x, spot.y, 0.85 * reach, 0.8 * reach * ratio)
