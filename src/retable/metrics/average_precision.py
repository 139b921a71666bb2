"""Average precision as the PASCAL VOC development kits define it, in NumPy alone.

The steps of an evaluation, each a function: `match_detections` decides which detections are right,
`precision_recall` turns that into a curve, and `average_precision_voc07` and `average_precision_voc12`
turn the curve into a number.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.integer[Any]]
BoolArray = NDArray[np.bool_]

# k / 10 in float64 is the correctly rounded tenth, and so is recall = hits / positives. Recall that
# equals a tenth exactly is therefore never lost, which np.arange(0, 1.1, 0.1) would do at 0.3.
_ELEVEN_RECALLS = np.arange(11) / 10


def match_detections(
    best_iou: FloatArray,
    best_truth: IntArray,
    difficult: BoolArray,
    threshold: float,
) -> tuple[BoolArray, BoolArray]:
    """Decides which detections of one class are true positives, greedily by score as VOC does.

    Each detection claims only the ground truth that it overlaps most. The first claim in order of
    score is a true positive, any later one a false positive, even if the detection also overlaps
    another free ground truth. A claim on a difficult ground truth counts neither way.

    Args:
        best_iou: (D,) IoU of each detection with the ground truth that it overlaps most, in
            decreasing order of the detections' scores.
        best_truth: (D,) index of that ground truth; below 0 where there is none.
        difficult: (G,) whether each ground truth is difficult.
        threshold: the IoU from which (inclusive) a claim is valid; it is rounded to the type of `best_iou`, so
            that an IoU of exactly 0.65 reaches 0.65 in float32 too.

    Returns:
        Two (D,) masks: true positives, and ignored detections (which claim a difficult ground
        truth). All others are false positives.
    """
    detections = len(best_iou)
    true_positive = np.zeros(detections, dtype=np.bool_)
    ignored = np.zeros(detections, dtype=np.bool_)
    claims = np.flatnonzero((best_iou >= best_iou.dtype.type(threshold)) & (best_truth >= 0))
    claimed = best_truth[claims]
    on_difficult = difficult[claimed]
    ignored[claims[on_difficult]] = True
    # The earliest claim on each ground truth; rows are in order of score, so it has the best score.
    first_claim = np.full(len(difficult), detections, dtype=np.int64)
    np.minimum.at(first_claim, claimed[~on_difficult], claims[~on_difficult])
    true_positive[first_claim[first_claim < detections]] = True
    return true_positive, ignored


def precision_recall(
    true_positive: BoolArray, ignored: BoolArray, positives: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Computes precision and recall after each detection that counts.

    Args:
        true_positive: (D,) mask of true positives in decreasing order of score.
        ignored: (D,) mask of detections that count neither way; they are left out of the curve.
        positives: the number of ground truths that are not difficult.

    Returns:
        `precision` and `recall`, each float64 of shape (number of detections not ignored,).
        Recall is nan throughout if there are no positives.
    """
    counted = true_positive[~ignored]
    hits = np.cumsum(counted, dtype=np.int64)
    precision = hits / np.arange(1, len(hits) + 1)
    recall = hits / positives if positives > 0 else np.full(len(hits), np.nan)
    return precision, recall


def envelope(precision: FloatArray, recall: FloatArray) -> FloatArray:
    """Computes the greatest precision at the recall of each detection or more.

    Raises:
        ValueError: if the shapes differ or are not vectors.
    """
    if precision.shape != recall.shape or precision.ndim != 1:
        raise ValueError(
            f"precision and recall must be vectors of one length, not {precision.shape} and {recall.shape}"
        )
    # Recall never falls, so "at a recall of r or more" is a suffix of the curve.
    return np.maximum.accumulate(precision[::-1])[::-1]


def average_precision_voc07(precision: FloatArray, recall: FloatArray) -> float:
    """Computes the average precision of VOC 2007: the mean of eleven interpolated precisions.

    AP = 1/11 * sum over r in {0, 0.1, ..., 1} of the greatest precision at a recall of r or more
    (Everingham et al., IJCV 2010, equation 1).

    Its trap: the eleventh term is 0 until recall is exactly 1.0. A detector that makes no mistake
    and misses one ship in a thousand gets 10/11 = 90.9; the number says nothing more above that.
    Read it beside `average_precision_voc12`.

    Args:
        precision: (D,) precision after each detection, in decreasing order of score.
        recall: (D,) recall after each detection.

    Returns:
        A number in [0, 1]; 0 if there are no detections.

    Raises:
        ValueError: if the shapes differ or are not vectors.
    """
    steps = np.append(envelope(precision, recall), 0.0)
    return float(steps[np.searchsorted(recall, _ELEVEN_RECALLS, side="left")].mean())


def average_precision_voc12(precision: FloatArray, recall: FloatArray) -> float:
    """Computes the average precision of VOC 2010 and later: the area under the monotone precision envelope.

    The area is summed exactly, without sampling (VOC2012 development kit, section 3.4.1). Arguments, result and errors
    are those of `average_precision_voc07`.
    """
    return float(np.sum(np.diff(recall, prepend=0.0) * envelope(precision, recall)))
