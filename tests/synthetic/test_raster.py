"""Polygons at fractions of pixels."""

import math

import numpy as np
import pytest

from retable.synthetic.raster import fill, fixed, outline, place

_SQUARE = np.array([[-5.0, -5.0], [5.0, -5.0], [5.0, 5.0], [-5.0, 5.0]])


def test_pixel_centres_are_integers_to_opencv() -> None:
    assert fixed(np.array([[0.5, 10.5], [1.0, 2.25]])).tolist() == [[0, 160], [8, 28]]
    assert fixed(np.array([[1.0, 1.0]]), 2.0).tolist() == [[24, 24]]


def test_place_turns_clockwise_on_screen_and_moves() -> None:
    assert place(np.array([[1.0, 0.0]]), 10.0, 20.0, math.pi / 2) == pytest.approx(np.array([[10.0, 21.0]]))


@pytest.mark.parametrize("centre", [(20.0, 20.0), (20.3, 19.6)])
def test_filled_polygons_lie_where_they_are_put(centre: tuple[float, float]) -> None:
    image = np.zeros((40, 40), np.uint8)
    fill(image, [place(_SQUARE, *centre, 0.4)], 255)
    rows, columns = np.mgrid[:40, :40] + 0.5
    assert (image * columns).sum() / image.sum() == pytest.approx(centre[0], abs=0.3)  # OpenCV's fillings err so much
    assert (image * rows).sum() / image.sum() == pytest.approx(centre[1], abs=0.3)
    assert 100 < image.sum() / 255 < 130  # OpenCV's smooth edges reach a little too far


def test_overlapping_polygons_are_one_area_and_colours_are_kept() -> None:
    image = np.zeros((40, 40, 3), np.uint8)
    fill(image, [_SQUARE + 15, _SQUARE + 18], (10, 20, 30), smooth=False)
    assert image[16, 16].tolist() == [10, 20, 30]
    assert {tuple(pixel) for pixel in image.reshape(-1, 3).tolist()} == {(0, 0, 0), (10, 20, 30)}


def test_outlines_are_closed_and_hollow() -> None:
    image = np.zeros((40, 40), np.uint8)
    outline(image, [_SQUARE + 20], 200, 1)
    assert image[20, 20] == 0
    assert all(image[row, column] > 0 for row, column in ((15, 20), (24, 20), (20, 15), (20, 24)))
