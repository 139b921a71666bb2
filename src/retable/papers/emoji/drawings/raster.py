"""Numba kernels: from strokes to pixels. Imported on first use, since importing numba takes half a second.

A drawing has ten to thirty strokes of 64 points, most of them a few pixels long. Calls into OpenCV would cost more than
their pixels, so that one kernel places, roughens and rasterises all strokes of a drawing. It releases the GIL and draws
its random numbers from its own seed.

Lines are rasterised by each pixel's distance to them, fillings by exact areas, both without supersampling.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import types
from numpy.typing import NDArray

from retable.kernels import compiled, helper
from retable.papers.emoji.drawings.shapes import CLOSED, SHAPES, STEPS
from retable.papers.emoji.drawings.sketch import Column
from retable.papers.emoji.drawings.tools import Trait

Floats = NDArray[np.float64]

_POINTS = STEPS + 1
_CLOSED = np.array(CLOSED)
_SHAPES = np.ascontiguousarray(SHAPES)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@helper
def _noise(state: NDArray[np.uint64]) -> float:
    """Draws a number of mean 0 and variance 1, uniformly distributed (SplitMix64)."""
    state[0] += _GOLDEN
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return (float(z >> np.uint64(11)) * 2.0**-53 - 0.5) * 3.4641016151377544


@helper
def _grain(x: int, y: int, salt: int) -> float:
    """Returns a number in [0, 1) that depends on a pixel alone: the paper's or the brush's roughness."""
    h = (x * 374761393 + y * 668265263 + salt) & 0xFFFFFFFF
    h = ((h ^ (h >> 13)) * 1274126177) & 0xFFFFFFFF
    return ((h ^ (h >> 16)) & 0xFFFF) / 65536.0


@helper
def _outline(row: Floats, points: Floats) -> float:
    """Writes a stroke's points in its frame's coordinates; returns its length."""
    shape, other, mix = int(row[Column.SHAPE]), int(row[Column.OTHER]), row[Column.MIX]
    centre_x, centre_y, width, height = row[Column.X], row[Column.Y], row[Column.WIDTH], row[Column.HEIGHT]
    cosine, sine = math.cos(row[Column.ANGLE]), math.sin(row[Column.ANGLE])
    shear, taper, bend = row[Column.SHEAR], row[Column.TAPER], row[Column.BEND]
    start, step = row[Column.START] * STEPS, row[Column.SWEEP]
    closed = _CLOSED[shape]
    length = 0.0
    for i in range(_POINTS):
        along = start + step * i
        if closed:
            along -= STEPS * math.floor(along / STEPS)
        along = min(max(along, 0.0), float(STEPS))
        before = min(int(along), STEPS - 1)
        part = along - before
        x = (1.0 - part) * _SHAPES[shape, before, 0] + part * _SHAPES[shape, before + 1, 0]
        y = (1.0 - part) * _SHAPES[shape, before, 1] + part * _SHAPES[shape, before + 1, 1]
        if mix != 0.0:
            x += mix * ((1.0 - part) * _SHAPES[other, before, 0] + part * _SHAPES[other, before + 1, 0] - x)
            y += mix * ((1.0 - part) * _SHAPES[other, before, 1] + part * _SHAPES[other, before + 1, 1] - y)
        y += bend * (1.0 - x * x)
        x = width * (x * (1.0 + taper * y) + shear * y)
        y *= height
        points[i, 0] = centre_x + cosine * x - sine * y
        points[i, 1] = centre_y + sine * x + cosine * y
        if i > 0:
            dx, dy = points[i, 0] - points[i - 1, 0], points[i, 1] - points[i - 1, 1]
            length += math.sqrt(dx * dx + dy * dy)
    return length


@helper
def _unsteady(row: Floats, points: Floats, pressure: Floats, length: float, tool: Floats, state: Any) -> None:
    """Draws the outline as a hand does: misplaced, turned, bent, trembling, with changing pressure.

    Deviations along the stroke are a twice filtered random walk, so that they are smooth and return to 0.
    """
    jitter = tool[Trait.JITTER] * row[Column.WOBBLE]
    if jitter > 0.0:
        reach = math.sqrt(length)
        dx, dy = jitter * reach * _noise(state) * 0.3, jitter * reach * _noise(state) * 0.3
        turn, grow = 0.8 * jitter * _noise(state), 1.0 + 0.8 * jitter * _noise(state)
        cosine, sine = grow * math.cos(turn), grow * math.sin(turn)
        for i in range(_POINTS):
            x, y = points[i, 0] - row[Column.X], points[i, 1] - row[Column.Y]
            points[i, 0] = row[Column.X] + cosine * x - sine * y + dx
            points[i, 1] = row[Column.Y] + sine * x + cosine * y + dy
    wobble = tool[Trait.WOBBLE] * row[Column.WOBBLE] * min(length / 6.0, 1.0) ** 0.6
    tremor = tool[Trait.TREMOR] * row[Column.WOBBLE] * min(length, 1.0)
    force = tool[Trait.PRESSURE]
    if wobble > 0.0 or tremor > 0.0 or force > 0.0:
        keep = math.exp(-(length / STEPS) / max(tool[Trait.SMOOTHNESS] * length**0.6, 1e-6))
        fresh, shake = math.sqrt(1.0 - keep * keep), math.exp(-(length / STEPS) / 0.04)
        renewed = math.sqrt(1.0 - shake * shake)
        ax, ay, ap = _noise(state), _noise(state), _noise(state)
        bx, by, bp = 0.5 * ax, 0.5 * ay, 0.5 * ap
        tx, ty = 0.0, 0.0
        for i in range(_POINTS):
            points[i, 0] += wobble * 1.414 * bx + tremor * tx
            points[i, 1] += wobble * 1.414 * by + tremor * ty
            pressure[i] = max(1.0 + force * bp, 0.25)
            ax, ay, ap = (
                keep * ax + fresh * _noise(state),
                keep * ay + fresh * _noise(state),
                keep * ap + fresh * _noise(state),
            )
            bx, by, bp = keep * bx + (1.0 - keep) * ax, keep * by + (1.0 - keep) * ay, keep * bp + (1.0 - keep) * ap
            if tremor > 0.0:
                tx, ty = shake * tx + renewed * _noise(state), shake * ty + renewed * _noise(state)
    else:
        pressure[:] = 1.0
    ends = tool[Trait.ENDS]
    if ends > 0.0:  # the pen lands and lifts
        for i in range(_POINTS // 6):
            thinner = 1.0 - ends * (1.0 - 6.0 * i / _POINTS)
            pressure[i] *= thinner
            pressure[_POINTS - 1 - i] *= thinner


@helper
def _place(points: Floats, frame: Floats, perspective: Floats, size: int) -> None:
    """Takes points from their frame to pixels, pixel centres at +0.5."""
    for i in range(_POINTS):
        x, y = points[i, 0], points[i, 1]
        page_x = frame[0, 0] * x + frame[0, 1] * y + frame[0, 2]
        page_y = frame[1, 0] * x + frame[1, 1] * y + frame[1, 2]
        depth = 1.0 + perspective[0] * page_x + perspective[1] * page_y
        points[i, 0] = (page_x / depth + 1.0) * 0.5 * size
        points[i, 1] = (page_y / depth + 1.0) * 0.5 * size


@helper
def _fill(area: NDArray[np.float32], points: Floats, shift: float, box: NDArray[np.int64]) -> None:
    """Accumulates the signed area that a polygon covers of each pixel, as differences along the rows.

    Each edge adds, in every row it crosses, the part of the row it spans: to its own pixel what lies to the right of
    it, to the next one the rest. Sums along a row are then the coverage.
    """
    size = area.shape[0]
    for i in range(_POINTS):
        j = i + 1 if i < STEPS else 0
        x0, y0, x1, y1 = points[i, 0] + shift, points[i, 1] + shift, points[j, 0] + shift, points[j, 1] + shift
        if y0 == y1:
            continue
        sign = 1.0
        if y0 > y1:
            x0, y0, x1, y1, sign = x1, y1, x0, y0, -1.0
        slope = (x1 - x0) / (y1 - y0)
        first, last = max(math.floor(y0), 0), min(math.ceil(y1), size)
        for y in range(first, last):
            top, bottom = max(y0, float(y)), min(y1, y + 1.0)
            left, right = x0 + (top - y0) * slope, x0 + (bottom - y0) * slope
            if left > right:
                left, right = right, left
            left, right = min(max(left, 0.0), float(size)), min(max(right, 0.0), float(size))
            span = sign * (bottom - top)
            a, b = int(left), int(right)
            if a == b:
                covered = a + 1.0 - 0.5 * (left + right)
                area[y, a] += span * covered
                area[y, a + 1] += span * (1.0 - covered)
            else:
                passed, previous = 0.0, 0.0  # part of the edge left of pixel x, and what it covered of the last one
                for x in range(a, b + 1):
                    enter, leave = max(left, float(x)), min(right, x + 1.0)
                    part = (leave - enter) / (right - left)
                    covered = passed + part * (x + 1.0 - 0.5 * (enter + leave))
                    area[y, x] += span * (covered - previous)
                    passed, previous = passed + part, covered
                area[y, b + 1] += span * (1.0 - previous)
            box[0], box[1] = min(box[0], a), max(box[1], b + 1)
        box[2], box[3] = min(box[2], first), max(box[3], last)


@helper
def _line(cover: Any, points: Floats, pressure: Floats, width: float, tool: Floats, salt: int, box: Any) -> None:
    """Takes each pixel's coverage by a line with round ends, the largest of its segments, into `cover`."""
    size = cover.shape[0]
    zero, half, one = np.float32(0.0), np.float32(0.5), np.float32(1.0)
    rough, stepped = tool[Trait.ROUGHNESS], tool[Trait.STEPPED] > 0.0
    x0, y0 = points[0, 0], points[0, 1]
    for i in range(1, _POINTS):
        x1, y1 = points[i, 0], points[i, 1]
        squared = (x1 - x0) ** 2 + (y1 - y0) ** 2
        if squared < 1.0 and i < STEPS:
            continue  # points closer than a pixel change nothing
        radius = np.float32(0.5 * width * pressure[i])
        # lines thinner than a pixel are paler, not thinner, unless there are no shades
        strength = one if stepped else min(radius + radius, one)
        radius = max(radius, half)
        reach = radius * (one + half * np.float32(rough)) + half
        left, right = max(int(min(x0, x1) - reach), 0), min(int(max(x0, x1) + reach) + 1, size)
        top, bottom = max(int(min(y0, y1) - reach), 0), min(int(max(y0, y1) + reach) + 1, size)
        if left < right and top < bottom:
            box[0], box[1] = min(box[0], left), max(box[1], right)
            box[2], box[3] = min(box[2], top), max(box[3], bottom)
        dx, dy = np.float32(x1 - x0), np.float32(y1 - y0)
        inverse = np.float32(1.0 / squared) if squared > 0.0 else zero
        for y in range(top, bottom):
            py = np.float32(y + 0.5 - y0)
            for x in range(left, right):
                px = np.float32(x + 0.5 - x0)
                along = min(max((px * dx + py * dy) * inverse, zero), one)
                ex, ey = px - along * dx, py - along * dy
                edge = radius + half - np.sqrt(ex * ex + ey * ey)
                if rough > 0.0:
                    edge += np.float32(rough) * radius * np.float32(_grain(x, y, salt) - 0.5)
                cover[y, x] = max(cover[y, x], min(edge, one) * strength)
        x0, y0 = x1, y1


