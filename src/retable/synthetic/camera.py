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
_LEVELS = np.linspace(0.0, 1.0, 256)


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


def defocus(picture: Picture, radius: float) -> Picture:
    """Blurs a picture (H, W) or (H, W, C) as a lens out of focus does: each point becomes a disc.

    Args:
        picture: uint8 or float32.
        radius: Of the disc, pixels; fractions count, 0 for none.
    """
    if radius <= 0.0:
        return picture
    return np.asarray(cv2.filter2D(picture, -1, disc(radius), borderType=cv2.BORDER_REPLICATE), picture.dtype)


def disc(radius: float) -> NDArray[np.float32]:
    """Returns the kernel of `defocus`: what each pixel has of a disc of that radius, summing to 1."""
    half = math.ceil(radius - 0.5)
    fine = (np.arange(16 * (2 * half + 1)) + 0.5) / 16 - half - 0.5
    inside = (fine[:, None] ** 2 + fine**2 <= radius * radius).astype(np.float32)
    kernel = cv2.resize(inside, (2 * half + 1,) * 2, interpolation=cv2.INTER_AREA)
    return np.asarray(kernel / kernel.sum(), np.float32)


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


def tint(image: Image, rng: RandomStream, strength: float = 1.0) -> Image:
    """Changes exposure, contrast, white balance and gamma, or makes a picture grey or of one hue, as lamps do."""
    kind = rng.random()
    exposure = math.exp(strength * rng.triangular(0.5))
    lift = strength * 0.45 * rng.random() ** 3  # haze, mist, dirt on the lens
    balance = [math.exp(strength * rng.triangular(0.18)) for _ in range(3)]
    if kind < 0.05 * strength:  # neon, sodium
        balance = list(rng.choice(((0.25, 0.9, 0.6), (1.1, 0.6, 0.35), (0.6, 0.8, 1.2), (0.9, 0.45, 0.4))))
    if rng.chance(0.3 * strength):
        table = (255.0 * _LEVELS ** math.exp(rng.triangular(0.5))).astype(np.uint8)
        image = np.asarray(cv2.LUT(image.reshape(len(image), -1), table), np.uint8).reshape(image.shape)
    mixed = np.diag(balance)
    if kind > 1.0 - 0.12 * strength:
        mixed = np.array([(0.299, 0.587, 0.114)] * 3)
    # one matrix for all: lookup tables of three channels take several times as long
    matrix = np.concatenate([(1.0 - lift) * exposure * mixed, np.full((3, 1), 255.0 * lift)], 1)
    return np.asarray(cv2.transform(image, matrix.astype(np.float32)), np.uint8)


def smear(image: Image, length: float, angle: float) -> Image:
    """Blurs a picture along a line of a length in pixels at an angle in radians, as motion does."""
    side = 2 * max(1, round(length / 2)) + 1
    kernel = np.zeros((side, side), np.float32)
    half = side // 2
    x, y = round(half * math.cos(angle)), round(half * math.sin(angle))
    cv2.line(kernel, (half - x, half - y), (half + x, half + y), 1.0)
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.uint8)


def retake(image: Image, rng: RandomStream, strength: float) -> Image:
    """Takes a picture (H, W, 3) of small things again, with another camera: no detail of a few pixels is lost.

    Args:
        image: uint8 RGB.
        rng: Random numbers.
        strength: 0 leaves it nearly as it is; 1 makes some pictures as bad as those of cheap cameras are.
    """
    picture = tint(image, rng, strength)
    kind = rng.random()
    if kind < 0.1 * strength:
        picture = smear(picture, rng.uniform(2.0, 6.0), rng.triangular(math.pi / 2))
    elif kind < 0.35 * strength:
        picture = blur(picture, rng.uniform(0.4, 1.3))
    elif kind < 0.6 * strength:
        few = rng.uniform(1.2, 2.0)
        height, width = picture.shape[:2]
        small = cv2.resize(picture, (round(width / few), round(height / few)), interpolation=cv2.INTER_AREA)
        picture = np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
    if rng.chance(0.5 * strength):
        picture = add_noise(picture, rng.log_uniform(1.0, 16.0), rng)
    return compress(picture, rng.integer(35, 95)) if rng.chance(0.6 * strength) else picture
