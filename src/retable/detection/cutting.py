"""Cutting objects out of an image, with a margin, rectified where their corners are known."""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from retable.detection.transforms import Image


def cut_box(image: Image, box: Sequence[float], margin: float) -> Image:
    """Cuts out an axis-aligned box; what of it lies beyond the image is left out.

    Args:
        image: (H, W, 3).
        box: x1, y1, x2, y2 in pixels.
        margin: What is cut out around it, as a part of its sides.

    Returns:
        A view (h, w, 3), of one pixel at least where the box's middle lies in the image.
    """
    x1, y1, x2, y2 = box
    (left, right), (top, bottom) = (
        _range(x1, x2, margin, image.shape[1]),
        _range(y1, y2, margin, image.shape[0]),
    )
    return image[top:bottom, left:right]


def _range(low: float, high: float, margin: float, length: int) -> tuple[int, int]:
    wide = margin * (high - low)
    first = min(max(0, round(low - wide)), length - 1)
    return first, max(first + 1, min(length, round(high + wide)))


def cut_quadrangle(image: Image, corners: npt.NDArray[np.float32], margin: float) -> Image:
    """Cuts out a flat object that is seen from the side or turned, as if it were seen from its front.

    Args:
        image: (H, W, 3).
        corners: (4, 2) in pixels, clockwise from the object's own top left.
        margin: What is cut out around it, as a part of its sides.

    Returns:
        (h, w, 3); the longer of two opposite sides is the height or width. What lies beyond the image repeats its rim.
    """
    sides = np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1)  # top, right, bottom, left
    width, height = max(1.0, sides[0], sides[2]), max(1.0, sides[1], sides[3])
    x, y = margin * width, margin * height
    upright = np.array([(x, y), (x + width, y), (x + width, y + height), (x, y + height)], np.float32)
    # pixel centres lie at +0.5 in our coordinates and at 0 in OpenCV's
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32) - 0.5, upright - np.float32(0.5))
    size = round(width + 2 * x), round(height + 2 * y)
    seen = cv2.warpPerspective(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(seen, np.uint8)
