"""The surface of a car as triangles.

All cars have the same triangles and differ in their vertices. The outline of the side view, with its corners cut, is
swept across the car; each side spreads from a line inside the outline to the outline; wheels are discs with a tread;
mirrors, rails and the dark underside are boxes. A bending of space then narrows the roof and rounds nose and tail.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from retable.kernels import helper, kernel
from retable.papers.cars.scenes.bodies import OUTLINE_POINTS, Body

Floats = NDArray[np.float64]

STRIP, SIDE, WHEEL, TREAD, BOX = range(5)
"""Parts: what was swept, the sides, the wheels' outer discs, their treads, and boxes."""
UNDERSIDE, MIRROR, RAIL = range(3)
"""Kinds of boxes."""

_ACROSS: Final = np.array([-1.0, -0.93, -0.6, -0.2, 0.2, 0.6, 0.93, 1.0])  # shares of half the width
_SPREAD: Final = np.array([0.0, 0.35, 0.55, 0.75, 0.93, 1.0])  # from the inner line to the outline
_CUT: Final = 0.15  # how much of each edge a cut corner takes
_TOP: Final = 2 * OUTLINE_POINTS - 2
_SILL: Final = 4
_ROUND: Final = _TOP + _SILL
_SPOKES: Final = 16
_BOXES: Final = 5
_SIDES_AT: Final = _TOP * len(_ACROSS)
_WHEELS_AT: Final = _SIDES_AT + 2 * _ROUND * len(_SPREAD)
_WHEEL: Final = 1 + 2 * _SPOKES
_BOXES_AT: Final = _WHEELS_AT + 4 * _WHEEL
VERTICES: Final = _BOXES_AT + 8 * _BOXES


