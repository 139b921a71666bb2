"""Compiled loops of the detection metrics: for each detection, the ground truth that it overlaps most.

All images are handled in one call: a Python loop over images would cost more than the overlaps. The
cost is kept down by cheap rejections before any area is computed: other labels, bounding rectangles apart,
and centres further apart than the two half diagonals.

Numba compares only this file's time with its cache. Whoever changes the rotated IoU kernel while
developing removes the `__pycache__` folder beside this file.
"""

import functools
from collections.abc import Callable
from typing import Any

from numba import types

from retable.boxes._kernels import _compile, _pair_iou


def _best_overlaps_rotated(
    boxes: Any,
    labels: Any,
    box_starts: Any,
    truths: Any,
    truth_labels: Any,
    truth_starts: Any,
    best_iou: Any,
    best: Any,
) -> None:
    """Fill best_iou (D,) and best (D,) with the greatest rotated IoU of each detection and the row of that truth.

    `boxes` and `truths` are the (10, D) and (10, G) tables of the boxes room, grouped by image; rows
    of image i are starts[i] to starts[i + 1]. `best_iou` comes filled with 0 and `best` with -1, which stays where
    nothing overlaps. The first of equal truths wins.
    """
    for image in range(box_starts.shape[0] - 1):
        for row in range(box_starts[image], box_starts[image + 1]):
            for truth in range(truth_starts[image], truth_starts[image + 1]):
                dx = boxes[0, row] - truths[0, truth]
                dy = boxes[1, row] - truths[1, truth]
                reach = boxes[7, row] + truths[7, truth]
                near = (
                    (truth_labels[truth] == labels[row])
                    & (abs(dx) < boxes[8, row] + truths[8, truth])
                    & (abs(dy) < boxes[9, row] + truths[9, truth])
                    & (dx * dx + dy * dy < reach * reach)
                )
                if near:
                    iou = _pair_iou(truths, truth, boxes, row)
                    if iou > best_iou[row]:
                        best_iou[row] = iou
                        best[row] = truth


def _best_overlaps_upright(
    boxes: Any,
    labels: Any,
    box_starts: Any,
    truths: Any,
    truth_labels: Any,
    truth_starts: Any,
    best_iou: Any,
    best: Any,
) -> None:
    """Do as `_best_overlaps_rotated` for axis-aligned boxes: `boxes` and `truths` have the rows x1, y1, x2, y2."""
    for image in range(box_starts.shape[0] - 1):
        for row in range(box_starts[image], box_starts[image + 1]):
            area = (boxes[2, row] - boxes[0, row]) * (boxes[3, row] - boxes[1, row])
            for truth in range(truth_starts[image], truth_starts[image + 1]):
                if truth_labels[truth] != labels[row]:
                    continue
                width = min(boxes[2, row], truths[2, truth]) - max(boxes[0, row], truths[0, truth])
                height = min(boxes[3, row], truths[3, truth]) - max(boxes[1, row], truths[1, truth])
                if width <= 0.0 or height <= 0.0:
                    continue
                truth_area = (truths[2, truth] - truths[0, truth]) * (truths[3, truth] - truths[1, truth])
                iou = width * height / (area + truth_area - width * height)
                if iou > best_iou[row]:
                    best_iou[row] = iou
                    best[row] = truth


_TABLE = types.float64[:, ::1]
_INTEGERS = types.int64[::1]
_SIGNATURE = (_TABLE, _INTEGERS, _INTEGERS, _TABLE, _INTEGERS, _INTEGERS, types.float64[::1], _INTEGERS)


@functools.cache
def best_overlaps_kernel(rotated: bool) -> Callable[..., None]:
    """Return the compiled `_best_overlaps_rotated` or `_best_overlaps_upright`, from the disk cache if it is there."""
    return _compile(_best_overlaps_rotated if rotated else _best_overlaps_upright, *_SIGNATURE)
