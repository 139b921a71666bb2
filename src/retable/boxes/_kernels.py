"""Numba kernels of rotated IoU and rotated NMS; imported on first use, since importing numba takes half a second.

The intersection of two rectangles is taken in the frame of the first, where it is the axis-aligned [-W, W] x [-H, H].
With F(x, y) = clamp(x, -W, W) for |y| <= H and 0 elsewhere, dF/dx is 1 inside that rectangle and 0 outside, so that by
Green's theorem the area is the integral of F dy around the second rectangle: four edges, each cut to |y| <= H and then
integrated in closed form. Compared with collecting and ordering the corners of the common polygon, there is no case
to decide (touching corners, parallel or identical edges), the result changes continuously with the boxes, and the code
has no branches, so that LLVM turns the loops over pairs into vector instructions.

The plain Python functions hold the algorithm; `compiled` makes kernels of them, one signature each. Kernels release the
GIL and use one thread: callers spread rows over a thread pool. Numba's own `parallel=True` is not used because its
OpenMP layer does not survive fork(), which DataLoader workers do.

Box tables are (10, N) float64: cx, cy, cos theta, sin theta, w/2, h/2, area, half diagonal, and the half width and half
height of the upright bounding rectangle.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numba import types
from numpy.typing import NDArray
from torch import Tensor

from retable.kernels import compiled, inlined

_TINY = 1e-30  # stands for a sine or cosine of zero in slopes; its square and 1e4 pixels times its inverse are finite
_BLOCK = 512  # pairs that are integrated together: the scratch rows of a block stay in the L2 cache


def box_table(boxes: Tensor) -> NDArray[np.float64]:
    """Table (10, N) of boxes (N, 5) on the CPU.

    In NumPy: torch indexes and sorts even short vectors on OpenMP threads, which do not survive fork() either.
    """
    if boxes.dtype == torch.bfloat16:  # unknown to NumPy
        boxes = boxes.to(torch.float32)
    cx, cy, width, height, theta = boxes.detach().numpy().astype(np.float64).T
    cosine, sine, half_w, half_h = np.cos(theta), np.sin(theta), width / 2, height / 2
    bound_w = half_w * np.abs(cosine) + half_h * np.abs(sine)
    bound_h = half_w * np.abs(sine) + half_h * np.abs(cosine)
    radius = np.hypot(half_w, half_h)
    return np.stack([cx, cy, cosine, sine, half_w, half_h, width * height, radius, bound_w, bound_h])


def _clamp_python(value: float, limit: float) -> float:
    value = value if value < limit else limit
    return value if value > -limit else -limit


_clamp = inlined(_clamp_python)


def _edge_integral_python(
    x0: float, y0: float, x1: float, y1: float, dx_dy: float, dy_dx: float, width: float, height: float
) -> float:
    """Twice the integral of F dy along one edge, for the half sizes `width` and `height`."""
    ya = _clamp(y0, height)
    yb = _clamp(y1, height)
    xa = x0 + (ya - y0) * dx_dy
    xb = x1 + (yb - y1) * dx_dy
    xa_inside = _clamp(xa, width)
    xb_inside = _clamp(xb, width)
    dy = yb - ya
    # The mean of the ends is right for an edge that x does not clamp. Where it does, the end value holds for a further
    # stretch of y: the stretch at the end less the stretch at the start, which rounding must not carry beyond dy.
    stretch = _clamp(((xb - xb_inside) + (xa - xa_inside)) * dy_dx, abs(dy))
    result: float = dy * (xa_inside + xb_inside) + (xb_inside - xa_inside) * stretch
    return result


_edge_integral = inlined(_edge_integral_python)


def _relative_iou_python(
    x: float,
    y: float,
    cosine: float,
    sine: float,
    half_w: float,
    half_h: float,
    area: float,
    frame_w: float,
    frame_h: float,
    frame_area: float,
) -> float:
    """IoU of the rectangle [-frame_w, frame_w] x [-frame_h, frame_h] with one at (x, y), turned by an angle."""
    ux = half_w * cosine
    uy = half_w * sine
    vx = -half_h * sine
    vy = half_h * cosine
    dx_dy = cosine / (sine if abs(sine) > _TINY else _TINY)
    dy_dx = sine / (cosine if abs(cosine) > _TINY else _TINY)
    x0 = x - ux - vx
    y0 = y - uy - vy
    x1 = x + ux - vx
    y1 = y + uy - vy
    x2 = x + ux + vx
    y2 = y + uy + vy
    x3 = x - ux + vx
    y3 = y - uy + vy
    overlap = 0.5 * (
        _edge_integral(x0, y0, x1, y1, dx_dy, dy_dx, frame_w, frame_h)
        + _edge_integral(x1, y1, x2, y2, -dy_dx, -dx_dy, frame_w, frame_h)
        + _edge_integral(x2, y2, x3, y3, dx_dy, dy_dx, frame_w, frame_h)
        + _edge_integral(x3, y3, x0, y0, -dy_dx, -dx_dy, frame_w, frame_h)
    )
    # separating axes: rounding must not give disjoint boxes an overlap
    ac = abs(cosine)
    sn = abs(sine)
    gap_x = abs(x) - (frame_w + half_w * ac + half_h * sn)
    gap_y = abs(y) - (frame_h + half_w * sn + half_h * ac)
    gap_u = abs(x * cosine + y * sine) - (half_w + frame_w * ac + frame_h * sn)
    gap_v = abs(y * cosine - x * sine) - (half_h + frame_w * sn + frame_h * ac)
    gap_xy = gap_x if gap_x > gap_y else gap_y
    gap_uv = gap_u if gap_u > gap_v else gap_v
    gap = gap_xy if gap_xy > gap_uv else gap_uv
    overlap = overlap if gap < 0.0 else 0.0
    overlap = overlap if overlap > 0.0 else 0.0
    smaller = area if area < frame_area else frame_area
    overlap = overlap if overlap < smaller else smaller
    union = area + frame_area - overlap
    return overlap / (union if union > 1e-300 else 1e-300)


_relative_iou = inlined(_relative_iou_python)


def _pairwise(rows: Any, columns: Any, places: Any, reach: float, start: int, step: int, iou: Any) -> None:
    """Fill iou[start::step] with the IoU of boxes `rows` with boxes `columns`.

    `columns` are sorted by cx and stand at `places` in the matrix; `reach` is their largest bounding half width.
    """
    scratch = np.empty(8 * _BLOCK)  # eight quantities of the pairs of a block, each contiguous
    candidates = np.empty(_BLOCK, np.int64)
    for i in range(start, iou.shape[0], step):
        for j in range(iou.shape[1]):
            iou[i, j] = 0.0
        cx = rows[0, i]
        cy = rows[1, i]
        cosine = rows[2, i]
        sine = rows[3, i]
        frame_w = rows[4, i]
        frame_h = rows[5, i]
        frame_area = rows[6, i]
        radius = rows[7, i]
        bound_x = rows[8, i]
        bound_y = rows[9, i]
        begin = np.searchsorted(columns[0], cx - bound_x - reach)
        end = np.searchsorted(columns[0], cx + bound_x + reach, side="right")
        while begin < end:
            block_end = min(begin + _BLOCK, end)
            count = 0
            for j in range(begin, block_end):
                dx = columns[0, j] - cx
                dy = columns[1, j] - cy
                both = radius + columns[7, j]
                near = (
                    (abs(dx) < bound_x + columns[8, j])
                    & (abs(dy) < bound_y + columns[9, j])
                    & (dx * dx + dy * dy < both * both)
                )
                candidates[count] = j  # written always and kept if near: a branch would often be mispredicted
                count += near
            for k in range(count):
                j = candidates[k]
                dx = columns[0, j] - cx
                dy = columns[1, j] - cy
                c = columns[2, j]
                s = columns[3, j]
                scratch[k] = dx * cosine + dy * sine
                scratch[k + _BLOCK] = dy * cosine - dx * sine
                scratch[k + 2 * _BLOCK] = c * cosine + s * sine
                scratch[k + 3 * _BLOCK] = s * cosine - c * sine
                scratch[k + 4 * _BLOCK] = columns[4, j]
                scratch[k + 5 * _BLOCK] = columns[5, j]
                scratch[k + 6 * _BLOCK] = columns[6, j]
            for k in range(count):
                scratch[k + 7 * _BLOCK] = _relative_iou(
                    scratch[k],
                    scratch[k + _BLOCK],
                    scratch[k + 2 * _BLOCK],
                    scratch[k + 3 * _BLOCK],
                    scratch[k + 4 * _BLOCK],
                    scratch[k + 5 * _BLOCK],
                    scratch[k + 6 * _BLOCK],
                    frame_w,
                    frame_h,
                    frame_area,
                )
            for k in range(count):
                iou[i, places[candidates[k]]] = scratch[k + 7 * _BLOCK]
            begin = block_end


def _pair_iou_python(first: Any, i: int, second: Any, j: int) -> float:
    """IoU of box i of one table with box j of another."""
    cosine = first[2, i]
    sine = first[3, i]
    dx = second[0, j] - first[0, i]
    dy = second[1, j] - first[1, i]
    c = second[2, j]
    s = second[3, j]
    result: float = _relative_iou(
        dx * cosine + dy * sine,
        dy * cosine - dx * sine,
        c * cosine + s * sine,
        s * cosine - c * sine,
        second[4, j],
        second[5, j],
        second[6, j],
        first[4, i],
        first[5, i],
        first[6, i],
    )
    return result


_pair_iou = inlined(_pair_iou_python)


def _aligned(first: Any, second: Any, iou: Any) -> None:
    """Fill iou (N,) with the IoU of box k of one table with box k of the other."""
    for k in range(iou.shape[0]):
        iou[k] = _pair_iou(first, k, second, k)


def _suppress(boxes: Any, labels: Any, threshold: float, kept: Any) -> None:
    """Fill kept (N,) with 1 for the boxes that greedy NMS keeps; `boxes` and `labels` are by descending score.

    A box is kept unless a kept box before it, of its label, overlaps it by more than the threshold. Kept boxes are
    chained in the cells of a grid whose side is the largest diameter: boxes that overlap lie in neighbouring cells.
    """
    total = kept.shape[0]
    low_x = boxes[0].min()
    low_y = boxes[1].min()
    extent_x = boxes[0].max() - low_x
    extent_y = boxes[1].max() - low_y
    # a little more than the diameter, so that rounding cannot move a neighbour two cells away; not so small that
    # there are many more cells than boxes
    most = 2.0 * np.sqrt(total) + 1.0
    side = max(2.002 * boxes[7].max(), max(extent_x, extent_y) / most, 1e-300)
    cells_x = int(extent_x / side) + 3  # a ring of empty cells saves the tests at the edges
    cells_y = int(extent_y / side) + 3
    heads = np.full(cells_x * cells_y, -1, np.int64)
    following = np.empty(total, np.int64)
    for j in range(total):
        cell = (int((boxes[1, j] - low_y) / side) + 1) * cells_x + int((boxes[0, j] - low_x) / side) + 1
        keep = True
        for row in range(-1, 2):
            for column in range(-1, 2):
                i = heads[cell + row * cells_x + column]
                while i >= 0 and keep:
                    dx = boxes[0, j] - boxes[0, i]
                    dy = boxes[1, j] - boxes[1, i]
                    both = boxes[7, j] + boxes[7, i]
                    smaller = min(boxes[6, j], boxes[6, i])
                    larger = max(boxes[6, j], boxes[6, i])
                    # the ratio of the areas bounds the IoU
                    possible = (
                        (labels[i] == labels[j])
                        & (smaller > threshold * larger)
                        & (abs(dx) < boxes[8, j] + boxes[8, i])
                        & (abs(dy) < boxes[9, j] + boxes[9, i])
                        & (dx * dx + dy * dy < both * both)
                    )
                    if possible and _pair_iou(boxes, i, boxes, j) > threshold:
                        keep = False
                    i = following[i]
        kept[j] = keep
        if keep:
            following[j] = heads[cell]
            heads[cell] = j


_TABLE = types.float64[:, ::1]


@functools.cache
def pairwise_kernel() -> Callable[..., None]:
    """Returns the compiled `_pairwise`; compiled or loaded from its cache on the first call."""
    integer = types.int64
    return compiled(_pairwise, _TABLE, _TABLE, types.int64[::1], types.float64, integer, integer, types.float32[:, ::1])


@functools.cache
def aligned_kernel() -> Callable[..., None]:
    """Returns the compiled `_aligned`; compiled or loaded from its cache on the first call."""
    return compiled(_aligned, _TABLE, _TABLE, types.float32[::1])


@functools.cache
def suppress_kernel() -> Callable[..., None]:
    """Returns the compiled `_suppress`; compiled or loaded from its cache on the first call."""
    return compiled(_suppress, _TABLE, types.int64[::1], types.float64, types.boolean[::1])
