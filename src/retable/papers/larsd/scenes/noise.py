"""Banks of tileable noise, made once per process from a fixed seed and cut at random places by every scene."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from retable.papers.larsd.scenes.geometry import Image
from retable.papers.larsd.scenes.rng import Dice

TILE = 1024  # period of the noise, pixels
SPAN = 1536  # stored size: the tile continued periodically, so that windows are plain slices


class NoiseBanks:
    """Noise fields of shape (SPAN, SPAN), uint8 around 128 with a standard deviation of 40, and sensor grain.

    Attributes:
        clouds: Very smooth fractal noise (patches, cloud wisps).
        ground: Rougher fractal noise (soil, foam, weathering).
        swell: Long-crested waves running along x with wavelengths of about 12 pixels.
        ripple: Isotropic short waves of 3 to 7 pixels.
        grain: uint8 (SPAN, SPAN, 3) fields of sensor noise around 128, from faint to strong, the channels correlated.
    """

    def __init__(self) -> None:
        generator = np.random.Generator(np.random.PCG64(20210611))
        white = generator.standard_normal((TILE, TILE), np.float32)
        spectrum = np.fft.rfft2(white)
        fy = np.fft.fftfreq(TILE).astype(np.float32)[:, None]
        fx = np.fft.rfftfreq(TILE).astype(np.float32)[None, :]
        frequency = np.sqrt(fx * fx + fy * fy)
        frequency[0, 0] = 1.0
        direction = fx / frequency
        self.clouds = _field(spectrum, frequency**-1.9 * (frequency > 1.5 / TILE))
        self.ground = _field(spectrum, frequency**-1.15)
        # a wind sea: a band around the peak, energy falling with the angle from the main direction
        band = np.exp(-(np.log2(frequency * 12.0) ** 2) / 0.5)
        self.swell = _field(spectrum, band * direction**6)
        self.ripple = _field(spectrum, np.exp(-(np.log2(frequency * 4.5) ** 2) / 0.4))
        base = generator.standard_normal((TILE // 4, TILE // 4, 1), np.float32)
        own = generator.standard_normal((TILE // 4, TILE // 4, 3), np.float32)
        repeat = SPAN // (TILE // 4)
        self.grain: list[Image] = [
            np.tile(np.rint(128.0 + level * (0.8 * base + 0.6 * own)).astype(np.uint8), (repeat, repeat, 1))
            for level in (1.0, 1.6, 2.5, 4.0, 6.0)
        ]

    def window(self, bank: Image, dice: Dice, height: int, width: int) -> Image:
        """Cut a (height, width) window out of a bank at a random place."""
        top, left = dice.integer(0, SPAN - height), dice.integer(0, SPAN - width)
        return bank[top : top + height, left : left + width]

    def turned(self, bank: Image, dice: Dice, size: int, angle: float, zoom: float) -> Image:
        """Resample a bank, turned by `angle` and magnified by `zoom`, to (size, size) at half resolution."""
        half = (size + 1) // 2
        matrix = cv2.getRotationMatrix2D((SPAN / 2, SPAN / 2), -np.degrees(angle), zoom / 2)
        matrix[:, 2] += (half / 2 - SPAN / 2 + dice.uniform(-200, 200), half / 2 - SPAN / 2 + dice.uniform(-200, 200))
        small = cv2.warpAffine(bank, matrix, (half, half), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        return np.asarray(cv2.resize(small, (size, size), interpolation=cv2.INTER_LINEAR), np.uint8)


def _field(spectrum: NDArray[Any], gain: NDArray[Any]) -> Image:
    """Filter white noise and store it as uint8 with mean 128 and deviation 40."""
    field = np.fft.irfft2(spectrum * gain.astype(np.float32), s=(TILE, TILE)).astype(np.float32)
    field -= field.mean()
    tile = np.clip(np.rint(128.0 + 40.0 / field.std() * field), 0, 255).astype(np.uint8)
    extra = SPAN - TILE
    return np.pad(tile, ((0, extra), (0, extra)), mode="wrap")


@lru_cache(maxsize=1)
def noise_banks() -> NoiseBanks:
    """Return the process's noise banks (about 0.15 s the first time; identical in every process)."""
    return NoiseBanks()
