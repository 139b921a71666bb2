"""Photos with what was marked on them, and what is looked at before it is believed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from retable.data.images import image_size, read_image
from retable.errors import DataError
from retable.papers.barcodes.symbology.ean13 import DIGITS, checked
from retable.synthetic.raster import Points

_LEAST_DIGITS = 9  # of a code that has lost its leading zeros
_LEAST_SIDE = 4.0  # pixels: nothing shorter is a symbol
_LEAST_INSIDE = 0.5  # part of a symbol that is in the photo


@dataclass(frozen=True)
class LabelledSymbol:
    """A symbol that was marked.

    Attributes:
        code: Thirteen digits of which the last checks the others.
        corners: (4, 2) in continuous pixels, in reading order; of a box those of the box.
        is_box: Whether only an upright box around the symbol is known.
    """

    code: str
    corners: Points
    is_box: bool = False


@dataclass(frozen=True)
class LabelledPhoto:
    """A photo.

    Attributes:
        name: Path below the list's folder, with slashes.
        path: The file.
        symbols: What was marked on it.
        group: The set it belongs to, "" where the list tells none.
    """

    name: str
    path: Path
    symbols: tuple[LabelledSymbol, ...]
    group: str = ""


def read_code(text: str) -> str:
    """Returns the thirteen digits of a code as tables have them.

    Spreadsheets take codes for numbers: they lose leading zeros, which come back, and some gain a ``.0``.

    Raises:
        DataError: It is no code of EAN-13.
    """
    digits = text.strip().removesuffix(".0")
    if not digits.isdigit() or not digits.isascii():
        raise DataError(f"the code is {text!r}, which is not digits only; a number such as 4.6e12 has lost its digits")
    if len(digits) < _LEAST_DIGITS:
        raise DataError(
            f"the code is {text!r}, {len(digits)} digits, as EAN-8 and UPC-E have them; EAN-13 has {DIGITS}"
        )
    return checked(digits.zfill(DIGITS))


def in_order(corners: Points) -> tuple[Points, bool]:
    """Returns corners (4, 2) clockwise on the screen, from the first one on, and whether they were so.

    Raises:
        DataError: They are no quadrangle with four corners, or too small.
    """
    hull = cv2.convexHull(corners.astype(np.float32), clockwise=True, returnPoints=False).ravel()
    sides = np.linalg.norm(np.roll(corners, -1, 0) - corners, axis=1)
    if len(hull) < 4 or sides.min() < _LEAST_SIDE:
        raise DataError("the four corners are no quadrangle: two are the same, or one lies between the others")
    around = corners[hull]
    if _turn(around) < 0:
        around = around[::-1]
    first = int(np.flatnonzero((around == corners[0]).all(1))[0])
    ordered = np.roll(around, -first, axis=0)
    return ordered, bool((ordered == corners).all())


def check_inside(corners: Points, path: Path, upright: bool) -> None:
    """Refuses a quadrangle (4, 2) of which the photo shows less than half.

    Args:
        corners: The quadrangle.
        path: The photo.
        upright: Whether the corners count pixels of the photo as its EXIF tag turns it.

    Raises:
        DataError: So it is, or the photo cannot be read.
    """
    height, width = read_image(path, upright=True).shape[:2] if upright else image_size(path)
    frame = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    inside, _ = cv2.intersectConvexConvex(corners.astype(np.float32), frame)
    if inside < _LEAST_INSIDE * abs(cv2.contourArea(corners.astype(np.float32))):
        raise DataError(
            f"the corners lie outside of {path.name}, which has {width} x {height} pixels; if they were marked on a "
            f"photo {'as it is stored' if upright else 'that a viewer had turned'}, say data.upright="
            f"{'false' if upright else 'true'}"
        )


def _turn(corners: Points) -> float:
    x, y = corners[:, 0], corners[:, 1]
    return float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum())
