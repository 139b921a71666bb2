"""Between ground and pixel: clouds, haze, colour, contrast, blur and sensor noise."""

from __future__ import annotations

import cv2
import numpy as np

from retable.papers.larsd.scenes.geometry import Image
from retable.papers.larsd.scenes.noise import noise_banks
from retable.papers.larsd.scenes.rng import Dice


def apply_atmosphere(image: Image, dice: Dice) -> Image:
    """Return the image (size, size, 3) as a sensor far above would see it."""
    size = image.shape[0]
    banks = noise_banks()
    if dice.chance(0.16):
        # wisps: white that never hides the ground, so that each labelled ship stays visible
        wisps = banks.turned(banks.clouds, dice, size, dice.uniform(0.0, 6.28), dice.uniform(0.7, 1.6))
        floor = dice.uniform(120.0, 165.0)
        veil = cv2.convertScaleAbs(cv2.subtract(wisps, (floor,)), alpha=dice.uniform(0.8, 1.8))
        veil = cv2.min(veil, (dice.uniform(60.0, 125.0),))
        veil3 = cv2.cvtColor(veil, cv2.COLOR_GRAY2BGR)
        # screen blending, 255 - (255 - a)(255 - b) / 255, whitens and flattens at once
        image = np.asarray(cv2.subtract(cv2.add(image, veil3), cv2.multiply(image, veil3, scale=1 / 255)), np.uint8)
    blur = dice.weighted(((0.0, 2.0), (0.55, 3.0), (0.8, 2.0), (1.15, 0.8)))
    if blur > 0.0:
        side = 3 if blur < 0.7 else 5
        image = np.asarray(cv2.GaussianBlur(image, (side, side), blur), np.uint8)
    levels = np.arange(256) / 255.0
    gamma = dice.uniform(0.7, 1.15)
    gain = dice.uniform(0.85, 1.2)
    haze = dice.uniform(0.0, 0.12) if dice.chance(0.75) else dice.uniform(0.12, 0.5)
    sky = (0.62 + dice.uniform(-0.05, 0.05), 0.68, 0.73 + dice.uniform(-0.05, 0.05))
    table = np.empty((256, 1, 3), np.uint8)
    grey = dice.chance(0.06)
    if grey:
        image = np.asarray(cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB), np.uint8)
    for channel in range(3):
        cast = 1.0 if grey else dice.uniform(0.95, 1.05)
        light = 0.68 if grey else sky[channel]
        curve = (gain * cast * levels**gamma) * (1.0 - haze) + haze * light
        table[:, 0, channel] = np.rint(np.clip(curve, 0.0, 1.0) * 255.0)
    image = np.asarray(cv2.LUT(image, table), np.uint8)
    grain = dice.pick(banks.grain)
    top, left = dice.integer(0, grain.shape[0] - size), dice.integer(0, grain.shape[1] - size)
    return np.asarray(cv2.addWeighted(image, 1.0, grain[top : top + size, left : left + size], 1.0, -128.0), np.uint8)
