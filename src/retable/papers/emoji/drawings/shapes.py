"""The alphabet of the drawings: shapes in the square [-1, 1]², each with the same number of points.

x points right and y down. Closed shapes start at the top and run clockwise on screen, open ones run from left to right
or from the top down. Since all have equally many points, two shapes can be mixed point by point: half a circle and half
a square is a square with round corners.
"""

from __future__ import annotations

import math
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STEPS: Final = 64  # intervals of equal length on a shape


class Shape(IntEnum):
    """Names of the shapes, as rows of `SHAPES`. The first fourteen are closed."""

    CIRCLE = 0
    SQUARE = 1
    TRIANGLE = 2
    DIAMOND = 3
    HEART = 4  # round
    SHARP_HEART = 5  # two half circles over a straight point
    ANGULAR_HEART = 6
    DROP = 7  # its tip on top
    BOWL = 8  # a half disc under a straight line: the open mouth
    ALMOND = 9
    BLOB = 10
    BEAN = 11
    CLOUD = 12
    STAR = 13
    LINE = 14
    ARC = 15  # a parabola, its apex below: the smile
    BOW = 16  # half a circle, its apex below
    VEE = 17
    CUP = 18  # straight sides and a round bottom
    HOOK = 19  # flat at first, then ever steeper downwards: a brow that bends into the eye
    WAVE = 20
    RIPPLE = 21  # several waves
    ZIGZAG = 22
    CURLS = 23
    SPIRAL = 24
    HATCHING = 25  # a zigzag that fills a disc
    LOOP = 26  # a knot's loop that opens to the right
    EM = 27  # the letter, as hearts drawn in a hurry
    ANGLE = 28  # down, then right: a nose
    NOSE = 29  # down, a round tip, and back


CLOSED: Final = tuple(shape < Shape.LINE for shape in Shape)

_STEPS = np.linspace(0.0, 1.0, 513)
_TURN = math.tau * _STEPS
_X = 2.0 * _STEPS - 1.0


def _finish(x: Floats, y: Floats) -> Floats:
    """Stretches a polyline to fill [-1, 1]², and puts its points at equal distances."""
    points = np.stack([x, y], axis=1)
    low, high = points.min(axis=0), points.max(axis=0)
    points = (2.0 * points - low - high) / np.where(high > low, high - low, 1.0)
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    marks = np.linspace(0.0, along[-1], STEPS + 1)
    return np.stack([np.interp(marks, along, points[:, axis]) for axis in (0, 1)], axis=1)


def _polar(radius: Floats) -> Floats:
    return _finish(radius * np.sin(_TURN), -radius * np.cos(_TURN))


def _corners(*points: tuple[float, float]) -> Floats:
    return _finish(*np.array(points, dtype=np.float64).T)


def _spline(*points: tuple[float, float]) -> Floats:
    """Puts a Catmull-Rom spline through points."""
    knots = np.array([points[0], *points, points[-1]], dtype=np.float64)
    t = np.linspace(0.0, 1.0, 33)[:, None]
    pieces = [
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        for a, b, c, d in zip(knots[:-3], knots[1:-2], knots[2:-1], knots[3:], strict=True)
    ]
    return _finish(*np.concatenate(pieces).T)


def _symmetric(x: Floats, y: Floats) -> Floats:
    """Closes a right half, given from the top down, with its mirror image."""
    return _finish(np.concatenate([x, -x[::-1]]), np.concatenate([y, y[::-1]]))


def _hatching(lines: int) -> Floats:
    level = np.repeat(np.linspace(-0.96, 0.96, lines), 2)
    side = np.resize([-1.0, 1.0, 1.0, -1.0], 2 * lines)
    return _finish(side * np.sqrt(1.0 - level**2), level)


