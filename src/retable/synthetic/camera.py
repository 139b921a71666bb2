"""What a camera does to a picture on its way to the file: uneven light, blur, sensor noise, JPEG.

Pictures have up to `retable.synthetic.noise.SPAN` pixels a side. Functions return new arrays where they change
something, and the picture itself where there is nothing to do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from retable.synthetic.noise import GRAIN, sensor_grain, window
from retable.synthetic.raster import Image
from retable.synthetic.rng import RandomStream

Picture = TypeVar("Picture", Image, NDArray[np.float32])


@dataclass(frozen=True)
class Light:
    """Light on a flat thing. Coordinates x and y go from -1 to 1 over the picture.

    Attributes:
        brightness: In the middle; 1 leaves colours as they are.
        slope_x: Change of the brightness along x.
        slope_y: Change of the brightness along y.
        vignetting: Part of the light that is lost at a distance of 1 from the middle; grows with its square.
        shadow: Part of the light that a shadow takes; a negative one is a glare.
        edge: Direction in which the shadow lies, radians.
        offset: Distance of its edge from the middle.
        sharpness: One by the edge's width.
    """

    brightness: float = 1.0
    slope_x: float = 0.0
    slope_y: float = 0.0
    vignetting: float = 0.0
    shadow: float = 0.0
    edge: float = 0.0
    offset: float = 0.0
    sharpness: float = 1.0


EVEN_LIGHT = Light()


def illuminate(picture: NDArray[np.float32], light: Light) -> Image:
    """Returns a picture (H, W, 3), 0 to 255, in that light, as bytes."""
    if light == EVEN_LIGHT:
        return np.asarray(cv2.convertScaleAbs(picture), np.uint8)
    height, width = picture.shape[:2]
    x = (2.0 / width) * np.arange(0.5, width, dtype=np.float32) - 1.0
    y = (2.0 / height) * np.arange(0.5, height, dtype=np.float32)[:, None] - 1.0
    along_x = light.brightness + (light.slope_x - light.vignetting * x) * x
    lit = along_x + (light.slope_y - light.vignetting * y) * y
    if light.shadow != 0.0:
        across_x = light.sharpness * (math.cos(light.edge) * x - light.offset) + 0.5
        inside = np.clip(across_x + light.sharpness * math.sin(light.edge) * y, 0.0, 1.0)
        lit *= 1.0 - light.shadow * inside * inside * (3.0 - 2.0 * inside)
    return np.asarray(cv2.multiply(picture, cv2.cvtColor(lit, cv2.COLOR_GRAY2RGB), dtype=cv2.CV_8U), np.uint8)


def blur(picture: Picture, deviation: float) -> Picture:
    """Blurs a picture (H, W) or (H, W, C) by a Gaussian of that standard deviation in pixels; 0 for none."""
    if deviation <= 0.0:
        return picture
    side = 2 * math.ceil(2.5 * deviation) + 1
    return np.asarray(cv2.GaussianBlur(picture, (side, side), deviation), picture.dtype)


def add_noise(image: Image, deviation: float, rng: RandomStream) -> Image:
    """Adds a sensor's noise to an image (H, W, 3); its standard deviation is in grey levels, 0 for none."""
    if deviation <= 0.0:
        return image
    grain = window(sensor_grain(), rng, *image.shape[:2])
    strength = deviation / GRAIN
    return np.asarray(cv2.addWeighted(image, 1.0, grain, strength, -128.0 * strength), np.uint8)


def compress(image: Image, quality: int) -> Image:
    """Returns what JPEG of a quality from 1 to 100 leaves of an image (H, W, 3); 0 for no JPEG."""
    if quality <= 0:
        return image
    _, encoded = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), (cv2.IMWRITE_JPEG_QUALITY, quality))
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR_RGB), np.uint8)
