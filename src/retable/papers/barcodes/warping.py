"""From a quadrangle in a photo to an upright symbol."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from retable.synthetic.raster import Image, Points

_LARGEST = 4096  # pixels a side that are warped before they are averaged


def sides(corners: Points) -> tuple[float, float]:
    """Returns width and height of a quadrangle (4, 2): the longer of two opposite sides each."""
    lengths = np.linalg.norm(np.roll(corners, -1, 0) - corners, axis=1)
    return max(lengths[0], lengths[2]), max(lengths[1], lengths[3])


def homography(corners: Points, width: float, height: float) -> NDArray[np.float64]:
    """Returns the matrix (3, 3) that maps a rectangle from (0, 0) to (width, height) onto a quadrangle (4, 2)."""
    rectangle = np.array([(0.0, 0.0), (width, 0.0), (width, height), (0.0, height)], np.float32)
    return np.asarray(cv2.getPerspectiveTransform(rectangle, corners.astype(np.float32)), np.float64)


def warp(image: Image, corners: Points, width: int, height: int, margin: float = 0.0) -> Image:
    """Cuts a symbol out of a photo; where it shrinks, pixels are averaged.

    Args:
        image: uint8 (H, W) or (H, W, 3).
        corners: (4, 2) in continuous pixels, in reading order.
        width: Of the result, its margins included.
        height: Of the result.
        margin: Surroundings on the left and on the right, each as a part of the symbol's width.

    Returns:
        uint8 (height, width) or (height, width, 3). What lies outside of the photo repeats its border.
    """
    wide, high = sides(corners)
    across = _oversampling(wide * (1 + 2 * margin), width)
    down = _oversampling(high, height)
    inner = width * across / (1 + 2 * margin)
    # from pixel indices of the result to its continuous coordinates, to the photo's, to its pixel indices
    offset = np.array([(1.0, 0.0, 0.5 - margin * inner), (0.0, 1.0, 0.5), (0.0, 0.0, 1.0)])
    centre = np.array([(1.0, 0.0, -0.5), (0.0, 1.0, -0.5), (0.0, 0.0, 1.0)])
    matrix = centre @ homography(corners, inner, height * down) @ offset
    how: Any = {"flags": cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, "borderMode": cv2.BORDER_REPLICATE}
    cut = cv2.warpPerspective(image, matrix, (width * across, height * down), **how)
    if across > 1 or down > 1:
        cut = cv2.resize(cut, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(cut, np.uint8)


def _oversampling(length: float, pixels: int) -> int:
    """How many samples are taken for each pixel so that none of the photo's is passed over."""
    return max(1, min(int(np.ceil(length / pixels - 0.25)), _LARGEST // pixels))
