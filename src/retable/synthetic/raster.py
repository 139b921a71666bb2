"""Antialiased polygons at fractions of pixels, drawn by OpenCV.

Coordinates are pixels, x right and y down, with pixel centres at +0.5.
Angles are radians, positive clockwise on screen.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Image = NDArray[np.uint8]
Value = int | tuple[int, int, int]
"""What is drawn: a grey level or red, green and blue."""

SHIFT: Final = 4  # fractional bits of the fixed-point coordinates handed to OpenCV


def fixed(points: Points, scale: float = 1.0) -> NDArray[np.int32]:
    """Turns continuous image coordinates (..., 2) into OpenCV's fixed-point ones, where pixel centres are integers.

    They are to be drawn with `shift=SHIFT`; `scale` is the factor of a supersampled canvas.
    """
    return np.rint((points * scale - 0.5) * (1 << SHIFT)).astype(np.int32)


def place(points: Points, cx: float, cy: float, angle: float) -> Points:
    """Rotates points of shape (..., 2) about the origin by `angle` and moves the origin to (cx, cy)."""
    cosine, sine = math.cos(angle), math.sin(angle)
    turned: Points = points @ np.array([[cosine, sine], [-sine, cosine]])
    turned += np.array([cx, cy])
    return turned


def fill(image: Image, polygons: Iterable[Points], value: Value, smooth: bool = True) -> None:
    """Fills polygons, each by its corners (K, 2), in an image (H, W) or (H, W, 3), in place; `smooth` antialiases."""
    for polygon in polygons:  # one by one: together, those that overlap an even number of times would cancel out
        cv2.fillPoly(image, [fixed(polygon)], value, cv2.LINE_AA if smooth else cv2.LINE_8, SHIFT)


def outline(image: Image, polygons: Iterable[Points], value: Value, thickness: int, smooth: bool = True) -> None:
    """Draws closed lines through the corners of polygons (K, 2), in place; the arguments are those of `fill`."""
    points = [fixed(polygon) for polygon in polygons]
    cv2.polylines(image, points, True, value, thickness, cv2.LINE_AA if smooth else cv2.LINE_8, SHIFT)
