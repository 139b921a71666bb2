"""Cutting a car out of a photograph: background, crop, transparency, size."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from retable.files import write_atomically
from retable.papers.cars.cityscapes.files import Box
from retable.papers.cars.cityscapes.schema import CityscapesCarsConfig, Form
from retable.papers.cars.datasets.folder import centred

Image = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Colour = Sequence[int]  # RGB


def on_background(photo: Image, mask: Mask, background: Colour) -> Image:
    """Sets everything outside a mask (H, W) to a colour; the photograph (H, W, 3) is left as it is."""
    # in less than half the time of numpy.where
    alone = np.empty_like(photo)
    alone[:] = background
    cv2.copyTo(photo, mask.view(np.uint8), alone)
    return alone


def cut(photo: Image, mask: Mask, box: Box, config: CityscapesCarsConfig) -> Image:
    """Makes the picture of a car from a photograph (H, W, 3) uint8 RGB, a mask (H, W), and the box to crop to.

    Returns:
        (h, w, 3) uint8 RGB, or (h, w, 4) with transparency.
    """
    if config.crop:
        left, top, right, bottom = box
        photo, mask = photo[top:bottom, left:right], mask[top:bottom, left:right]
    alone = on_background(np.ascontiguousarray(photo), np.ascontiguousarray(mask), config.background)
    alpha = mask.astype(np.uint8) * 255
    if config.size is not None:
        alone, alpha = _fitted(alone, config.size, config.background), _fitted(alpha, config.size, (0,))
    if config.form is Form.rgb:
        return alone
    return np.dstack([_without_background(alone, alpha, config.background), alpha])


def _fitted(image: Image, size: int, fill: Colour) -> Image:
    """Scales a car into the middle of a square. The essay does not say how; a car keeps its proportions here."""
    factor = size / max(image.shape[:2])
    height, width = (max(1, round(side * factor)) for side in image.shape[:2])
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return centred(cv2.resize(image, (width, height), interpolation=way), size, fill)


def _without_background(alone: Image, alpha: Image, background: Colour) -> Image:
    """Takes the background's part out of the colours of half transparent pixels, which a scaled car has at its rim."""
    rim = (alpha > 0) & (alpha < 255)
    part = alpha[rim, None].astype(np.float32) / 255
    colours = alone.copy()
    pure = (alone[rim] - (1 - part) * np.asarray(background, dtype=np.float32)) / part
    colours[rim] = np.rint(pure.clip(0, 255)).astype(np.uint8)
    return colours


def write_image(path: Path, image: Image) -> None:
    """Writes a PNG (H, W, 3) or, with transparency, (H, W, 4), complete or not at all.

    Raises:
        OSError: It cannot be written.
    """
    order = cv2.COLOR_RGBA2BGRA if image.shape[2] == 4 else cv2.COLOR_RGB2BGR
    _, encoded = cv2.imencode(".png", cv2.cvtColor(image, order))
    write_atomically(path, lambda temporary: temporary.write_bytes(encoded.tobytes()))
