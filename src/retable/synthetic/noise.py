"""Tileable noise textures, made once per process from a fixed seed and cut at random places by every scene.

All are uint8 (SPAN, SPAN) with a mean of 128, identical in every process; a texture's first use takes some 50 ms.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from retable.synthetic.raster import Image
from retable.synthetic.rng import RandomStream

TILE: Final = 1024  # period of the textures, pixels
SPAN: Final = 1536  # stored size: the tile continued periodically, so that windows are plain slices
GRAIN: Final = 32.0  # standard deviation of the sensor's noise, so that only one value in 16,000 is cut off

_Field = NDArray[np.floating[Any]]


@cache
def fractal_noise(slope: float, longest: float = math.inf) -> Image:
    """Returns fractal noise with a standard deviation of 40.

    Args:
        slope: The amplitude falls with the frequency to this power: about 1 is rough as soil, about 2 smooth as clouds.
        longest: Wavelength in pixels from which on there is nothing.
    """
    _, frequency, _ = _spectrum()
    return _filtered(frequency**-slope * (frequency > 1.0 / longest))


@cache
def wave_noise(wavelength: float, spread: float, alignment: int = 0) -> Image:
    """Returns waves of about one length with a standard deviation of 40.

    Args:
        wavelength: Of most waves, pixels.
        spread: Twice the variance of the wavelengths, in octaves.
        alignment: 0 for waves in all directions; the larger, the more of them run along x.
    """
    _, frequency, cosine = _spectrum()
    return _filtered(np.exp(-(np.log2(frequency * wavelength) ** 2) / spread) * cosine**alignment)


@cache
def sensor_grain() -> Image:
    """Returns noise of a camera's sensor, uint8 (SPAN, SPAN, 3), of deviation `GRAIN` and with correlated channels."""
    generator = np.random.Generator(np.random.PCG64(20210612))
    period = TILE // 4
    shared = generator.standard_normal((period, period, 1), np.float32)
    own = generator.standard_normal((period, period, 3), np.float32)
    grain = np.clip(np.rint(128.0 + GRAIN * (0.9 * shared + 0.436 * own)), 0, 255).astype(np.uint8)
    return np.tile(grain, (SPAN // period, SPAN // period, 1))


def window(texture: Image, rng: RandomStream, height: int, width: int) -> Image:
    """Cuts a (height, width) window, of at most SPAN pixels a side, out of a texture at a random place."""
    top, left = rng.integer(0, SPAN - height), rng.integer(0, SPAN - width)
    return texture[top : top + height, left : left + width]


def turned_window(texture: Image, rng: RandomStream, size: int, angle: float, zoom: float) -> Image:
    """Resamples a texture, turned by `angle` and magnified by `zoom`, to (size, size) at half resolution."""
    half = (size + 1) // 2
    matrix = cv2.getRotationMatrix2D((SPAN / 2, SPAN / 2), -np.degrees(angle), zoom / 2)
    matrix[:, 2] += (half / 2 - SPAN / 2 + rng.uniform(-200, 200), half / 2 - SPAN / 2 + rng.uniform(-200, 200))
    small = cv2.warpAffine(texture, matrix, (half, half), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(cv2.resize(small, (size, size), interpolation=cv2.INTER_LINEAR), np.uint8)


@cache
def _spectrum() -> tuple[NDArray[Any], _Field, _Field]:
    """Returns the spectrum of white noise, its frequencies, and the cosines of their directions."""
    white = np.random.Generator(np.random.PCG64(20210611)).standard_normal((TILE, TILE), np.float32)
    fy = np.fft.fftfreq(TILE).astype(np.float32)[:, None]
    fx = np.fft.rfftfreq(TILE).astype(np.float32)[None, :]
    frequency = np.sqrt(fx * fx + fy * fy)
    frequency[0, 0] = 1.0
    return np.fft.rfft2(white), frequency, fx / frequency


def _filtered(gain: _Field) -> Image:
    """Filters white noise."""
    field = np.fft.irfft2(_spectrum()[0] * gain.astype(np.float32), s=(TILE, TILE)).astype(np.float32)
    field -= field.mean()
    tile = np.clip(np.rint(128.0 + 40.0 / field.std() * field), 0, 255).astype(np.uint8)
    return np.pad(tile, ((0, SPAN - TILE), (0, SPAN - TILE)), mode="wrap")
