"""Boxes as other tools and datasets write them, by their corner points."""

import math

import cv2
import numpy as np
import pytest
import torch
from tests.boxes.reference import corners_of, random_boxes, same_points

from retable.boxes import box_to_corners, canonical, corners_to_box, opencv_to_box


def test_opencv_boxes_have_the_corners_of_boxpoints():
    generator = torch.Generator().manual_seed(0)
    boxes = random_boxes(200, 1000, 1)
    boxes[:, 4] = torch.rand(200, generator=generator) * 90
    boxes[::2, 2:4] = boxes[::2, [3, 2]]  # w is often the shorter side
    for box, converted in zip(boxes, opencv_to_box(boxes), strict=True):
        cx, cy, w, h, degrees = (float(value) for value in box)
        assert converted[2] >= converted[3]
        assert same_points(cv2.boxPoints(((cx, cy), (w, h), degrees)), box_to_corners(converted).numpy()) < 2e-3


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_minimum_area_rectangles_of_opencv_are_understood(dtype):
    for corners in corners_of(random_boxes(100, 300, 3)):
        (cx, cy), (w, h), degrees = cv2.minAreaRect(corners.astype(np.float32))
        box = opencv_to_box(torch.tensor([cx, cy, w, h, degrees], dtype=dtype))
        assert box.dtype == dtype
        assert same_points(box_to_corners(box).numpy(), corners) < 0.02


def test_ssdd_annotation_has_the_corners_that_it_states():
    box = opencv_to_box(torch.tensor([102.0, 61.0, 18.0, 83.0, 59.036251068115234]))
    stated = np.array([[62, 74], [133, 31], [143, 47], [71, 90]])
    assert same_points(box_to_corners(box).numpy(), stated) < 1.5  # the file rounds centre, size and corners
    assert box[2:4].tolist() == [83.0, 18.0]
    assert float(box[4]) == pytest.approx(math.radians(59.036251 - 90), abs=1e-6)


def test_hrsc_annotation_of_a_ship_that_rises_to_the_right():
    # y points down: a negative angle lifts the right-hand end, the bow here
    cx, cy, w, h, angle = 582.9349, 353.2006, 778.1303, 174.2541, -0.2144308
    box = canonical(torch.tensor([cx, cy, w, h, angle]))
    along = np.array([math.cos(angle), math.sin(angle)]) * w / 2
    across = np.array([-math.sin(angle), math.cos(angle)]) * h / 2
    centre = np.array([cx, cy])
    expected = [centre - along - across, centre + along - across, centre + along + across, centre - along + across]
    corners = box_to_corners(box).numpy()
    assert same_points(corners, np.array(expected)) < 1e-3
    bow = box[:2].numpy() + box_to_corners(box)[1:3].mean(dim=0).numpy() - np.array([cx, cy])
    assert np.linalg.norm(bow - np.array([964, 290])) < 30  # the annotated head of this ship


def test_dota_corners_rounded_to_whole_pixels_stay_within_their_rounding():
    boxes = canonical(random_boxes(100, 1000, 5))
    for box, expected in zip(corners_to_box(box_to_corners(boxes).round()), corners_of(boxes), strict=True):
        assert same_points(box_to_corners(box).numpy(), expected) < 2.0


def test_empty_sets_and_wrong_shapes():
    assert opencv_to_box(torch.zeros(0, 5)).shape == (0, 5)
    with pytest.raises(ValueError, match=r"\(2, 4\)"):
        opencv_to_box(torch.zeros(2, 4))
