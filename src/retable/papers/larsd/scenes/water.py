"""The water: colour, swell, glint, shallows, surf, and the wakes of moving ships."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from retable.papers.larsd.scenes.layout import SceneLayout
from retable.papers.larsd.scenes.sprites import Colour, shade, vary
from retable.papers.larsd.scenes.textures import clouds, ground, ripple, swell
from retable.papers.larsd.scenes.vessels import Vessel
from retable.synthetic.noise import turned_window, window
from retable.synthetic.raster import Image, fill, outline, place
from retable.synthetic.rng import RandomStream

_SEAS: tuple[Colour, ...] = (
    (24, 50, 66), (34, 60, 70), (44, 70, 66), (18, 38, 56), (62, 84, 78), (40, 62, 92),
    (82, 98, 92), (14, 26, 36), (26, 44, 44), (50, 84, 96), (96, 104, 84), (30, 66, 84),
)  # fmt: skip


# weights (256, 3) of a colour map's low, middle and high colour at each level
_BASIS = np.stack([np.interp(np.arange(256), (0, 128, 255), row) for row in np.eye(3)], 1)


def ramp(low: Colour, middle: Colour, high: Colour) -> Image:
    """Returns a colour map (256, 1, 3) that runs from `low` at 0 over `middle` at 128 to `high` at 255."""
    return np.rint(_BASIS @ np.array((low, middle, high), np.float64)).astype(np.uint8)[:, None, :]


def render_water(layout: SceneLayout, rng: RandomStream) -> Image:
    """Returns the scene's water surface, uint8 (size, size, 3)."""
    size = layout.size
    sheltered = layout.place in ("harbour", "marina", "river")
    calm = rng.uniform(0.05, 0.35) if sheltered else rng.uniform(0.1, 1.0)
    # swell of 30 to 150 m; the texture's waves are 12 pixels long
    zoom = min(max(rng.uniform(30.0, 150.0) / layout.resolution / 12.0, 0.5), 4.0)
    waves = turned_window(swell(), rng, size, rng.uniform(0.0, 2 * math.pi), zoom)
    ripples = window(ripple(), rng, size, size)
    patches = window(clouds(), rng, size, size)
    surface = cv2.addWeighted(waves, 0.55 * calm, ripples, 0.35 * calm, 128.0 * (1 - 0.9 * calm))
    strength = rng.uniform(0.1, 0.7)
    surface = cv2.addWeighted(surface, 1.0, patches, strength, -128.0 * strength)
    base = vary(rng, rng.choice(_SEAS), 12)
    contrast = rng.uniform(0.25, 0.7)
    low = shade(base, 1 - contrast)
    lift = rng.uniform(20.0, 60.0)
    if rng.chance(0.14):
        lift = rng.uniform(90.0, 170.0)  # the sun's glint
    high = tuple(min(int(c + lift * k), 255) for c, k in zip(base, (1.0, 1.05, 1.0), strict=True))
    image = np.asarray(cv2.applyColorMap(surface, ramp(low, base, (high[0], high[1], high[2]))), np.uint8)
    if layout.shore.lands and not layout.shore.built:
        _shallows(image, layout, rng)
    return image


def _shallows(image: Image, layout: SceneLayout, rng: RandomStream) -> None:
    """Tints the water along a natural coast and draws surf, in place."""
    size = layout.size
    small = cv2.resize(layout.solid, (64, 64), interpolation=cv2.INTER_AREA)
    spread = rng.uniform(1.5, 6.0)
    near = cv2.GaussianBlur(small, (0, 0), spread)
    weight = cv2.resize(near, (size, size), interpolation=cv2.INTER_LINEAR)
    tint = rng.choice(((90, 130, 120), (70, 110, 110), (120, 124, 96), (60, 96, 88)))
    amount = rng.uniform(0.2, 0.75)
    added = cv2.applyColorMap(weight, ramp((0, 0, 0), shade(tint, amount), tint))
    cv2.addWeighted(image, 1.0, added, 0.8, 0.0, image)
    if rng.chance(0.7):
        thickness = max(int(rng.uniform(4.0, 16.0) / layout.resolution), 1)
        mask = np.zeros((size, size), np.uint8)
        outline(mask, layout.shore.lands, 255, thickness)
        foam = window(ground(), rng, size, size)
        _, broken = cv2.threshold(foam, rng.uniform(110, 150), 255, cv2.THRESH_TOZERO)
        cv2.min(mask, broken, mask)
        _lighten(image, mask, rng.uniform(0.4, 0.9))


def _lighten(image: Image, mask: Image, amount: float) -> None:
    """Adds white where a mask says so, in place."""
    cv2.addWeighted(image, 1.0, cv2.cvtColor(mask, cv2.COLOR_GRAY2BGR), amount, 0.0, image)


def _wake_polygons(vessel: Vessel, rng: RandomStream) -> list[tuple[NDArray[np.float64], int]]:
    """Returns the wake's parts in image coordinates with their brightness: turbulent trail, bow wave, Kelvin arms."""
    length, width, speed = vessel.length, vessel.width, vessel.speed
    trail = length * (0.6 + 4.0 * speed * rng.uniform(0.5, 1.2))
    stern = -0.5 * length
    parts = []
    for part, grey in ((1.0, 45), (0.55, 60), (0.25, 80), (0.08, 60)):
        far = stern - trail * part
        half = width * (0.36 + 0.5 * part)
        start = stern + 0.04 * length
        polygon = [(start, 0.3 * width), (far, half), (far - 0.2 * width, 0.0), (far, -half), (start, -0.3 * width)]
        parts.append((np.array(polygon), grey))
    opening = math.tan(math.radians(rng.uniform(9.0, 19.5)))
    bow = 0.46 * length
    for side in (-1.0, 1.0):
        for part, grey in ((1.0, 26), (0.4, 44)):
            far = bow - (length * 0.5 + trail * 0.8) * part
            out = side * (bow - far) * opening
            thickness = 0.1 * width + 0.25 * width * part
            parts.append((np.array([(bow, side * 0.1 * width), (far, out + side * thickness), (far, out)]), grey))
    return [(place(points, vessel.cx, vessel.cy, vessel.angle), grey) for points, grey in parts]


def render_wakes(image: Image, layout: SceneLayout, rng: RandomStream) -> None:
    """Draws the wakes of moving ships onto the water, in place; land and ships are drawn over them later."""
    for vessel in layout.vessels:
        if vessel.speed <= 0.0:
            continue
        polygons = _wake_polygons(vessel, rng)
        corners = np.concatenate([points for points, _ in polygons])
        left, top = np.maximum(np.floor(corners.min(0)).astype(int) - 4, 0).tolist()
        right, bottom = np.minimum(np.ceil(corners.max(0)).astype(int) + 4, layout.size).tolist()
        if right - left < 2 or bottom - top < 2:
            continue
        mask = np.zeros((bottom - top, right - left), np.uint8)
        layer = np.zeros_like(mask)
        for points, grey in polygons:
            layer[:] = 0
            fill(layer, [points - (left, top)], grey)
            cv2.add(mask, layer, mask)
        cv2.GaussianBlur(mask, (0, 0), max(0.09 * vessel.width, 0.6), mask)
        foam = window(ground(), rng, bottom - top, right - left)
        mask = np.asarray(cv2.multiply(mask, foam, scale=1 / 128), np.uint8)
        _lighten(image[top:bottom, left:right], mask, rng.uniform(0.4, 1.1))
