"""Between ground and pixel: clouds, haze, colour, contrast, blur and sensor noise."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from retable.papers.larsd.scenes.textures import clouds
from retable.synthetic.camera import add_noise, blur
from retable.synthetic.noise import turned_window
from retable.synthetic.raster import Image
from retable.synthetic.rng import RandomStream, Weighted

_BLURS: Final = Weighted((0.0, 2.0), (0.55, 3.0), (0.8, 2.0), (1.15, 0.8))
_NOISES: Final = (1.0, 1.6, 2.5, 4.0, 6.0)


def apply_atmosphere(image: Image, rng: RandomStream) -> Image:
    """Returns the image (size, size, 3) as a sensor far above would see it."""
    size = image.shape[0]
    if rng.chance(0.16):
        # wisps: white that never hides the ground, so that each labelled ship stays visible
        wisps = turned_window(clouds(), rng, size, rng.uniform(0.0, 6.28), rng.uniform(0.7, 1.6))
        floor = rng.uniform(120.0, 165.0)
        veil = cv2.convertScaleAbs(cv2.subtract(wisps, (floor,)), alpha=rng.uniform(0.8, 1.8))
        veil = cv2.min(veil, (rng.uniform(60.0, 125.0),))
        veil3 = cv2.cvtColor(veil, cv2.COLOR_GRAY2BGR)
        # screen blending, 255 - (255 - a)(255 - b) / 255, whitens and flattens at once
        image = np.asarray(cv2.subtract(cv2.add(image, veil3), cv2.multiply(image, veil3, scale=1 / 255)), np.uint8)
    image = blur(image, _BLURS.draw(rng))
    levels = np.arange(256) / 255.0
    gamma = rng.uniform(0.7, 1.15)
    gain = rng.uniform(0.85, 1.2)
    haze = rng.uniform(0.0, 0.12) if rng.chance(0.75) else rng.uniform(0.12, 0.5)
    sky = (0.62 + rng.uniform(-0.05, 0.05), 0.68, 0.73 + rng.uniform(-0.05, 0.05))
    table = np.empty((256, 1, 3), np.uint8)
    grey = rng.chance(0.06)
    if grey:
        image = np.asarray(cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB), np.uint8)
    for channel in range(3):
        cast = 1.0 if grey else rng.uniform(0.95, 1.05)
        light = 0.68 if grey else sky[channel]
        curve = (gain * cast * levels**gamma) * (1.0 - haze) + haze * light
        table[:, 0, channel] = np.rint(np.clip(curve, 0.0, 1.0) * 255.0)
    return add_noise(np.asarray(cv2.LUT(image, table), np.uint8), rng.choice(_NOISES), rng)
