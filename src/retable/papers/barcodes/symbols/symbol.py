"""A symbol as `retable.papers.barcodes.warping.warp` cuts it out of a photo: drawn, photographed, cut a little off."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from retable.papers.barcodes.symbology.ean13 import Modules
from retable.papers.barcodes.symbols.bars import (
    FINE,
    SIDE,
    Profile,
    box,
    defocus,
    draw_side,
    gaussian,
    print_bars,
    spread,
)
from retable.papers.barcodes.symbols.glyphs import FONTS, glyphs
from retable.synthetic.noise import GRAIN, sensor_grain, window
from retable.synthetic.raster import Image
from retable.synthetic.rng import RandomStream

_NO_DIGITS = np.zeros(0, np.int64)
_CENTRE = 0.5


@dataclass(frozen=True)
class Harshness:
    """How bad photos are; 1 is what phones without autofocus take, 0 is print as it is.

    Attributes:
        blur: Of defocus and motion.
        view: Of curvature, creases and corners that are a little off.
        light: Of noise, glare, shadows, compression.
    """

    blur: float = 1.0
    view: float = 1.0
    light: float = 1.0


def draw_symbol(
    rng: RandomStream,
    modules: Modules,
    size: tuple[int, int],
    margin: float,
    harshness: Harshness,
    digits: NDArray[np.int64] = _NO_DIGITS,
    addition: Modules | None = None,
) -> Image:
    """Draws a symbol.

    Args:
        rng: Random numbers.
        modules: Of the symbol, without quiet zones.
        size: Width, margins included, and height of the result.
        margin: On the left and on the right, each as a part of the symbol's width.
        harshness: How bad the photo is.
        digits: The twelve below the bars; none for a symbol without.
        addition: Modules of an add-on to the right.

    Returns:
        uint8 (height, width).
    """
    from retable.papers.barcodes.symbols._kernel import render

    width, height = size
    count = len(modules)
    whole = count * (1.0 + 2.0 * margin)  # modules from border to border
    seen = min(width, int(rng.log_uniform(0.95 * whole, 7.0 * whole))) if harshness.blur else width
    tall = max(6, min(32, int(seen / (1.0 + 2.0 * margin) * rng.log_uniform(0.12, 1.1))))
    if not harshness.view:
        tall = height
    profiles = _photographed(rng, modules, whole / seen, harshness.blur, addition)
    image = np.empty((tall, seen), np.uint8)
    image_rows = (np.arange(tall, dtype=np.float32) + _CENTRE) / tall
    top, bottom = _row_errors(rng, harshness.view)
    along = (np.arange(seen) + _CENTRE) / seen * (1.0 + 2.0 * margin) - margin
    render(
        image,
        profiles,
        _bent(rng, along, harshness.view).astype(np.float32),
        np.array([SIDE * FINE, count * FINE, *_side_errors(rng, harshness.view)], np.float64),
        (top + (bottom - top) * image_rows).astype(np.float32),
        FINE * harshness.view * (rng.triangular(3.0) if rng.chance(0.25) else 0.0),
        np.array(_draw_light(rng, harshness.light), np.float64),
        window(sensor_grain(), rng, tall, seen)[..., 1],
        harshness.light * rng.log_uniform(0.3, 12.0) / GRAIN,
        glyphs(rng.integer(0, FONTS - 1)),
        digits,
        np.array([1.0 + rng.uniform(0.0, 0.06), rng.uniform(0.1, 0.2), 7.0 * FINE, 3.0 * FINE, 5.0 * FINE], np.float64),
        np.empty(seen, np.float32),
        np.zeros(seen, np.float32),
    )
    if harshness.light:
        image = _hurt(rng, image, harshness.light)
    if (seen, tall) != (width, height):
        image = _resized(image, width, height)
    return image


def _photographed(
    rng: RandomStream, modules: Modules, pixel: float, strength: float, addition: Modules | None
) -> NDArray[np.float32]:
    """Draws how light the print is for a lens, at the left end and at the right end, (2, P); `pixel` in modules."""
    growth = strength * rng.triangular(0.35)
    left, right = draw_side(rng)[::-1], draw_side(rng, addition)
    sharp = print_bars(modules, growth, (left, right))
    if not strength:
        return np.stack([sharp, sharp])
    if rng.chance(0.04):  # the ground is printed, the bars are left
        sharp = 1.0 - sharp
    kind = rng.random()
    make: Callable[[float], Profile]
    if kind < 0.3:
        radius, other = rng.uniform(0.1, 0.5), 0.0
        make = gaussian
    elif kind < 0.85:
        radius = rng.log_uniform(0.4, 2.1)
        make, other = defocus, rng.uniform(0.05, 0.4)
    else:
        radius, other = rng.log_uniform(0.8, 2.8), rng.uniform(0.1, 0.5)
        make = box  # motion
    lens = np.convolve(box(pixel), gaussian(strength * other)) if other else box(pixel)
    sizes = (radius, radius * math.exp(rng.triangular(0.5))) if rng.chance(0.4) else (radius,)  # a tilted pack
    ends = [spread(sharp, np.convolve(lens, make(strength * size))) for size in sizes]
    if rng.chance(0.3):  # cameras sharpen
        amount, bell = rng.uniform(0.2, 1.2), gaussian(rng.uniform(0.5, 1.5))
        ends = [np.clip(end + amount * (end - spread(end, bell)), -0.2, 1.2) for end in ends]
    return np.ascontiguousarray(np.stack([ends[0], ends[-1]]), np.float32)


def _side_errors(rng: RandomStream, strength: float) -> tuple[float, float, float, float]:
    """Draws where the symbol's ends are cut: left at the top, at the bottom, right at the top, at the bottom."""
    spread_out = strength * (0.012 if rng.chance(0.6) else 0.04)
    slant = strength * rng.normal(0.0, 0.01)
    left, right = rng.normal(0.0, spread_out), 1.0 + rng.normal(0.0, spread_out)
    return left - slant, left + slant + rng.normal(0.0, 0.3 * spread_out), right - slant, right + slant


