"""Cutting symbols out of photos."""

import cv2
import numpy as np
import pytest

from retable.papers.barcodes.symbology import ean13
from retable.papers.barcodes.warping import homography, sides, warp


def photo(turned: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A symbol of 2 pixels a module on white, turned by quarters, and its corners."""
    image = np.full((60, 230), 255, np.uint8)
    image[10:50, 20:210] = np.where(np.repeat(ean13.encode("4006381333931"), 2), 0, 255)
    corners = np.array([(20.0, 10.0), (210.0, 10.0), (210.0, 50.0), (20.0, 50.0)])
    for _ in range(turned):
        corners = np.stack([image.shape[0] - corners[:, 1], corners[:, 0]], 1)
        image = np.rot90(image, -1)
    return np.ascontiguousarray(image), corners


@pytest.mark.parametrize("turned", range(4))
@pytest.mark.parametrize("pixels", [1, 2, 4])
def test_every_module_lands_in_its_place(turned: int, pixels: int) -> None:
    image, corners = photo(turned)
    found = warp(image, corners, 95 * pixels, 8)
    middles = found[4, pixels // 2 :: pixels]
    assert np.array_equal(middles < 128, ean13.encode("4006381333931").astype(bool))


def test_margins_are_parts_of_the_width() -> None:
    image, corners = photo()
    found = warp(image, corners, 228, 4, margin=0.1)
    assert found.shape == (4, 228)
    assert (found[:, :18] > 250).all()
    assert (found[:, 19:20] < 100).all()
    assert (found[:, -18:] > 250).all()


def test_large_symbols_are_averaged() -> None:
    image = cv2.resize(photo()[0], None, fx=10, fy=10, interpolation=cv2.INTER_NEAREST)
    image[::2] = 255 - image[::2]
    assert np.abs(warp(image, photo()[1] * 10, 95, 4).astype(int) - 127).max() <= 14


def test_colours_stay() -> None:
    image = np.zeros((20, 20, 3), np.uint8)
    image[..., 0] = 200
    assert (warp(image, np.array([(2.0, 2), (18, 2), (18, 18), (2, 18)]), 5, 5) == (200, 0, 0)).all()


def test_homography_and_sides() -> None:
    corners = np.array([(0.0, 0.0), (30.0, 0.0), (40.0, 50.0), (0.0, 40.0)])
    x, y, w = homography(corners, 2.0, 3.0) @ (2.0, 3.0, 1.0)
    assert (x / w, y / w) == pytest.approx((40.0, 50.0), abs=1e-4)
    assert sides(corners) == pytest.approx((np.hypot(40, 10), np.hypot(10, 50)))
