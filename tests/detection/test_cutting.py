"""Objects cut out of images: a plain box, and one that is seen from the side."""

import cv2
import numpy as np
import pytest

from retable.detection.cutting import cut_box, cut_quadrangle

GRADIENT = np.broadcast_to(np.arange(100, dtype=np.uint8)[None, :, None], (50, 100, 3))  # each pixel tells its column


def test_a_box_is_cut_out_with_its_margin() -> None:
    assert cut_box(GRADIENT, (20, 10, 40, 20), 0.0).shape == (10, 20, 3)
    cut = cut_box(GRADIENT, (20, 10, 40, 20), 0.1)
    assert cut.shape == (12, 24, 3)
    assert (cut[0, 0, 0], cut[0, -1, 0]) == (18, 41)


@pytest.mark.parametrize(
    ("box", "shape"),
    [
        ((-30, -5, 10, 5), (5, 10)),
        ((90, 45, 140, 80), (5, 10)),
        ((30.2, 10.1, 30.3, 10.2), (1, 1)),
        ((100, 50, 100, 50), (1, 1)),
    ],
)
def test_a_box_at_the_rim_or_of_no_size_leaves_a_pixel_at_least(box: tuple[float, ...], shape: tuple[int, int]) -> None:
    assert cut_box(GRADIENT, box, 0.0).shape == (*shape, 3)


def test_a_quadrangle_is_seen_from_its_front() -> None:
    plate = np.zeros((20, 60, 3), np.uint8)
    plate[:10, :30], plate[:10, 30:], plate[10:, 30:] = 80, 160, 240
    front = np.array([(0, 0), (60, 0), (60, 20), (0, 20)], np.float32)
    corners = np.array([(20, 40), (70, 20), (75, 45), (22, 60)], np.float32)
    matrix = cv2.getPerspectiveTransform(front - 0.5, corners - 0.5)
    seen = np.asarray(cv2.warpPerspective(plate, matrix, (100, 80)), np.uint8)
    cut = cut_quadrangle(seen, corners, 0.0)
    height, width = cut.shape[:2]
    assert (width, height) == (55, 25)  # the longer of opposite sides
    quarters = [cut[y, x, 0] for y in (height // 4, 3 * height // 4) for x in (width // 4, 3 * width // 4)]
    assert quarters == pytest.approx([80, 160, 0, 240], abs=4)


def test_an_upright_quadrangle_is_the_box_itself() -> None:
    corners = np.array([(20, 10), (40, 10), (40, 20), (20, 20)], np.float32)
    assert (cut_quadrangle(GRADIENT, corners, 0.0) == cut_box(GRADIENT, (20, 10, 40, 20), 0.0)).all()
    assert cut_quadrangle(GRADIENT, corners, 0.1).shape == (12, 24, 3)


def test_a_quadrangle_of_no_size_leaves_a_pixel() -> None:
    assert cut_quadrangle(GRADIENT, np.full((4, 2), 5, np.float32), 0.0).shape == (1, 1, 3)
