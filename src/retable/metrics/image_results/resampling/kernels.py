"""Numba kernel of average precisions over draws of images; imported on first use."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types
from numpy.typing import NDArray

from retable.kernels import compiled
from retable.metrics.average_precision import BoolArray

_BLOCK = 256  # draws that are gone through together: what is known of them stays in the L1 cache


def average_precisions(
    counts: NDArray[np.uint8], image: NDArray[Any], hits: BoolArray, truths: NDArray[Any]
) -> NDArray[np.float64]:
    """Average precisions of one class at one threshold, over draws of images.

    Args:
        counts: (I, D) how often each image is in each draw.
        image: (N,) images of the detections that count, by descending score.
        hits: (N,) which of them are true positives.
        truths: (I,) ground truths.

    Returns:
        (3, D) AP of VOC 2007, AP of VOC 2010 and later, and recall; NaN where a draw has no ground truth.
    """
    found = np.empty((3, counts.shape[1]))
    _compiled()(
        np.ascontiguousarray(counts, np.uint8),
        np.ascontiguousarray(image, np.int32),
        np.ascontiguousarray(hits, np.uint8),
        np.ascontiguousarray(truths, np.int32),
        found,
    )
    return found


def _average_precisions_python(
    counts: NDArray[np.uint8],
    image: NDArray[np.int32],
    hits: NDArray[np.uint8],
    truths: NDArray[np.int32],
    found: NDArray[np.float64],
) -> None:
    """Goes through the detections from the last to the first, so that the best precision so far is the envelope.

    Copies of a true positive raise the recall by as many steps, and precision is highest at the last of them. One that
    is not drawn gives the precision of what stands before it, which is none too high. The innermost loops go over
    draws and have no branches, so that LLVM turns them into vector instructions.
    """
    hits_of_image, all_of_image = np.zeros(truths.size, np.int32), np.zeros(truths.size, np.int32)
    for index in range(image.size):
        hits_of_image[image[index]] += hits[index]
        all_of_image[image[index]] += 1
    positives, right, seen = np.empty(_BLOCK, np.int32), np.empty(_BLOCK, np.int32), np.empty(_BLOCK, np.int32)
    best, area, eleven, tenths = np.empty(_BLOCK), np.empty(_BLOCK), np.empty(_BLOCK), np.empty(_BLOCK)
    for first in range(0, counts.shape[1], _BLOCK):
        width = min(_BLOCK, counts.shape[1] - first)
        positives[:], right[:], seen[:] = 0, 0, 0
        best[:], area[:], eleven[:] = 0.0, 0.0, 0.0
        for place in range(truths.size):
            several = counts[place, first : first + width]
            for draw in range(width):
                positives[draw] += several[draw] * truths[place]
                right[draw] += several[draw] * hits_of_image[place]
                seen[draw] += several[draw] * all_of_image[place]
        for draw in range(width):
            found[2, first + draw] = right[draw] / positives[draw]
            tenths[draw] = np.floor(10 * right[draw] / positives[draw])
        for index in range(image.size - 1, -1, -1):
            several = counts[image[index], first : first + width]
            if hits[index]:
                for draw in range(width):
                    precision = right[draw] / seen[draw]
                    best[draw] = precision if precision > best[draw] else best[draw]
                    area[draw] += several[draw] * best[draw]
                    right[draw] -= several[draw]
                    before = np.floor(10 * right[draw] / positives[draw])
                    eleven[draw] += (tenths[draw] - before) * best[draw]
                    tenths[draw] = before
            for draw in range(width):
                seen[draw] -= several[draw]
        for draw in range(width):
            found[0, first + draw] = (eleven[draw] + best[draw]) / 11  # at a recall of 0 it is the best of all
            found[1, first + draw] = area[draw] / positives[draw]
            if positives[draw] == 0:
                found[:, first + draw] = np.nan


@functools.cache
def _compiled() -> Callable[..., Any]:
    numbers = types.int32[::1]
    return compiled(
        _average_precisions_python, types.uint8[:, ::1], numbers, types.uint8[::1], numbers, types.float64[:, ::1]
    )