def _build_triangles() -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Lists the corners of all triangles, anticlockwise from outside, and the part of each."""
    triangles: list[tuple[int, int, int]] = []
    parts: list[int] = []

    def add(part: int, *corners: int) -> None:
        for index in range(1, len(corners) - 1):
            triangles.append((corners[0], corners[index], corners[index + 1]))
            parts.append(part)

    across, spread = len(_ACROSS), len(_SPREAD)
    for along in range(_TOP - 1):
        for column in range(across - 1):
            first = along * across + column
            add(STRIP, first, first + 1, first + across + 1, first + across)
    for side in range(2):
        start = _SIDES_AT + side * _ROUND * spread
        for around in range(_ROUND):
            for row in range(spread - 1):
                here, there = start + around * spread + row, start + (around + 1) % _ROUND * spread + row
                corners = (here, here + 1, there + 1, there)
                add(SIDE, *(corners[::-1] if side == 0 else corners))
    for wheel in range(4):
        start = _WHEELS_AT + wheel * _WHEEL
        for spoke in range(_SPOKES):
            one, two = start + 1 + spoke, start + 1 + (spoke + 1) % _SPOKES
            disc, tread = (start, two, one), (one, two, two + _SPOKES, one + _SPOKES)
            add(WHEEL, *(disc if wheel < 2 else disc[::-1]))
            add(TREAD, *(tread if wheel < 2 else tread[::-1]))
    faces = ((0, 1, 5, 4), (3, 7, 6, 2), (0, 4, 7, 3), (1, 2, 6, 5), (4, 5, 6, 7), (0, 3, 2, 1))
    for box in range(_BOXES):
        for face in faces:
            add(BOX, *(_BOXES_AT + 8 * box + corner for corner in face))
    return np.array(triangles, np.int32), np.array(parts, np.int32)


TRIANGLES, PARTS = _build_triangles()
"""(T, 3) vertices of each triangle, and (T,) its part."""


@helper
def _set(rows: Floats, row: int, first: float, second: float, third: float) -> None:
    rows[row, 0] = first
    rows[row, 1] = second
    rows[row, 2] = third


@helper
def _half_width(x: float, z: float, body: Body) -> float:
    along = 2.0 * x / body.length
    taper = body.front_taper if along > 0.0 else body.rear_taper
    share = 1.0 - taper * abs(along) ** 3
    if z > body.belt:
        share -= body.tumblehome * ((z - body.belt) / (body.height - body.belt)) ** 1.15
    else:
        middle = 0.65 * body.belt
        share -= 0.07 * ((z - middle) / middle) ** 2
    return 0.5 * body.width * share


@helper
def _place(positions: Floats, vertex: int, x: float, across: float, z: float, body: Body) -> None:
    """Bends space: x and z lie in the side view, `across` goes from -1 to 1."""
    along = 2.0 * x / body.length
    squared = across * across
    positions[vertex, 0] = x - body.bow * along * along * along * squared
    positions[vertex, 1] = across * _half_width(x, z, body)
    crown = min(1.0, max(0.0, (z - 0.45) / 0.3))
    positions[vertex, 2] = z - 0.05 * crown * squared


@helper
def _cut_corners(outline: Floats, points: Floats) -> None:
    """Writes x, z and the place along the outline of each point."""
    _set(points, 0, outline[0, 0], outline[0, 1], 0.0)
    last = OUTLINE_POINTS - 1
    _set(points, _TOP - 1, outline[last, 0], outline[last, 1], float(last))
    for corner in range(1, last):
        for end in range(2):
            other = corner - 1 + 2 * end
            row = 2 * corner - 1 + end
            for axis in range(2):
                points[row, axis] = (1.0 - _CUT) * outline[corner, axis] + _CUT * outline[other, axis]
            points[row, 2] = corner + _CUT * (other - corner)


@helper
def _add_box(
    positions: Floats,
    traits: Floats,
    box: int,
    kind: int,
    middle: tuple[float, float, float],
    size: tuple[float, float, float],
) -> None:
    signs = ((-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0))
    for corner in range(8):
        vertex = _BOXES_AT + 8 * box + corner
        sx, sy = signs[corner % 4]
        sz = -1.0 if corner < 4 else 1.0
        positions[vertex, 0] = middle[0] + 0.5 * sx * size[0]
        positions[vertex, 1] = middle[1] + 0.5 * sy * size[1]
        positions[vertex, 2] = middle[2] + 0.5 * sz * size[2]
        _set(traits, vertex, float(kind), sx, sz)


@kernel
def build(
    body: Body, outline: Floats, triangles: NDArray[np.int32], positions: Floats, normals: Floats, traits: Floats
) -> None:
    """Writes the vertices of a car.

    Args:
        body: Its sizes.
        outline: (12, 2) corners x, z of the side view, see `retable.papers.cars.scenes.bodies.draw_body`.
        triangles: `TRIANGLES`.
        positions: (V, 3) is overwritten with places in metres.
        normals: (V, 3) is overwritten with unit vectors that point out of the car.
        traits: (V, 3) is overwritten with what tells the place on a part: place along the outline, share of half the
            width and z of what was swept; x, side (-1 or 1) and z of the sides; x and z as shares of the radius and
            the wheel's number of wheels; kind and two signs of boxes.
    """
    points = np.empty((_TOP, 3))
    _cut_corners(outline, points)
    columns, rows = len(_ACROSS), len(_SPREAD)
    for along in range(_TOP):
        x, z, place = points[along, 0], points[along, 1], points[along, 2]
        for column in range(columns):
            vertex = along * columns + column
            _place(positions, vertex, x, _ACROSS[column], z, body)
            _set(traits, vertex, place, _ACROSS[column], z)
    inner, inner_z = 0.5 * body.length - 0.6, 0.62 * body.belt
    for side in range(2):
        sign = 1.0 - 2.0 * side
        for around in range(_ROUND):
            if around < _TOP:
                x, z = points[around, 0], points[around, 1]
            else:
                share = (around - _TOP + 1) / (_SILL + 1)
                x = points[_TOP - 1, 0] * (1.0 - share) + points[0, 0] * share
                z = points[_TOP - 1, 1] * (1.0 - share) + points[0, 1] * share
            start_x = min(inner, max(-inner, x))
            for row in range(rows):
                vertex = _SIDES_AT + (side * _ROUND + around) * rows + row
                at_x = start_x + _SPREAD[row] * (x - start_x)
                at_z = inner_z + _SPREAD[row] * (z - inner_z)
                _place(positions, vertex, at_x, sign, at_z, body)
                _set(traits, vertex, at_x, sign, at_z)
    for wheel in range(4):
        sign = 1.0 if wheel < 2 else -1.0
        x = body.front_axle if wheel % 2 == 0 else body.rear_axle
        radius = body.wheel_radius
        outside = sign * (_half_width(x, 0.8 * radius, body) + 0.006)
        start = _WHEELS_AT + wheel * _WHEEL
        _set(positions, start, x, outside - 0.02 * sign, radius)
        _set(traits, start, 0.0, 0.0, float(wheel))
        for spoke in range(_SPOKES):
            angle = 2.0 * math.pi * spoke / _SPOKES
            dx, dz = math.cos(angle), math.sin(angle)
            for end in range(2):
                vertex = start + 1 + spoke + end * _SPOKES
                _set(positions, vertex, x + radius * dx, outside - end * sign * 0.21, radius + radius * dz)
                _set(traits, vertex, dx, dz, float(wheel))
    half = 0.5 * body.width
    _add_box(
        positions, traits, 0, UNDERSIDE, (0.0, 0.0, 0.5 * (0.1 + body.clearance + 0.2)),
        (body.length - 0.7, 1.62 * half, body.clearance + 0.1),
    )  # fmt: skip
    mirror_x, mirror_z = 0.75 * outline[4, 0] + 0.25 * outline[5, 0] - 0.08, body.belt + 0.07
    bars = body.roof_bars
    front, rear = outline[5, 0] - 0.25, outline[7, 0] + 0.2
    for side in range(2):
        sign = 1.0 - 2.0 * side
        _add_box(positions, traits, 1 + side, MIRROR, (mirror_x, sign * (half + 0.08), mirror_z), (0.1, 0.19, 0.14))
        across = sign * 0.78 * _half_width(0.0, body.height, body)
        _add_box(
            positions, traits, 3 + side, RAIL, (0.5 * (front + rear), across, body.height - 0.03),
            (bars * (front - rear), bars * 0.05, bars * 0.06),
        )  # fmt: skip
    _point_normals(triangles, positions, normals)


@helper
def _point_normals(triangles: NDArray[np.int32], positions: Floats, normals: Floats) -> None:
    """Scalars throughout: slices of arrays would take Numba half a minute to compile."""
    for vertex in range(len(normals)):
        for axis in range(3):
            normals[vertex, axis] = 0.0
    for triangle in range(len(triangles)):
        a, b, c = triangles[triangle, 0], triangles[triangle, 1], triangles[triangle, 2]
        ux, vx = positions[b, 0] - positions[a, 0], positions[c, 0] - positions[a, 0]
        uy, vy = positions[b, 1] - positions[a, 1], positions[c, 1] - positions[a, 1]
        uz, vz = positions[b, 2] - positions[a, 2], positions[c, 2] - positions[a, 2]
        for corner in range(3):
            vertex = triangles[triangle, corner]
            normals[vertex, 0] += uy * vz - uz * vy
            normals[vertex, 1] += uz * vx - ux * vz
            normals[vertex, 2] += ux * vy - uy * vx
    # the edge between what was swept and the sides is round
    columns, rows = len(_ACROSS), len(_SPREAD)
    for side in range(2):
        for along in range(_TOP):
            swept = along * columns + (columns - 1 if side == 0 else 0)
            flank = _SIDES_AT + (side * _ROUND + along) * rows + rows - 1
            for axis in range(3):
                normals[swept, axis] += normals[flank, axis]
                normals[flank, axis] = normals[swept, axis]
    for vertex in range(len(normals)):
        x, y, z = normals[vertex, 0], normals[vertex, 1], normals[vertex, 2]
        scale = 1.0 / max(1e-12, math.sqrt(x * x + y * y + z * z))
        for axis in range(3):
            normals[vertex, axis] *= scale