def _row_errors(rng: RandomStream, strength: float) -> tuple[float, float]:
    """Draws where the symbol's top and bottom are cut, in heights of its bars."""
    top = rng.normal(0.0, 0.05) if rng.chance(0.8) else rng.uniform(-0.25, 0.25)
    bottom = rng.normal(0.02, 0.05) if rng.chance(0.7) else rng.uniform(-0.25, 0.4)
    return strength * top, 1.0 + strength * bottom


def _bent(rng: RandomStream, along: NDArray[np.float64], strength: float) -> NDArray[np.float64]:
    """Bends a line along the symbol as cylinders, creases and a slanted view do; its ends stay."""
    if rng.chance(0.35):  # a can seen from the front, or a little from a side
        half, middle = strength * rng.uniform(0.2, 1.2) + 1e-6, strength * rng.triangular(0.3)
        first, last = math.sin(middle - half), math.sin(middle + half)
        places = np.clip(first + (last - first) * along, -0.98, 0.98)
        along = (np.arcsin(places) - math.asin(max(first, -0.98))) / (
            math.asin(min(last, 0.98)) - math.asin(max(first, -0.98))
        )
    if rng.chance(0.4):
        along = along + strength * rng.triangular(0.15) * along * (1.0 - along)
    if rng.chance(0.15):  # a fold
        fold = rng.uniform(0.1, 0.9)
        slope = strength * rng.triangular(0.3)
        bent = along + slope * np.maximum(along - fold, 0.0)
        along = bent / (1.0 + slope * (1.0 - fold))
    if rng.chance(0.2):  # wrinkles
        waves = rng.uniform(1.0, 4.0)
        along = along + strength * rng.triangular(0.006) * np.sin(math.tau * (waves * along + rng.random()))
    return along


def _draw_light(rng: RandomStream, strength: float) -> tuple[float, ...]:
    """Draws ink, ground, slopes along x and y, glare, its place, one by its radius; as the kernel takes them."""
    if not strength:
        return (20.0, 235.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    ground = rng.uniform(90.0, 275.0)
    ink = ground * rng.uniform(0.05, 0.5) if rng.chance(0.8) else ground * rng.uniform(0.5, 0.8)
    glare = rng.uniform(30.0, 200.0) if rng.chance(0.2) else 0.0
    return (
        ink, ground, rng.triangular(0.6), rng.triangular(0.4),
        glare, rng.random(), rng.random(), 1.0 / rng.log_uniform(0.05, 0.5) ** 2,
    )  # fmt: skip


def _hurt(rng: RandomStream, image: Image, strength: float) -> Image:
    """Covers, scratches, shades and compresses a picture, now and then."""
    height, width = image.shape
    kind = rng.random()
    if kind < 0.06 * strength:  # a finger, a sticker, a tear over a part of the bars
        first = rng.integer(0, height - 1)
        image[first : first + max(1, int(height * rng.uniform(0.1, 0.5)))] = rng.integer(20, 250)
    elif kind < 0.12 * strength:  # scratches
        for _ in range(rng.integer(1, 4)):
            ends = [(rng.integer(0, width - 1), rng.integer(0, height - 1)) for _ in range(2)]
            cv2.line(image, ends[0], ends[1], rng.integer(0, 255), 1)
    elif kind < 0.22 * strength:  # a shadow's edge
        edge, shade = rng.integer(1, width - 1), rng.uniform(0.35, 0.9)
        part = slice(0, edge) if rng.chance(0.5) else slice(edge, width)
        image[:, part] = cv2.convertScaleAbs(np.ascontiguousarray(image[:, part]), alpha=shade)
    if rng.chance(0.35 * strength):
        _, encoded = cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, rng.integer(25, 95)))
        image = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE), np.uint8)
    return image


def _resized(image: Image, width: int, height: int) -> Image:
    """Brings a picture to the size of the result, as `warp` does: averaged where it shrinks."""
    tall = image.shape[0]
    if tall > height:
        image = np.asarray(cv2.resize(image, (image.shape[1], height), interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
