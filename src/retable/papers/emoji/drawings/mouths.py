"""Mouths: smiles, frowns, straight lines, laughs, bared teeth and tongues."""

from __future__ import annotations

import math
from functools import partial

from retable.papers.emoji.drawings.layout import Layout
from retable.papers.emoji.drawings.shapes import Shape
from retable.papers.emoji.drawings.sketch import Ink, Sketch


def curved_mouth(sketch: Sketch, layout: Layout, upwards: bool) -> tuple[float, float]:
    """Draws a closed mouth that smiles (`upwards`) or frowns.

    Returns:
        Half the width, and the half height (negative for a frown), both of the curve drawn.
    """
    rng = sketch.rng
    half = layout.mouth
    depth = half * rng.log_uniform(0.16, 0.62)
    shape = rng.choice((Shape.ARC, Shape.ARC, Shape.BOW, Shape.BOW, Shape.CUP, Shape.VEE))
    mix = rng.uniform(0.3, 0.8) if shape == Shape.VEE else rng.uniform(0.0, 0.5)
    if half < 0.34 and rng.chance(0.25):  # narrow and deep, a U
        depth = half * rng.uniform(0.6, 1.1)
    depth = min(depth, 0.28)
    tilt, shear = sketch.slip(0.22), sketch.slip(0.4)
    height = depth if upwards else -depth
    sketch.add(
        shape, layout.mouth_x, layout.mouth_y, half, height, tilt, other=Shape.ARC, mix=mix, shear=shear, wobble=0.9
    )
    if rng.chance(0.1):  # the corners end in short strokes
        length = rng.uniform(0.05, 0.12)
        for side in (-1.0, 1.0):
            x = layout.mouth_x + side * half + shear * -depth
            y = layout.mouth_y - height + side * half * tilt
            sketch.line(x - length, y + side * length * 0.6, x + length, y - side * length * 0.6)
    if not sketch.neat and rng.chance(0.05):
        sketch.add(shape, layout.mouth_x, layout.mouth_y, half, height, tilt, other=Shape.ARC, mix=mix, shear=shear)
    return half, height


def straight_mouth(sketch: Sketch, layout: Layout) -> None:
    """A line without expression; steadier than other lines, or it would smile or frown."""
    rng = sketch.rng
    half = layout.mouth * rng.uniform(0.75, 1.2)
    slope = sketch.slip(0.22)
    style = rng.random()
    if 0.82 <= style < 0.92:  # a thin box or lips
        shape = rng.choice((Shape.SQUARE, Shape.SQUARE, Shape.CIRCLE, Shape.ALMOND))
        fill = Ink.DETAIL if rng.chance(0.4) else sketch.tint(Ink.MOUTH)
        sketch.add(shape, layout.mouth_x, layout.mouth_y, half, 0.16 * half, slope, wobble=0.6, fill=fill)
        return
    for _ in range(2 if 0.92 <= style < 0.96 else 1):  # now and then drawn over
        sketch.add(Shape.LINE, layout.mouth_x, layout.mouth_y, half, 0.0, slope, wobble=0.45)
    if style >= 0.96:  # with short strokes at the corners
        for side in (-1.0, 1.0):
            x, y = layout.mouth_x + side * half, layout.mouth_y + side * half * slope
            sketch.line(x, y - 0.07, x, y + 0.07)


