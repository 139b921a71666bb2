"""Numba kernel of cascades of Haar features; imported on first use."""

from typing import Any

import numpy as np

from retable.kernels import helper, kernel


@helper
def _sum(table: Any, tilted: bool, y: int, x: int, rectangle: Any) -> float:
    """Sum over a rectangle of the window at (y, x), by the integral image or the tilted one."""
    left, top, width, height = rectangle[0] + x, rectangle[1] + y, rectangle[2], rectangle[3]
    if tilted:
        table = table[1]
        return float(
            table[top, left]
            - table[top + height, left - height]
            - table[top + width, left + width]
            + table[top + width + height, left + width - height]
        )
    table = table[0]
    right, bottom = left + width, top + height
    return float(table[top, left] - table[top, right] - table[bottom, left] + table[bottom, right])


@kernel
def passing(
    tables: Any, squares: Any, height: int, width: int, step: int, rectangles: Any, weights: Any, tilted: Any,
    features: Any, thresholds: Any, values: Any, ends: Any, stage_thresholds: Any,
) -> Any:  # fmt: skip
    """Slides the window over an image.

    Args:
        tables: (2, H + 1, W + 1) integral images, upright and tilted.
        squares: (H + 1, W + 1) integral image of the squares.
        height: As of `retable.papers.plates.rivals.haar.Cascade`, as is all that is not said here.
        width: Likewise.
        step: Pixels from one place to the next.
        rectangles: (F, 3, 4).
        weights: (F, 3).
        tilted: (F,).
        features: (S,).
        thresholds: (S,).
        values: (S, 2).
        ends: (K,).
        stage_thresholds: (K,).

    Returns:
        (N, 2), x and y of the windows that pass.
    """
    found = []
    area = (width - 2) * (height - 2)
    inner = np.array([1, 1, width - 2, height - 2])
    for y in range(0, squares.shape[0] - height, step):
        x = 0
        while x < squares.shape[1] - width:
            total = _sum(tables, False, y, x, inner)
            low, high, near, far = y + 1, y + height - 1, x + 1, x + width - 1
            squared = squares[low, near] - squares[low, far] - squares[high, near] + squares[high, far]
            variance = area * squared - total * total
            passed = variance > 0 and area / np.sqrt(variance) < 0.1
            stage = 0
            if passed:
                norm = 1 / np.sqrt(variance)
                stump = 0
                while passed and stage < len(ends):
                    score = 0.0
                    while stump < ends[stage]:
                        feature, value = features[stump], 0.0
                        for place in range(3):
                            weight = weights[feature, place]
                            if weight != 0:
                                value += weight * _sum(tables, tilted[feature], y, x, rectangles[feature, place])
                        score += values[stump, 0] if value * norm < thresholds[stump] else values[stump, 1]
                        stump += 1
                    passed = score >= stage_thresholds[stage]
                    stage += 1
                if passed:
                    found.append((x, y))
                elif stage == 1:
                    x += step  # next to what the first stage turns down nothing is expected
            x += step
    corners = np.empty((len(found), 2))
    for place in range(len(found)):
        corners[place, 0], corners[place, 1] = found[place]
    return corners
