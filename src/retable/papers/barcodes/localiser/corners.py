"""From a mask to the four corners of each symbol."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from retable.synthetic.raster import Image, Points

_SHORT: Final = 0.12  # part of a side at either end that does not tell where the side is: corners are rounded
_ROUNDS: Final = 4  # of fitting sides to what is nearest to them
_LARGEST: Final = 320  # pixels of the longer side at which gradients are looked at


@dataclass(frozen=True)
class Candidate:
    """What may be a symbol.

    Attributes:
        corners: (4, 2) in continuous pixels of the photo, clockwise. The first two are along the direction of reading;
            whether it is that or its opposite, the reader finds out.
        score: Mean probability of its pixels.
        ean13: Probability that it is of EAN-13 or UPC-A, not of another kind.
        coherence: How much the gradients in it have one direction, 0 to 1: bars have, text and textures have not.
    """

    corners: Points
    score: float
    ean13: float
    coherence: float

    @property
    def area(self) -> float:
        """Its area, square pixels of the photo."""
        return float(abs(cv2.contourArea(self.corners.astype(np.float32))))


def corners_of(
    masks: NDArray[np.float32], image: Image, threshold: float = 0.5, least_score: float = 0.0, least_area: float = 1.0
) -> list[Candidate]:
    """Returns the barcodes of masks, the largest first.

    Args:
        masks: Probabilities (2, h, w) that there is a barcode, and that there is one of EAN-13 or UPC-A; the photo may
            have several pixels for one of the masks.
        image: The photo, uint8 (H, W) or (H, W, 3).
        threshold: Probability from which on a pixel belongs to a barcode.
        least_score: Mean probability of its pixels below which a barcode is none.
        least_area: Area below which it is none, square pixels of the photo.
    """
    mask, kind = masks
    if mask.max(initial=0.0) < threshold:
        return []
    factor = max(1, round(min(image.shape[0] / mask.shape[0], 4)))
    kind = cv2.resize(kind, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR)
    fine = cv2.resize(mask, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR)
    scale = np.array([image.shape[1] / fine.shape[1], image.shape[0] / fine.shape[0]])
    count, labels, stats, _ = cv2.connectedComponentsWithStats((fine >= threshold).astype(np.uint8), connectivity=4)
    found = []
    for label in range(1, count):
        x, y, width, height, pixels = stats[label]
        if pixels * scale[0] * scale[1] < least_area:
            continue
        inside = (labels[y : y + height, x : x + width] == label).astype(np.uint8)
        box = slice(y, y + height), slice(x, x + width)
        score, ean13 = (float(cv2.mean(field[box], inside)[0]) for field in (fine, kind))
        corners = quadrangle(inside) if score >= least_score else None
        if corners is not None:
            corners = (corners + np.array([x, y])) * scale
            angle, coherence = direction(image, corners)
            found.append(Candidate(along(corners, angle), score, min(ean13 / score, 1.0), coherence))
    return sorted(found, key=lambda candidate: -candidate.area)


def quadrangle(inside: Image) -> Points | None:
    """Returns the quadrangle (4, 2) around a blob, clockwise, in continuous pixels; None where it is none.

    Each side of the smallest rectangle around it is moved and turned until it follows the border there: what a camera
    sees of a rectangle is none, and neither a bump nor a rounded corner should count.

    Args:
        inside: uint8 (H, W), not 0 where the blob is.
    """
    contours, _ = cv2.findContours(inside, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    largest = max(contours, key=len)
    if len(largest) < 8:
        return None
    points = largest.reshape(-1, 2).astype(np.float64)
    rectangle = cv2.boxPoints(cv2.minAreaRect(largest)).astype(np.float64)
    corners = rectangle
    for _ in range(_ROUNDS):
        corners = _fitted(points, corners)
        if not np.isfinite(corners).all() or np.abs(corners - rectangle).max() > 0.5 * np.ptp(rectangle, axis=0).max():
            corners = rectangle
            break
    # contours run through the middles of the outer pixels, half a pixel inside, and pixel centres are whole numbers
    return _clockwise(_crossings([_moved(line, corners.mean(0), 0.5) for line in _sides(corners)]) + 0.5)


def direction(image: Image, corners: Points) -> tuple[float, float]:
    """Returns the angle of the direction of reading, modulo a half turn, in radians, and how clear it is.

    Bars have gradients along the direction of reading only: it is the main axis of the structure tensor.

    Args:
        image: The photo, uint8 (H, W) or (H, W, 3).
        corners: (4, 2) of the symbol.
    """
    low = np.maximum(np.floor(corners.min(0)).astype(int), 0)
    high = np.minimum(np.ceil(corners.max(0)).astype(int), (image.shape[1], image.shape[0]))
    if (high - low < 4).any():
        return 0.0, 0.0
    part = image[low[1] : high[1], low[0] : high[0]]
    grey = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY) if part.ndim == 3 else part
    zoom = min(1.0, _LARGEST / max(grey.shape))
    if zoom < 1.0:
        grey = cv2.resize(grey, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)
    centre = corners.mean(0)
    inner = ((corners - centre) * 0.85 + centre - low) * zoom  # without the border, where a label may end
    mask = np.zeros(grey.shape, np.uint8)
    cv2.fillConvexPoly(mask, np.rint(inner).astype(np.int32), 1)
    smooth = cv2.GaussianBlur(grey, (3, 3), 0.8)
    across, down = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    chosen = mask.astype(bool)
    gx, gy = across[chosen], down[chosen]
    xx, yy, xy = float(gx @ gx), float(gy @ gy), float(gx @ gy)
    total = xx + yy
    if total <= 0.0:
        return 0.0, 0.0
    return 0.5 * math.atan2(2.0 * xy, xx - yy), math.hypot(xx - yy, 2.0 * xy) / total


def along(corners: Points, angle: float) -> Points:
    """Returns clockwise corners (4, 2), of which the first two are along a direction, rightwards where that may be."""
    best = max(range(4), key=lambda first: _alignment(np.roll(corners, -first, 0), angle))
    turned = np.roll(corners, -best, 0)
    x, y = turned[1] - turned[0]
    return np.roll(turned, 2, 0) if (x, y) < (-abs(y) * 1e-3, 0.0) else turned


def _alignment(corners: Points, angle: float) -> float:
    """How much the first and the third side have a direction."""
    return sum(
        abs(math.cos(math.atan2(side[1], side[0]) - angle))
        for side in (corners[1] - corners[0], corners[2] - corners[3])
    )


_Line = tuple[Points, Points]  # a point of it and its direction, of length 1


def _sides(corners: Points) -> list[_Line]:
    """Returns the sides of a quadrangle (4, 2) as lines."""
    directions = np.roll(corners, -1, axis=0) - corners
    directions /= np.maximum(np.linalg.norm(directions, axis=1, keepdims=True), 1e-9)
    return list(zip(corners, directions, strict=True))


def _fitted(points: Points, corners: Points) -> Points:
    """Returns a quadrangle whose sides follow those points of a border that are nearest to each of another one's."""
    sides = _sides(corners)
    lengths = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    normals = [np.array([-direction[1], direction[0]]) for _, direction in sides]
    distances = np.abs(np.stack([(points - start) @ normal for (start, _), normal in zip(sides, normals, strict=True)]))
    nearest = distances.argmin(0)
    lines = []
    for index, (start, direction) in enumerate(sides):
        place = (points - start) @ direction / max(float(lengths[index]), 1e-9)
        chosen = points[(nearest == index) & (place > _SHORT) & (place < 1.0 - _SHORT)]
        if len(chosen) < 4:
            lines.append((start, direction))
            continue
        x, y, px, py = cv2.fitLine(chosen.astype(np.float32), cv2.DIST_HUBER, 0, 0.01, 0.01).ravel().astype(float)
        lines.append((np.array([px, py]), np.array([x, y])))
    return _crossings(lines)


def _moved(line: _Line, centre: Points, distance: float) -> _Line:
    """Returns a line that lies by a distance further from a centre."""
    point, direction = line
    normal = np.array([-direction[1], direction[0]])
    outward = normal if (point - centre) @ normal > 0 else -normal
    return point + distance * outward, direction


def _crossings(lines: list[_Line]) -> Points:
    """Returns where each of four lines crosses the one before it, (4, 2); NaN where it does not."""
    found = []
    for (p, u), (q, v) in zip([lines[-1], *lines[:-1]], lines, strict=True):
        across = u[0] * v[1] - u[1] * v[0]
        step = ((q[0] - p[0]) * v[1] - (q[1] - p[1]) * v[0]) / across if abs(across) > 1e-6 else np.nan
        found.append(p + step * u)
    return np.array(found, np.float64)


def _clockwise(corners: Points) -> Points:
    x, y = corners[:, 0], corners[:, 1]
    return corners if (x * np.roll(y, -1) - y * np.roll(x, -1)).sum() >= 0 else corners[::-1].copy()
