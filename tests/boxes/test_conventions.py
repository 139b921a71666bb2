import math

import cv2
import numpy as np
import pytest
import torch
from tests.boxes.reference import corners_of, random_boxes, same_points

from retable.boxes import (
    box_to_corners,
    box_to_dota,
    box_to_opencv,
    canonical,
    dota_to_box,
    hrsc_to_box,
    opencv_to_box,
    ssdd_to_box,
)


def opencv_points(box):
    cx, cy, w, h, degrees = (float(value) for value in box)
    return cv2.boxPoints(((cx, cy), (w, h), degrees))


def test_opencv_boxes_have_the_corners_of_boxpoints():
    generator = torch.Generator().manual_seed(0)
    boxes = random_boxes(200, 1000, 1)
    boxes[:, 4] = torch.rand(200, generator=generator) * 90
    boxes[::2, 2:4] = boxes[::2, [3, 2]]  # w is often the shorter side
    for box, converted in zip(boxes, opencv_to_box(boxes), strict=True):
        assert converted[2] >= converted[3]
        assert same_points(opencv_points(box), box_to_corners(converted).numpy()) < 2e-3


def test_boxpoints_of_our_boxes_are_our_corners():
    boxes = canonical(random_boxes(200, 1000, 2))
    converted = box_to_opencv(boxes)
    assert (converted[:, 4] > 0).all()
    assert (converted[:, 4] <= 90).all()
    for box, corners in zip(converted, corners_of(boxes), strict=True):
        assert same_points(opencv_points(box), corners) < 2e-3


def test_minimum_area_rectangles_of_opencv_are_understood():
    for corners in corners_of(random_boxes(100, 300, 3)):
        (cx, cy), (w, h), degrees = cv2.minAreaRect(corners.astype(np.float32))
        box = opencv_to_box(torch.tensor([cx, cy, w, h, degrees]))
        assert same_points(box_to_corners(box).numpy(), corners) < 0.02


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("theta", "expected", "sides"),
    [
        (0.0, 90.0, (2, 8)),
        (-math.pi / 2, 90.0, (8, 2)),
        (math.pi / 4, 45.0, (8, 2)),
        (-math.pi / 4, 45.0, (2, 8)),
        (-1e-12, 90.0, (2, 8)),
        (1e-30, 90.0, (2, 8)),
    ],
)
def test_opencv_angles_at_the_seams(theta, expected, sides, dtype):
    result = box_to_opencv(torch.tensor([1, 2, 8, 2, theta], dtype=dtype))
    assert 0 < float(result[4]) <= 90
    points = opencv_points(result)
    assert same_points(points, corners_of(torch.tensor([[1, 2, 8, 2, theta]], dtype=dtype))[0]) < 1e-4
    if theta != 1e-30:
        assert float(result[4]) == pytest.approx(expected, abs=1e-4)
        assert tuple(result[2:4].tolist()) == sides


def test_ssdd_annotation_has_the_corners_that_it_states():
    box = ssdd_to_box(torch.tensor([102.0, 61.0, 18.0, 83.0, 59.036251068115234]))
    stated = np.array([[62, 74], [133, 31], [143, 47], [71, 90]])
    assert same_points(box_to_corners(box).numpy(), stated) < 1.5  # the file rounds centre, size and corners
    assert box[2:4].tolist() == [83.0, 18.0]
    assert float(box[4]) == pytest.approx(math.radians(59.036251 - 90), abs=1e-6)


def test_hrsc_annotation_of_a_ship_that_rises_to_the_right():
    # y points down: a negative angle lifts the right-hand end, the bow here
    cx, cy, w, h, angle = 582.9349, 353.2006, 778.1303, 174.2541, -0.2144308
    box = hrsc_to_box(torch.tensor([cx, cy, w, h, angle]))
    along = np.array([math.cos(angle), math.sin(angle)]) * w / 2
    across = np.array([-math.sin(angle), math.cos(angle)]) * h / 2
    centre = np.array([cx, cy])
    expected = [centre - along - across, centre + along - across, centre + along + across, centre - along + across]
    corners = box_to_corners(box).numpy()
    assert same_points(corners, np.array(expected)) < 1e-3
    bow = box[:2].numpy() + box_to_corners(box)[1:3].mean(dim=0).numpy() - np.array([cx, cy])
    assert np.linalg.norm(bow - np.array([964, 290])) < 30  # the annotated head of this ship


def test_dota_round_trip():
    boxes = canonical(random_boxes(200, 1000, 4))
    corners = box_to_dota(boxes)
    assert corners.shape == (200, 8)
    np.testing.assert_allclose(corners.reshape(-1, 4, 2).numpy(), corners_of(boxes), atol=1e-3)
    for box, expected in zip(dota_to_box(corners), corners_of(boxes), strict=True):
        assert same_points(box_to_corners(box).numpy(), expected) < 3e-3


def test_dota_corners_rounded_to_whole_pixels_stay_within_their_rounding():
    boxes = canonical(random_boxes(100, 1000, 5))
    for box, expected in zip(dota_to_box(box_to_dota(boxes).round()), corners_of(boxes), strict=True):
        assert same_points(box_to_corners(box).numpy(), expected) < 2.0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_opencv_round_trip(dtype):
    boxes = canonical(random_boxes(200, 1000, 6).to(dtype))
    restored = opencv_to_box(box_to_opencv(boxes))
    assert restored.dtype == dtype
    for one, other in zip(corners_of(restored), corners_of(boxes), strict=True):
        assert same_points(one, other) < 1e-3


def test_empty_sets_and_wrong_shapes():
    assert opencv_to_box(torch.zeros(0, 5)).shape == (0, 5)
    assert box_to_opencv(torch.zeros(0, 5)).shape == (0, 5)
    assert dota_to_box(torch.zeros(0, 8)).shape == (0, 5)
    assert box_to_dota(torch.zeros(0, 5)).shape == (0, 8)
    with pytest.raises(ValueError, match=r"\(2, 7\)"):
        dota_to_box(torch.zeros(2, 7))
    with pytest.raises(ValueError, match=r"\(2, 4\)"):
        ssdd_to_box(torch.zeros(2, 4))