def open_mouth(sketch: Sketch, layout: Layout, fullness: float = 1.0) -> None:
    """A laughing mouth: its lower lip hangs far below the upper one; `fullness` is a factor on the height."""
    rng = sketch.rng
    half = max(layout.mouth, 0.26) * rng.uniform(0.95, 1.25)
    depth = min(half * rng.uniform(0.3, 0.75) * fullness, 0.34)
    x, y = layout.mouth_x, layout.mouth_y
    bend, tilt, shear = rng.uniform(-0.1, 0.75), sketch.slip(0.25), sketch.slip(0.3)
    dark = rng.chance(0.3 if sketch.neat else 0.1)
    fill = Ink.DETAIL if dark else sketch.tint(Ink.MOUTH)
    two_strokes = not sketch.neat and rng.chance(0.45)
    shape, mix, other = Shape.BOWL, rng.uniform(0.0, 0.5), rng.choice((Shape.SQUARE, Shape.ALMOND, Shape.TRIANGLE))
    if rng.chance(0.08):
        shape, mix, bend = Shape.CIRCLE, 0.0, 0.0
    if other == Shape.TRIANGLE:
        shape, mix = Shape.BOWL, 0.0
    if two_strokes:
        sketch.add(Shape.LINE, x, y - depth, half, 0.5 * depth, tilt, bend=2.0 * bend, wobble=1.2)
        lower = rng.choice((Shape.BOW, Shape.BOW, Shape.CUP, Shape.VEE))
        part = 0.5 if lower == Shape.VEE else rng.uniform(0.0, 0.4)
        reach = half * rng.uniform(0.8, 1.0)
        lip = depth * (1.0 + 0.4 * max(bend, 0.0))
        sketch.add(lower, x, y + lip - depth, reach, lip, tilt, other=Shape.ARC, mix=part, shear=shear)
    else:
        start = rng.choice((0.0, 0.25, 0.75))
        sweep = 1.0 if sketch.neat else rng.uniform(0.9, 1.06)
        add = partial(sketch.add, other=other, mix=mix, shear=shear, bend=bend)
        add(shape, x, y, half, depth, tilt, start=start, sweep=sweep, fill=fill)
    _inside_of_mouth(sketch, x, y, half, depth, tilt, bend, dark)


def _inside_of_mouth(
    sketch: Sketch, x: float, y: float, half: float, depth: float, tilt: float, bend: float, dark: bool
) -> None:
    """Teeth and tongue of an open mouth."""
    rng = sketch.rng
    ink = Ink.PAPER if dark else Ink.DETAIL
    style = rng.random()
    if style < 0.35:  # the upper teeth's edge
        lower = rng.uniform(0.35, 0.7)
        width = half * (0.95 - 0.25 * lower) * rng.uniform(0.8, 1.0)
        sketch.add(Shape.LINE, x, y + depth * (lower - 1.0), width, 0.5 * depth, tilt, bend=1.7 * bend, ink=ink)
        if rng.chance(0.2):
            for k in range(-2, 3):
                tooth = x + 0.35 * k * half
                top = y - depth * (1.0 - bend * (1.0 - (0.35 * k) ** 2))
                sketch.line(tooth, top, tooth, top + lower * depth, ink)
    elif style < 0.55:  # the tongue, deep inside
        width, height = half * rng.uniform(0.2, 0.45), depth * rng.uniform(0.2, 0.4)
        low = y + depth * (0.9 + 0.5 * max(bend, 0.0)) - height
        fill = sketch.tint(Ink.TONGUE)
        if fill == Ink.NONE and rng.chance(0.6):
            fill = ink
        sketch.add(rng.choice((Shape.CIRCLE, Shape.BLOB)), x, low, width, height, tilt, ink=ink, fill=fill)
    elif style < 0.6 and not sketch.neat and not dark:
        sketch.shade(x, y + 0.3 * depth, 0.9 * half, 0.7 * depth)


