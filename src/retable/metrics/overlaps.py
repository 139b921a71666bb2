"""For each detection, the ground truth that it overlaps most: all images at once, without a loop over them.

Every pair of a detection and a ground truth of its image and label is listed, pairs that lie apart are struck out by
their bounding circles, and what is left goes to the aligned IoU of the boxes room in one call.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from retable.boxes import rotated_iou_aligned

IntArray = NDArray[np.int64]

_PAIRS = 1 << 20  # listed at a time; a few dozen bytes each


@dataclass(frozen=True)
class BoxesOfImages:
    """Boxes of several images, one image after the other.

    Attributes:
        boxes: (N, 5) float32 as (cx, cy, w, h, theta), or (N, 4) as (x1, y1, x2, y2).
        labels: (N,) classes.
        starts: (I + 1,) the rows of image i are starts[i] to starts[i + 1].
    """

    boxes: NDArray[np.float32]
    labels: IntArray
    starts: IntArray

    @property
    def images(self) -> IntArray:
        """(N,) the image of each box, from 0 to I - 1."""
        return np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))


def best_overlaps(detections: BoxesOfImages, truths: BoxesOfImages) -> tuple[NDArray[np.float32], IntArray]:
    """Finds for each detection the ground truth of its image and label with the greatest IoU.

    Args:
        detections: D boxes of some images.
        truths: boxes of the same images in the same order, of the same form.

    Returns:
        (D,) the greatest IoU, and (D,) the row of that truth, the first of equals; 0 and -1 where none overlaps.
    """
    best_iou = np.zeros(len(detections.boxes), dtype=np.float32)
    best_truth = np.full(len(detections.boxes), -1, dtype=np.int64)
    pair_iou = _rotated_iou if detections.boxes.shape[1] == 5 else _upright_iou
    for detection, truth in _pairs(detections, truths):
        near, iou = pair_iou(detections.boxes, detection, truths.boxes, truth)
        detection, truth = detection[near], truth[near]
        np.maximum.at(best_iou, detection, iou)
        winners = np.flatnonzero((iou == best_iou[detection]) & (iou > 0))
        # The pairs of a detection stand in the order of the truths; the first index of each is the first of equals.
        first = winners[np.diff(detection[winners], prepend=-1) > 0]
        best_truth[detection[first]] = truth[first]
    return best_iou, best_truth


def _pairs(detections: BoxesOfImages, truths: BoxesOfImages) -> Iterator[tuple[IntArray, IntArray]]:
    """Lists the rows of all pairs of one image and label, by detection and then truth; no detection is split up."""
    image = detections.images
    partners = np.diff(truths.starts)[image]
    last_pair = np.cumsum(partners)
    start = 0
    while start < len(partners):
        before = last_pair[start] - partners[start]
        stop = max(start + 1, int(np.searchsorted(last_pair, before + _PAIRS, side="right")))
        counts = partners[start:stop]
        detection = np.repeat(np.arange(start, stop), counts)
        place = np.arange(len(detection)) - np.repeat(last_pair[start:stop] - counts - before, counts)
        truth = truths.starts[image[detection]] + place
        same = detections.labels[detection] == truths.labels[truth]
        yield detection[same], truth[same]
        start = stop


def _rotated_iou(
    boxes: NDArray[np.float32], first: IntArray, others: NDArray[np.float32], second: IntArray
) -> tuple[IntArray, NDArray[np.float32]]:
    """Tells which of the pairs may overlap, and their IoU."""
    radius, other_radius = (0.5 * np.hypot(b[:, 2], b[:, 3]) for b in (boxes, others))
    dx, dy = boxes[first, 0] - others[second, 0], boxes[first, 1] - others[second, 1]
    # A thousandth more than the circles: rounding must not strike out a pair that touches.
    reach = 1.001 * (radius[first] + other_radius[second])
    near = np.flatnonzero(dx * dx + dy * dy <= reach * reach)
    iou = rotated_iou_aligned(torch.from_numpy(boxes[first[near]]), torch.from_numpy(others[second[near]]))
    return near, iou.numpy()


def _upright_iou(
    boxes: NDArray[np.float32], first: IntArray, others: NDArray[np.float32], second: IntArray
) -> tuple[IntArray, NDArray[np.float32]]:
    one, other = boxes[first].astype(np.float64), others[second].astype(np.float64)
    sides = np.minimum(one[:, 2:], other[:, 2:]) - np.maximum(one[:, :2], other[:, :2])
    near = np.flatnonzero((sides > 0).all(axis=1))
    common = sides[near].prod(axis=1)
    union = (one[near, 2:] - one[near, :2]).prod(axis=1) + (other[near, 2:] - other[near, :2]).prod(axis=1) - common
    return near, (common / union).astype(np.float32)
