import subprocess
import sys

import numpy as np
import pytest

from retable.metrics.average_precision import (
    average_precision_voc07,
    average_precision_voc12,
    match_detections,
    precision_recall,
)


def curve(hits: list[int], positives: int) -> tuple[np.ndarray, np.ndarray]:
    mask = np.array(hits, dtype=bool)
    return precision_recall(mask, np.zeros(len(hits), dtype=bool), positives)


def test_hand_computed_curve():
    # Hits at ranks 1, 3 and 4 of five, four objects: recalls .25 .25 .5 .75 .75, precisions 1 1/2 2/3 3/4 3/5.
    # Envelope: 1 up to recall 1/4, then 3/4 up to 3/4 (the precision 2/3 at 1/2 is lifted).
    precision, recall = curve([1, 0, 1, 1, 0], 4)
    np.testing.assert_allclose(precision, [1, 1 / 2, 2 / 3, 3 / 4, 3 / 5])
    np.testing.assert_allclose(recall, [0.25, 0.25, 0.5, 0.75, 0.75])
    assert average_precision_voc12(precision, recall) == pytest.approx(0.25 * 1 + 0.5 * 0.75)
    # Recalls 0, .1, .2 have precision 1; .3 to .7 have 3/4; .8, .9 and 1 have none.
    assert average_precision_voc07(precision, recall) == pytest.approx((3 * 1 + 5 * 0.75) / 11)


def test_voc07_saturates_until_recall_is_one():
    almost = curve([1] * 999, 1000)
    assert average_precision_voc07(*almost) == pytest.approx(10 / 11)  # 90.9, though one in 1000 is missing
    assert average_precision_voc12(*almost) == pytest.approx(0.999)
    assert average_precision_voc07(*curve([1] * 1000, 1000)) == 1.0
    # and the 1000th, found behind 1000 false alarms, lifts it by 1/22.
    assert average_precision_voc07(*curve([1] * 999 + [0] * 1000 + [1], 1000)) == pytest.approx(10.5 / 11)


@pytest.mark.parametrize("tenths", range(1, 11))
@pytest.mark.parametrize("positives", [10, 30, 70, 110, 1230])
def test_recall_of_exactly_some_tenths_counts(tenths: int, positives: int):
    # 0.1 + 0.1 + 0.1 is above 3/10 in floating point; no rounding may lose the point at recall 0.3.
    found = tenths * positives // 10
    assert average_precision_voc07(*curve([1] * found, positives)) == pytest.approx((tenths + 1) / 11)
    one_less = tenths / 11 if found > 1 else 0.0  # without any hit, recall 0 has no precision either
    assert average_precision_voc07(*curve([1] * (found - 1), positives)) == pytest.approx(one_less)


def test_no_detections_and_no_hits_give_zero():
    for function in (average_precision_voc07, average_precision_voc12):
        assert function(np.zeros(0), np.zeros(0)) == 0.0
        assert function(*curve([0, 0, 0], 2)) == 0.0


def test_shapes_are_checked():
    with pytest.raises(ValueError, match=r"\(3,\).*\(2,\)"):
        average_precision_voc07(np.zeros(3), np.zeros(2))


def test_matching_rules():
    difficult = np.array([False, True, False])
    best_iou = np.array([0.6, 0.5, 0.9, 0.8, 0.49, 0.7])
    best_truth = np.array([0, 2, 0, 1, 2, -1])
    hit, ignored = match_detections(best_iou, best_truth, difficult, 0.5)
    # The second claim on truth 0 is a false alarm although it overlaps more; 0.5 is enough; 0.49 is not.
    np.testing.assert_array_equal(hit, [True, True, False, False, False, False])
    np.testing.assert_array_equal(ignored, [False, False, False, True, False, False])
    precision, recall = precision_recall(hit, ignored, positives=2)
    np.testing.assert_allclose(precision, [1, 1, 2 / 3, 2 / 4, 2 / 5])
    np.testing.assert_allclose(recall, [0.5, 1, 1, 1, 1])


@pytest.mark.slow
def test_importing_the_package_loads_neither_numba_nor_torch():
    code = (
        "import sys, retable.metrics.average_precision; assert 'torch' not in sys.modules; "
        "import retable.metrics.detection; assert 'numba' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
