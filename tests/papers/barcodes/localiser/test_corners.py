"""From masks to corners."""

import math

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from retable.papers.barcodes.localiser.corners import Candidate, corners_of
from retable.papers.barcodes.localiser.masks import draw_mask, mask_loss
from retable.papers.barcodes.localiser.metrics import LocalisationMetric, corner_error, quadrangle_iou
from retable.papers.barcodes.symbology.ean13 import encode
from retable.papers.barcodes.warping import homography
from retable.synthetic.raster import Image, Points

FLAT = np.array([(100.0, 80.0), (290.0, 80.0), (290.0, 190.0), (100.0, 190.0)])
TILTED = np.array([(100.0, 90.0), (290.0, 70.0), (300.0, 200.0), (96.0, 190.0)])  # in perspective


def printed(corners: Points, height: int = 320, width: int = 400) -> Image:
    """A symbol on grey paper."""
    bars = np.tile(np.where(np.repeat(encode("4006381333931"), 4), 20, 230).astype(np.uint8), (200, 1))
    matrix = homography(corners, bars.shape[1], bars.shape[0])
    image = np.full((height, width), 180, np.uint8)
    cv2.warpPerspective(bars, matrix, (width, height), image, cv2.INTER_AREA, cv2.BORDER_TRANSPARENT)
    return image


def turned(corners: Points, degrees: float) -> Points:
    angle, centre = math.radians(degrees), np.array([200.0, 160.0])
    matrix = np.array([(math.cos(angle), -math.sin(angle)), (math.sin(angle), math.cos(angle))])
    return np.asarray((corners - corners.mean(0)) @ matrix.T + centre, np.float64)


def masks(quadrangles: Points) -> NDArray[np.float32]:
    """What a network should say: of the last symbol also that it is of EAN-13."""
    groups = (quadrangles, quadrangles[-1:])
    return np.stack([draw_mask(group, 80, 100, 4).astype(np.float32) / 255 for group in groups])


@pytest.mark.parametrize("degrees", [0, 20, 45, 88, 90, 133, 180, 251, 300])
@pytest.mark.parametrize("ratio", [1.0, 0.5])
def test_corners_are_those_of_the_symbol(degrees: float, ratio: float) -> None:
    """Also of high and narrow ones: the bars tell how a symbol is read, its shape does not."""
    corners = turned(FLAT * np.array([ratio, 1.0]), degrees)
    mask = masks(corners[None])
    (found,) = corners_of(mask, printed(corners))
    assert corner_error(found.corners, corners) < 2.0  # half a cell
    assert found.score > 0.9
    assert found.coherence > 0.7
    x, y = found.corners[:, 0], found.corners[:, 1]
    assert (x * np.roll(y, -1) - y * np.roll(x, -1)).sum() > 0


def test_a_mask_without_a_corner_has_the_rectangle_of_the_whole() -> None:
    mask = masks(FLAT[None])
    mask[:, 20:28, 60:73] = 0.0
    (found,) = corners_of(mask, printed(FLAT))
    assert corner_error(found.corners, FLAT) < 1.5


def test_in_perspective_it_is_the_rectangle_around() -> None:
    (found,) = corners_of(masks(TILTED[None]), printed(TILTED))
    assert quadrangle_iou(found.corners, TILTED) > 0.75
    assert corner_error(found.corners, TILTED) < 20


def test_several_symbols_come_by_area_and_specks_do_not() -> None:
    small = TILTED * 0.4
    large = TILTED * 0.7 + np.array([60, 80])
    mask = masks(np.stack([small, large]))
    mask[:, 70, 5] = 1.0
    image = printed(large)
    found = corners_of(mask, image, least_area=40.0)
    assert [quadrangle_iou(item.corners, known) > 0.7 for item, known in zip(found, (large, small), strict=True)] == [
        True,
        True,
    ]
    assert found[0].area > found[1].area
    assert found[0].ean13 > 0.95
    assert found[1].ean13 == 0.0
    assert corners_of(0.4 * mask, image) == []
    assert corners_of(0.7 * mask, image, least_score=0.9) == []


def test_masks_tell_parts_of_cells() -> None:
    mask = draw_mask(np.array([[(4.0, 4.0), (12.0, 4.0), (12.0, 10.0), (4.0, 10.0)]]), 4, 4, 4)
    assert mask[1].tolist() == pytest.approx([0, 255, 255, 0], abs=33)
    assert mask[2].tolist() == pytest.approx([0, 128, 128, 0], abs=33)
    assert mask[3].tolist() == [0, 0, 0, 0]


def test_the_loss_is_least_for_the_right_mask() -> None:
    target = torch.zeros(2, 2, 8, 8)
    target[:, 0, 2:5, 1:6] = 1
    right = (target * 2 - 1) * 12
    assert mask_loss(right, target, 1.0) < 0.01
    assert mask_loss(-right, target, 1.0) > 5
    assert mask_loss(right.flip(3), target, 1.0) > mask_loss(right, target, 1.0)


def test_metrics() -> None:
    metric = LocalisationMetric()
    near = Candidate(np.roll(TILTED + 1.0, 2, axis=0), 0.9, 1.0, 1.0)  # upside down, one pixel off in x and in y
    far = Candidate(TILTED + 300.0, 0.8, 1.0, 1.0)
    metric.update([far, near], np.stack([TILTED, TILTED + np.array([0, 500])]), False, 2.0)
    metric.update([], np.zeros((0, 4, 2)), False, 1.0)
    metric.update_masks(torch.tensor([True, True, False]), torch.tensor([True, False, False]))
    found = {name: float(value) for name, value in metric.compute().items()}
    assert found["recall"] == found["precision"] == found["mask_iou"] == 0.5
    assert found["corner_error"] == pytest.approx(2 * math.sqrt(2), rel=1e-3)
    assert 0.45 < found["box_iou"] < 0.5
    boxes = LocalisationMetric()
    box = np.array([(96.0, 70.0), (300.0, 70.0), (300.0, 200.0), (96.0, 200.0)])
    boxes.update([near], box[None], True, 1.0)
    assert float(boxes.compute()["recall"]) == 1
    assert math.isnan(float(boxes.compute()["corner_error"]))