def bared_teeth(sketch: Sketch, layout: Layout) -> None:
    """Gritted teeth, or an open mouth whose corners point down."""
    rng = sketch.rng
    half, x, y = layout.mouth, layout.mouth_x, layout.mouth_y
    style = rng.random()
    if style < 0.45:  # a box with teeth
        height = rng.uniform(0.09, 0.2)
        bend = rng.uniform(-0.5, 0.0)
        round_corners = rng.uniform(0.0, 0.7)
        fill = sketch.tint(Ink.WHITE)
        sketch.add(Shape.SQUARE, x, y, half, height, other=Shape.CIRCLE, mix=round_corners, bend=bend, fill=fill)
        teeth = rng.integer(2, 6)
        for k in range(1, teeth):
            tooth = 2.0 * k / teeth - 1.0
            middle = y + height * bend * (1.0 - tooth * tooth)
            sketch.line(x + tooth * half, middle - height, x + tooth * half, middle + height)
        if rng.chance(0.5):
            sketch.add(Shape.LINE, x, y, half, height, bend=bend)
    elif style < 0.75:
        shape = rng.choice((Shape.ZIGZAG, Shape.ZIGZAG, Shape.RIPPLE, Shape.WAVE))
        sketch.add(shape, x, y, half, rng.uniform(0.04, 0.12))
    else:  # shouting
        height = -half * rng.uniform(0.3, 0.7)
        dark = rng.chance(0.3)
        fill = Ink.DETAIL if dark else sketch.tint(Ink.MOUTH)
        sketch.add(Shape.BOWL, x, y, half, max(height, -0.3), bend=rng.uniform(0.0, 0.6), fill=fill)


def tongue(sketch: Sketch, layout: Layout) -> None:
    """A mouth with the tongue out: in the middle, beside it, or licking a corner."""
    rng = sketch.rng
    style = rng.random()
    half, height = layout.mouth, 0.0
    if style < 0.68:
        half, height = curved_mouth(sketch, layout, upwards=True)
    elif style < 0.86:
        sketch.add(Shape.LINE, layout.mouth_x, layout.mouth_y, half, 0.0, rng.triangular(0.15))
    else:
        depth = min(0.5 * half, 0.16)
        height = depth
        fill = sketch.tint(Ink.MOUTH)
        sketch.add(Shape.BOWL, layout.mouth_x, layout.mouth_y, half, depth, bend=rng.uniform(0.0, 0.4), fill=fill)
    at = rng.triangular(0.35) if rng.chance(0.42) else rng.sign() * rng.uniform(0.45, 0.95)
    if style >= 0.86:
        at *= 0.4
    angle = -0.9 * at * rng.uniform(0.0, 1.3) + rng.triangular(0.2)
    width = rng.uniform(0.08, 0.2)
    length = width * rng.uniform(0.9, 2.2)
    # the root lies on the lip, or a little above it
    root = rng.uniform(0.5, 1.0) if style < 0.86 else rng.uniform(0.3, 0.6)
    lip = layout.mouth_y + height * (1.0 - 2.0 * at * at)
    x = layout.mouth_x + at * half - math.sin(angle) * root * length
    y = lip + math.cos(angle) * root * length
    fill = sketch.tint(Ink.TONGUE)
    shaded = False
    if fill == Ink.NONE:
        filling = rng.random()
        fill = Ink.DETAIL if filling < 0.1 else Ink.NONE
        shaded = not sketch.neat and 0.1 <= filling < 0.2
    shape = rng.choice((Shape.CUP, Shape.CUP, Shape.BOW, Shape.CIRCLE, Shape.BOWL, Shape.VEE))
    if not sketch.neat and rng.chance(0.18):
        turn = angle - math.pi / 2
        sketch.add(Shape.LOOP, x, y, length, width, turn, shear=rng.triangular(0.2), start=0.1, sweep=0.8, fill=fill)
    else:
        other = Shape.BOW if shape >= Shape.LINE else Shape.CIRCLE
        shear = sketch.slip(0.4)
        mix = 0.7 if shape == Shape.VEE else rng.uniform(0.0, 0.4)
        sketch.add(shape, x, y, width, length, angle, other=other, mix=mix, shear=shear, fill=fill)
    if shaded:
        sketch.shade(x, y, 0.8 * width, 0.8 * length, angle)
    elif rng.chance(0.5):  # its furrow
        ink = Ink.PAPER if fill == Ink.DETAIL else Ink.DETAIL
        reach = rng.uniform(0.4, 0.9)
        x0, y0 = x + math.sin(angle) * length, y - math.cos(angle) * length
        sketch.line(
            x0, y0, x0 - 1.3 * reach * math.sin(angle) * length, y0 + 1.3 * reach * math.cos(angle) * length, ink
        )
