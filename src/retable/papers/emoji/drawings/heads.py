"""Heads, and all that people draw at, on and around them without meaning anything by it."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Final

from retable.papers.emoji.drawings.layout import Layout
from retable.papers.emoji.drawings.shapes import Shape
from retable.papers.emoji.drawings.sketch import Frame, Ink, Sketch
from retable.synthetic.rng import Weighted

_draw_shape: Final = Weighted(
    (Shape.CIRCLE, 0.56),
    (Shape.SQUARE, 0.12),
    (Shape.BLOB, 0.12),
    (Shape.BEAN, 0.12),
    (Shape.DROP, 0.03),
    (Shape.DIAMOND, 0.02),
    (Shape.TRIANGLE, 0.02),
    (Shape.CLOUD, 0.01),
).draw
_NEAT_SHAPES = (Shape.CIRCLE,) * 7 + (Shape.SQUARE,)
_WAYS_TO_BEGIN = (0.0, 0.0, 0.5, 0.75)  # top, bottom, left


def draw_head(sketch: Sketch, outlined: bool) -> None:
    """Draws the head: round by and large, seldom closed exactly; without an outline only coloured ones are seen."""
    rng = sketch.rng
    fill = sketch.tint(Ink.SKIN)
    if not outlined and fill == Ink.NONE:
        return
    line = (1.0 if rng.chance(0.85) else rng.uniform(0.7, 2.0)) if outlined else 0.0
    if sketch.neat:
        shape, other, taper, start, sweep = rng.choice(_NEAT_SHAPES), Shape.CIRCLE, 0.0, 0.0, 1.0
        mix = rng.uniform(0.0, 0.7) if shape == Shape.SQUARE else 0.0
    else:
        shape = _draw_shape(rng)
        other = rng.choice((Shape.SQUARE, Shape.BLOB, Shape.BEAN, Shape.DROP))
        mix = rng.uniform(0.0, 0.4)
        if shape in (Shape.SQUARE, Shape.DROP, Shape.DIAMOND, Shape.TRIANGLE):
            other = Shape.CIRCLE
            mix = rng.uniform(0.0 if shape == Shape.SQUARE else 0.35, 0.8)
        taper = rng.triangular(0.2)
        start = rng.choice(_WAYS_TO_BEGIN) + rng.triangular(0.1)
        sweep = rng.uniform(0.8, 0.95) if rng.chance(0.12) else rng.uniform(0.95, 1.12)
    width = rng.sign() if shape in (Shape.BLOB, Shape.BEAN) else 1.0
    outlines = [(start, sweep, fill)]
    if outlined and not sketch.neat and rng.chance(0.1):  # drawn over again
        outlines.append((start + rng.triangular(0.2), rng.uniform(0.5, 1.1), Ink.NONE))
    for begin, part, inside in outlines:
        add = partial(_on_head(sketch), other=other, mix=mix, taper=taper, line=line)
        add(shape, 0.0, 0.0, width, 1.0, start=begin, sweep=part, fill=inside)


def _on_head(sketch: Sketch) -> Callable[..., None]:
    """Returns `Sketch.add` for the lines of the head and of what is on it."""
    return partial(sketch.add, ink=Ink.LINE, frame=Frame.HEAD)


def _hair(sketch: Sketch, _: Layout) -> None:
    """A fringe, a tuft, curls, or single hairs."""
    rng, add = sketch.rng, _on_head(sketch)
    style = rng.random()
    if style < 0.3:
        shape = rng.choice((Shape.ZIGZAG, Shape.CURLS, Shape.RIPPLE))
        y, height, bend = rng.uniform(-1.05, -0.75), rng.uniform(0.08, 0.22), rng.uniform(-2.0, 0.5)
        add(shape, 0.0, y, rng.uniform(0.4, 0.8), height, bend=bend)
    elif style < 0.75:
        count, spread, length = rng.integer(1, 7), rng.uniform(0.2, 0.9), rng.uniform(0.12, 0.4)
        lean = rng.triangular(0.6)
        for k in range(count):
            angle = spread * ((2 * k + 1) / count - 1.0)
            x, y = math.sin(angle), -math.cos(angle)
            reach, shape = length * rng.uniform(0.7, 1.3), rng.choice((Shape.LINE, Shape.HOOK))
            out = 0.95 + 0.5 * reach
            add(shape, x * out, y * out, 0.5 * reach, 0.15 * reach, angle - math.pi / 2 + lean)
    else:  # long, down both sides
        low, width = rng.uniform(0.3, 1.1), rng.uniform(1.0, 1.2)
        for side in (-1.0, 1.0):
            for k in range(rng.integer(1, 2)):
                x = side * (width + 0.12 * k)
                add(Shape.HOOK, x - side * 0.25, low / 2 - 0.4, side * 0.35, low / 2 + 0.45)


def _ears(sketch: Sketch, _: Layout) -> None:
    rng, add = sketch.rng, _on_head(sketch)
    fill = sketch.tint(Ink.SKIN)
    if rng.chance(0.7):
        width, height, y = rng.uniform(0.08, 0.22), rng.uniform(0.12, 0.32), rng.uniform(-0.35, 0.15)
        shape = rng.choice((Shape.CIRCLE, Shape.LOOP, Shape.BOW))
        for side in (-1.0, 1.0):
            x = side * (1.0 + 0.6 * width)
            if shape == Shape.CIRCLE:
                add(shape, x, y, width, height, fill=fill)
            elif shape == Shape.BOW:
                add(shape, x, y, height, width, -side * math.pi / 2, fill=fill)
            else:
                add(shape, x, y, -side * width, height, fill=fill)
    else:  # on top
        size = rng.uniform(0.15, 0.32)
        shape = rng.choice((Shape.TRIANGLE, Shape.CIRCLE, Shape.VEE))
        upwards = -1.0 if shape == Shape.VEE else 1.0
        for side in (-1.0, 1.0):
            # above the head: inside, their lines would be angry brows
            at, angle = side * rng.uniform(0.6, 0.75), side * rng.uniform(0.1, 0.5)
            add(shape, at, -0.8 - 0.7 * size, size, upwards * size, angle, fill=fill)


def _hat(sketch: Sketch, _: Layout) -> None:
    rng = sketch.rng
    fill = sketch.tint(Ink.CLOTH)
    width, height = rng.uniform(0.35, 0.75), rng.uniform(0.15, 0.35)
    shape = rng.choice((Shape.SQUARE, Shape.TRIANGLE, Shape.CIRCLE, Shape.ZIGZAG))
    base = -0.85
    _on_head(sketch)(shape, 0.0, base - height, width, height, fill=fill)
    if rng.chance(0.6):
        brim = min(width * rng.uniform(1.2, 1.7), 1.0)
        sketch.line(-brim, base, brim, base, Ink.LINE, Frame.HEAD)


def _nose(sketch: Sketch, layout: Layout) -> None:
    rng = sketch.rng
    x, y = layout.mouth_x + rng.triangular(0.06), 0.5 * (layout.eye_y + layout.mouth_y) - rng.uniform(0.02, 0.1)
    size = rng.uniform(0.05, 0.17)
    style = rng.random()
    if style < 0.4:
        sketch.add(Shape.LINE, x, y, size, 0.0, math.pi / 2 + rng.triangular(0.2))
    elif style < 0.6:
        sketch.add(Shape.ANGLE, x, y, rng.sign() * 0.5 * size, size)
    elif style < 0.75:
        sketch.add(Shape.NOSE, x, y, rng.sign() * 0.7 * size, size)
    elif style < 0.85:
        fill = Ink.DETAIL if rng.chance(0.5) else Ink.NONE
        sketch.add(rng.choice((Shape.CIRCLE, Shape.TRIANGLE)), x, y, 0.6 * size, 0.6 * size, fill=fill)
    else:
        for side in (-1.0, 1.0):
            sketch.add(Shape.CIRCLE, x + side * 0.06, y, 0.02, 0.02, fill=Ink.DETAIL)


def _cheeks(sketch: Sketch, _: Layout) -> None:
    rng = sketch.rng
    x, y = rng.uniform(0.55, 0.72), rng.uniform(0.05, 0.25)
    width = rng.uniform(0.09, 0.19)
    height = width * rng.uniform(0.45, 0.85)  # wide: tears are tall
    style = rng.choice(("oval", "oval", "full", "lines", "dots", "spiral"))
    for side in (-1.0, 1.0):
        if style in ("oval", "full"):
            fill = sketch.tint(Ink.CHEEK)
            line = 0.0 if fill != Ink.NONE and rng.chance(0.7) else 1.0
            if style == "full":
                fill = Ink.DETAIL
            sketch.add(Shape.CIRCLE, side * x, y, width, height, line=line, fill=fill, frame=Frame.HEAD)
        elif style == "lines":
            for k in (-1.0, 0.0, 1.0):
                at = side * x + 0.08 * k
                sketch.line(at + 0.03, y - 0.06, at - 0.03, y + 0.06, frame=Frame.HEAD)
        elif style == "dots":
            for dx, dy in ((-0.07, 0.0), (0.06, -0.05), (0.02, 0.07)):
                sketch.add(Shape.CIRCLE, side * x + dx, y + dy, 0.012, 0.012, frame=Frame.HEAD)
        else:
            sketch.add(Shape.SPIRAL, side * x, y, side * width, height, sweep=0.7, frame=Frame.HEAD)


def _body(sketch: Sketch, _: Layout) -> None:
    """A neck, shoulders, or a stick figure's trunk."""
    rng = sketch.rng
    style = rng.random()
    if style < 0.35:
        sketch.line(0.0, 1.0, rng.triangular(0.2), rng.uniform(1.3, 2.2), Ink.LINE, Frame.HEAD)
        return
    half = rng.uniform(0.15, 0.4)
    for side in (-1.0, 1.0):
        sketch.line(side * half, 0.95, side * half, 1.0 + rng.uniform(0.1, 0.3), Ink.LINE, Frame.HEAD)
    if style < 0.7:
        _on_head(sketch)(Shape.BOW, 0.0, 1.6, rng.uniform(0.8, 1.4), -0.4)
    elif style < 0.85:  # a bow tie
        for side in (-1.0, 1.0):
            fill = sketch.tint(Ink.CLOTH)
            _on_head(sketch)(Shape.TRIANGLE, side * 0.2, 1.1, 0.14, 0.2, -side * math.pi / 2, fill=fill)