@helper
def _blend(canvas: Any, cover: Any, colour: Any, opacity: float, tool: Floats, salt: int, box: Any) -> None:
    """Lays a colour on the canvas where `cover` says, and clears it."""
    grain = tool[Trait.GRAIN]
    for y in range(box[2], box[3]):
        for x in range(box[0], box[1]):
            covered = cover[y, x]
            cover[y, x] = 0.0
            if covered > 0.002:  # below lie only the roundings of areas
                if tool[Trait.STEPPED] > 0.0:
                    covered = 1.0 if covered >= 0.5 else 0.0
                covered *= opacity * (1.0 - grain * _grain(x, y, salt + 1))
                for channel in range(3):
                    canvas[y, x, channel] += covered * (colour[channel] - canvas[y, x, channel])


def _render_strokes(
    canvas: NDArray[np.float32],
    rows: Floats,
    palette: Floats,
    frames: Floats,
    perspective: Floats,
    tool: Floats,
    seed: int,
) -> None:
    """Renders strokes on a canvas, in place.

    Args:
        canvas: (size, size, 3) float32 RGB, 0 to 255.
        rows: (N, columns) float64, `Column` tells which.
        palette: (inks, 3) float64 RGB.
        frames: (frames, 2, 3) float64, from a frame to the page.
        perspective: How fast the depth grows along x and y of the page.
        tool: float64, `Trait` tells which.
        seed: Determines the hand's unsteadiness.
    """
    size = canvas.shape[0]
    state = np.array([seed], dtype=np.uint64)
    salt = seed & 0xFFFFFF
    points = np.empty((_POINTS, 2))
    pressure = np.empty(_POINTS)
    cover = np.zeros((size, size + 2), dtype=np.float32)
    box = np.empty(4, dtype=np.int64)
    for k in range(rows.shape[0]):
        row = rows[k]
        length = _outline(row, points)
        _unsteady(row, points, pressure, length, tool, state)
        _place(points, frames[int(row[Column.FRAME])], perspective, size)
        fill = int(row[Column.FILL])
        if fill >= 0:
            box[0], box[1], box[2], box[3] = size, 0, size, 0
            _fill(cover, points, tool[Trait.MISPRINT] * size, box)
            for y in range(box[2], box[3]):
                total = np.float32(0.0)
                for x in range(box[0], min(box[1] + 1, size + 2)):
                    total += cover[y, x]
                    cover[y, x] = min(abs(total), np.float32(1.0))
                cover[y, size:] = 0.0
            box[1] = min(box[1] + 1, size)
            _blend(canvas, cover, palette[fill], tool[Trait.COVERAGE], tool, salt, box)
        if row[Column.LINE] > 0.0:
            box[0], box[1], box[2], box[3] = size, 0, size, 0
            _line(cover, points, pressure, row[Column.LINE] * tool[Trait.WIDTH] * size, tool, salt, box)
            _blend(canvas, cover, palette[int(row[Column.INK])], tool[Trait.OPACITY], tool, salt, box)


_CANVAS = types.float32[:, :, ::1]
_TABLE = types.float64[:, ::1]
_VECTOR = types.float64[::1]

render_strokes = compiled(
    _render_strokes, _CANVAS, _TABLE, _TABLE, types.float64[:, :, ::1], _VECTOR, _VECTOR, types.int64
)