def _make_shapes() -> dict[Shape, Floats]:
    quarter = 0.25 * _TURN
    half = 0.5 * _TURN
    sine, cosine = np.sin, np.cos
    heart = 13 * cosine(_TURN) - 5 * cosine(2 * _TURN) - 2 * cosine(3 * _TURN) - cosine(4 * _TURN)
    return {
        Shape.CIRCLE: _polar(np.ones_like(_TURN)),
        Shape.SQUARE: _corners((0, -1), (1, -1), (1, 1), (-1, 1), (-1, -1), (0, -1)),
        Shape.TRIANGLE: _corners((0, -1), (1, 1), (-1, 1), (0, -1)),
        Shape.DIAMOND: _corners((0, -1), (1, 0), (0, 1), (-1, 0), (0, -1)),
        Shape.HEART: _finish(16 * sine(_TURN) ** 3, -heart),
        Shape.SHARP_HEART: _symmetric(
            np.append(0.5 - 0.5 * cosine(half), 0.0), np.append(-0.4 - 0.6 * sine(half), 1.0)
        ),
        Shape.ANGULAR_HEART: _corners((0, -0.3), (0.5, -1), (1, -0.5), (0, 1), (-1, -0.5), (-0.5, -1), (0, -0.3)),
        Shape.DROP: _finish(sine(_TURN) * sine(half) ** 1.5, -cosine(_TURN)),
        Shape.BOWL: _symmetric(np.append(0.0, cosine(quarter)), np.append(0.0, sine(quarter))),
        Shape.ALMOND: _symmetric(np.append(_STEPS, _STEPS[::-1]), np.append(_STEPS**2 - 1, 1 - _STEPS[::-1] ** 2)),
        Shape.BLOB: _polar(1 + 0.09 * cosine(2 * _TURN + 1.0) + 0.06 * cosine(3 * _TURN + 2.1)),
        Shape.BEAN: _polar(1 + 0.1 * cosine(2 * _TURN + 2.6) + 0.08 * cosine(3 * _TURN + 0.4)),
        Shape.CLOUD: _polar(1 + 0.14 * np.abs(sine(4.5 * _TURN))),
        Shape.STAR: _polar(1 - 0.55 * np.abs((5 * _STEPS + 0.5) % 1.0 * 2 - 1)),
        Shape.LINE: _corners((-1, 0), (1, 0)),
        Shape.ARC: _finish(_X, -(_X**2)),
        Shape.BOW: _finish(-cosine(half), sine(half)),
        Shape.VEE: _corners((-1, -1), (0, 1), (1, -1)),
        Shape.CUP: _finish(
            np.concatenate([[-1.0], -cosine(half), [1.0]]), np.concatenate([[-0.8], 0.4 + 0.8 * sine(half), [-0.8]])
        ),
        Shape.HOOK: _finish(sine(quarter), -cosine(quarter)),
        Shape.WAVE: _finish(_X, -sine(math.pi * _X)),
        Shape.RIPPLE: _finish(_X, -sine(3 * math.pi * _X)),
        Shape.ZIGZAG: _corners(*((step, -1 if step % 2 else 1) for step in range(11))),
        Shape.CURLS: _finish(6 * _X + 1.1 * sine(4 * _TURN), -cosine(4 * _TURN)),
        Shape.SPIRAL: _finish((1 - 0.85 * _STEPS) * cosine(3 * _TURN), (1 - 0.85 * _STEPS) * sine(3 * _TURN)),
        Shape.HATCHING: _hatching(7),
        Shape.LOOP: _spline((1, -0.5), (0, 0.6), (-0.8, 0.7), (-1, 0), (-0.8, -0.7), (0, -0.6), (1, 0.5)),
        Shape.EM: _spline((-0.7, 1), (-1, -0.3), (-0.6, -1), (0, 0.1), (0.55, -1), (1, -0.4), (0.2, 1)),
        Shape.ANGLE: _corners((-0.6, -1), (-0.6, 1), (1, 1)),
        Shape.NOSE: _spline((0.2, -1), (-0.5, 0.2), (-0.9, 0.7), (-0.3, 1), (0.8, 0.8)),
    }


_MADE = _make_shapes()
SHAPES: Final = np.stack([_MADE[shape] for shape in Shape])  # (shapes, STEPS + 1, 2)