def _wrinkles(sketch: Sketch, _: Layout) -> None:
    rng = sketch.rng
    shape, width = rng.choice((Shape.LINE, Shape.WAVE, Shape.RIPPLE)), rng.uniform(0.15, 0.4)
    for k in range(rng.integer(1, 3)):
        sketch.add(shape, rng.triangular(0.1), -0.84 + 0.1 * k, width, 0.025, frame=Frame.HEAD)


def _marks(sketch: Sketch, _: Layout) -> None:
    """Something else on the page: a stroke, a star, a signature, a frame, a neighbour's edge."""
    rng, add = sketch.rng, partial(sketch.add, ink=Ink.LINE, frame=Frame.PAGE)
    style = rng.random()
    side, low = rng.sign(), rng.sign()
    x, y = side * rng.uniform(0.8, 0.98), low * rng.uniform(0.8, 0.98)
    size = rng.uniform(0.05, 0.2)
    if style < 0.3:
        shape = rng.choice((Shape.LINE, Shape.HOOK, Shape.WAVE, Shape.VEE, Shape.LOOP, Shape.SPIRAL, Shape.HATCHING))
        add(shape, x, y, size, size, rng.uniform(-3.0, 3.0))
    elif style < 0.45:
        add(rng.choice((Shape.STAR, Shape.CIRCLE, Shape.SQUARE)), x, y, size, size)
    elif style < 0.6:  # a signature
        shape = rng.choice((Shape.CURLS, Shape.RIPPLE, Shape.ZIGZAG))
        add(shape, 0.7 * x, y, rng.uniform(0.15, 0.3), 0.06)
    elif style < 0.7:
        add(Shape.SQUARE, 0.0, 0.0, 0.98, 0.98)
    elif style < 0.85:  # whatever stood beside it
        at, angle = rng.triangular(0.9), rng.choice((0.0, math.pi / 2))
        place = (side, at) if angle == 0.0 else (at, side)
        add(Shape.LINE, *place, rng.uniform(0.05, 0.3), 0.0, angle)
    else:
        reach = rng.uniform(0.3, 0.7)
        add(Shape.CIRCLE, 1.2 * side * (1.0 + 0.6 * reach), y, reach, reach)


_draw_extra: Final = Weighted[Callable[[Sketch, Layout], None]](
    (_hair, 0.25),
    (_ears, 0.15),
    (_hat, 0.06),
    (_nose, 0.24),
    (_cheeks, 0.14),
    (_body, 0.05),
    (_wrinkles, 0.04),
    (_marks, 0.07),
).draw


def draw_extras(sketch: Sketch, layout: Layout, most: int) -> None:
    """Draws parts that mean nothing, so many at `most`; few are more frequent than many."""
    rng = sketch.rng
    count = int(rng.random() ** 2 * (most + 1))
    for extra in dict.fromkeys(_draw_extra(rng) for _ in range(count)):  # each kind once, in the order drawn
        extra(sketch, layout)
