"""From a mask to the four corners of each symbol."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from retable.synthetic.raster import Image, Points

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
        corners = rectangle(inside) if score >= least_score else None
        if corners is not None:
            corners = (corners + np.array([x, y])) * scale
            angle, coherence = direction(image, corners)
            found.append(Candidate(along(corners, angle), score, min(ean13 / score, 1.0), coherence))
    return sorted(found, key=lambda candidate: -candidate.area)


def rectangle(inside: Image) -> Points | None:
    """Returns the smallest rectangle (4, 2) around a blob, clockwise, in continuous pixels; None where it is none.

    What a camera sees of a rectangle is none, but a mask may lack a corner, or have a bump, and sides that follow its
    border do so for these, too. Finer corners are the business of `retable.papers.barcodes.localiser.refinement`.

    Args:
        inside: uint8 (H, W), not 0 where the blob is.
    """
    contours, _ = cv2.findContours(inside, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    largest = max(contours, key=len)
    if len(largest) < 8:
        return None
    centre, sides, degrees = cv2.minAreaRect(largest)
    # contours run through the middles of the outer pixels, half a pixel inside, and pixel centres are whole numbers
    corners = cv2.boxPoints((centre, (sides[0] + 1.0, sides[1] + 1.0), degrees)).astype(np.float64) + 0.5
    x, y = corners[:, 0], corners[:, 1]
    clockwise = bool((x * np.roll(y, -1) - y * np.roll(x, -1)).sum() >= 0)
    return np.asarray(corners if clockwise else corners[::-1], np.float64)


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
