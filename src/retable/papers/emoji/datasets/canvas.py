"""From an image of any size to the square canvas that networks see: cropped to the drawing, padded, resized."""

from functools import partial
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from retable.data.images import read_prepared_image
from retable.errors import DataError

Image = npt.NDArray[np.uint8]

SMALLEST = 8  # pixels of an image's shorter side; less cannot show a face
_LOOKED_AT = 256  # the ink is searched in an image of at most this side: photographs have millions of pixels
_STROKE = 0.16  # strokes are narrower than this part of the image
_INK = 0.35  # of the strongest contrast: ruled lines and creases are fainter than the pen
_FAINTEST = 16  # grey levels; less is noise
_SPECK = 2e-4  # of the image's area: smaller spots are dust
_MARGIN = 0.06  # of the drawing's longer side, on each side
_LARGEST = 4  # times the canvas; what is larger is shrunk to this before it is padded to a square


def read_canvas(path: Path, size: int, crop_to_ink: bool) -> Image:
    """Reads an image file onto a square canvas, as `drawing_on_canvas`.

    Transparency shows white, EXIF orientation is applied.

    Raises:
        DataError: The file is missing, damaged or no image, has fewer than 8 pixels a side, or shows nothing at all.
    """
    return read_prepared_image(path, partial(drawing_on_canvas, size=size, crop_to_ink=crop_to_ink))


def drawing_on_canvas(image: Image, size: int, crop_to_ink: bool) -> Image:
    """Fits a drawing into a square, as `to_canvas`.

    Raises:
        DataError: The image has fewer than 8 pixels a side, or shows nothing at all.
    """
    height, width = image.shape[:2]
    if min(height, width) < SMALLEST:
        raise DataError(
            f"{width} x {height} pixels are too few to show a drawing; {SMALLEST} x {SMALLEST} is the least"
        )
    if (image == image[0, 0]).all():
        raise DataError("the image shows nothing: all pixels are alike (a white drawing on transparency?)")
    return to_canvas(image, size, crop_to_ink)


def to_canvas(image: Image, size: int, crop_to_ink: bool) -> Image:
    """Fits an image into a square, its middle in the square's middle; proportions stay.

    Args:
        image: uint8 (H, W, 3) RGB.
        size: Side of the square in pixels.
        crop_to_ink: Whether to show the drawing with a margin rather than the whole image.

    Returns:
        uint8 (size, size, 3). What lies beyond the image has the median colour of its border.
    """
    height, width = image.shape[:2]
    left, top, right, bottom = ink_box(image) if crop_to_ink else (0, 0, width, height)
    side = max(right - left, bottom - top)
    if crop_to_ink:
        side = round(side * (1 + 2 * _MARGIN))
    x, y = (left + right - side) // 2, (top + bottom - side) // 2
    if (side, side) == (height, width) and (left, top) == (0, 0):
        x = y = 0  # the drawing takes the whole image; results of tables hold with it left where it is
    rim = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    paper = np.median(rim, axis=0).astype(np.uint8).tolist()
    part = image[max(0, y) : y + side, max(0, x) : x + side]
    before = max(0, -x), max(0, -y)
    if side > _LARGEST * size:
        # padded as it is, a strip of 10 x 40,000 pixels would take gigabytes
        scale, side = _LARGEST * size / side, _LARGEST * size
        wide, tall = max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale))
        part = np.asarray(cv2.resize(part, (wide, tall), interpolation=cv2.INTER_AREA), dtype=np.uint8)
        before = min(side - wide, round(before[0] * scale)), min(side - tall, round(before[1] * scale))
    after = side - part.shape[1] - before[0], side - part.shape[0] - before[1]
    square = cv2.copyMakeBorder(part, before[1], after[1], before[0], after[0], cv2.BORDER_CONSTANT, value=paper)
    if side == size:
        return np.asarray(square, dtype=np.uint8)
    method = cv2.INTER_AREA if size < side else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(square, (size, size), interpolation=method), dtype=np.uint8)


def ink_box(image: Image) -> tuple[int, int, int, int]:
    """Finds the drawing: the box of everything that stands out from its surroundings as a stroke does.

    Strokes are narrow and darker than what is around them, or lighter as on a blackboard; shadows and the colour of
    the paper are wide. Faint lines (ruled paper) and specks do not count.

    Returns:
        left, top, right, bottom in pixels, right and bottom exclusive; the whole image where nothing stands out.
    """
    height, width = image.shape[:2]
    scale = min(1.0, _LOOKED_AT / max(height, width))
    small = image
    if scale < 1:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    reach = max(3, round(_STROKE * max(grey.shape)))
    kernel = np.ones((reach, reach), np.uint8)
    darkest, paper, lightest = np.percentile(grey, (0.5, 50, 99.5))
    chalk = lightest - paper > paper - darkest
    contrast = cv2.morphologyEx(grey, cv2.MORPH_TOPHAT if chalk else cv2.MORPH_BLACKHAT, kernel)
    ink = (contrast >= max(_FAINTEST, _INK * float(contrast.max()))).astype(np.uint8)
    _, _, parts, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    kept = parts[1:][parts[1:, cv2.CC_STAT_AREA] >= max(1.0, _SPECK * grey.size)]
    if not len(kept):
        return 0, 0, width, height
    left, top = kept[:, cv2.CC_STAT_LEFT], kept[:, cv2.CC_STAT_TOP]
    right, bottom = left + kept[:, cv2.CC_STAT_WIDTH], top + kept[:, cv2.CC_STAT_HEIGHT]
    factors = width / grey.shape[1], height / grey.shape[0]
    return (
        int(left.min() * factors[0]),
        int(top.min() * factors[1]),
        min(width, int(np.ceil(right.max() * factors[0]))),
        min(height, int(np.ceil(bottom.max() * factors[1]))),
    )
