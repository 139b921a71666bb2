"""What detectors hand on that is of no class: plates of other countries, blank ones, and what is no plate at all."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from retable.papers.plates.artwork import foreign, glyphs
from retable.papers.plates.artwork.canvas import PlateCanvas
from retable.papers.plates.camera import photograph
from retable.papers.plates.crops.fitting import fit_into
from retable.papers.plates.crops.generated import draw_width, seen_plate
from retable.synthetic.dataset import GeneratedDataset
from retable.synthetic.noise import fractal_noise, window
from retable.synthetic.raster import Image
from retable.synthetic.rng import RandomStream

OUTLIERS: Final = ("foreign", "invented", "blank", "background", "noise")
"""The kinds; the label of kind k is -1 - k."""

_SIGNS = "PIZZA", "TAXI", "FOR SALE", "BANK", "4x4", "GTI", "OPEN", "STOP", "TURBO", "CAFE", "Sport", "0800 123 456"


class PlateOutliers(GeneratedDataset):
    """Synthetic photographs of what is of no class; the kinds take turns.

    ``foreign`` shows other countries in each split.

    Args:
        count: Number of images.
        image_size: Their width in pixels, 16 to 512.
        image_height: Their height in pixels.
        seed: Seed of all images.
        split: ``train``, ``val`` or ``test``.
        fit: As of `fit_into`.

    Raises:
        ConfigError: A parameter is out of range or unknown.
    """

    title = "plate outliers"
    version = 1
    sizes = (16, 512)
    splits = ("train", "val", "test")

    def __init__(
        self, count: int, image_size: int, image_height: int, seed: int = 0, split: str = "train", fit: str = "stretch"
    ) -> None:
        super().__init__(count, image_size, seed, split, image_height, fit)
        self._height, self._fit = image_height, fit

    def label(self, index: int) -> int:
        """Returns -1 for the first of the kinds, -2 for the second, and so on."""
        self._check(index)
        return -1 - index % len(OUTLIERS)

    def image(self, index: int) -> Image:
        """Renders an image as uint8 RGB (height, size, 3); raises IndexError where there is none."""
        rng = self._stream(index)
        kind = OUTLIERS[-1 - self.label(index)]
        width = draw_width(rng, self.size)
        if kind in ("foreign", "invented", "blank"):
            canvas = self._plate(rng, kind, min(max(width / 400, 0.16), 0.7))
            picture = seen_plate(rng, canvas.image, canvas.corners(), width)
        else:
            shape = max(8, round(width / rng.uniform(1.2, 5))), round(width)
            picture = photograph(_clutter(rng, *shape) if kind == "background" else _noise(rng, *shape), rng)
        return fit_into(picture, self.size, self._height, self._fit)

    def _plate(self, rng: RandomStream, kind: str, scale: float) -> PlateCanvas:
        if kind == "foreign":
            return foreign.foreign(rng, str(self.split), scale)
        return foreign.invented(rng, scale) if kind == "invented" else foreign.blank(rng, scale)


def _clutter(rng: RandomStream, height: int, width: int) -> Image:
    """Draws what lies around plates: paint, grilles, lamps, edges, and signs with a word."""
    grey = window(fractal_noise(rng.choice((1.2, 1.6, 2.0))), rng, height, width).astype(np.float32) - 128
    paper = np.array([rng.uniform(10, 245) for _ in range(3)]) if rng.chance(0.6) else np.full(3, rng.uniform(10, 245))
    picture: Image = np.clip(rng.uniform(0.1, 1.2) * grey[..., None] + paper, 0, 255).astype(np.uint8)
    for _ in range(rng.integer(0, 4)):
        colour = [rng.integer(0, 255) for _ in range(3)] if rng.chance(0.5) else [rng.integer(0, 255)] * 3
        x, y = rng.integer(0, width), rng.integer(0, height)
        kind = rng.random()
        if kind < 0.35:
            cv2.rectangle(picture, (x, y), (rng.integer(0, width), rng.integer(0, height)), colour, cv2.FILLED)
        elif kind < 0.6:
            cv2.circle(
                picture, (x, y), rng.integer(2, max(3, height // 2)), colour, rng.choice((-1, 1, 3)), cv2.LINE_AA
            )
        elif kind < 0.8:
            step = rng.integer(3, max(4, height // 3))
            for place in range(0, width if rng.chance(0.5) else height, step):
                ends = ((place, 0), (place, height)) if width > height * 2 else ((0, place), (width, place))
                cv2.line(picture, *ends, colour, rng.integer(1, max(1, step // 2)))
        else:
            cv2.line(
                picture, (x, y), (rng.integer(0, width), rng.integer(0, height)), colour, rng.integer(1, 4), cv2.LINE_AA
            )
    if rng.chance(0.35):
        ink = np.array([rng.integer(0, 255) for _ in range(3)], np.float32)
        wide, high = round(rng.uniform(0.3, 0.9) * width), round(rng.uniform(0.2, 0.6) * height)
        font = rng.choice((glyphs.BOLD, glyphs.SCRIPT, glyphs.SERIF))
        mask = glyphs.sized_word(font, rng.choice(_SIGNS), max(wide, 4), max(high, 4))[..., None] / np.float32(255)
        x, y = rng.integer(0, width - mask.shape[1]), rng.integer(0, height - mask.shape[0])
        part = picture[y : y + mask.shape[0], x : x + mask.shape[1]]
        part[:] = (mask * ink + (1 - mask) * part).astype(np.uint8)
    return picture


def _noise(rng: RandomStream, height: int, width: int) -> Image:
    """Draws noise of any grain about any colour, a ramp of light, or nothing but one colour."""
    cells = rng.log_uniform(1, height)
    shape = max(1, round(height / cells)), max(1, round(width / cells)), 3 if rng.chance(0.6) else 1
    deviation = rng.choice((0.0, 10.0, 40.0, 80.0))
    values = rng.generator.normal(0.0, 1.0, shape) * deviation + [rng.uniform(0, 255) for _ in range(shape[2])]
    coarse = np.clip(np.broadcast_to(values, (*shape[:2], 3)), 0, 255).astype(np.uint8)
    method = rng.choice((cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_CUBIC))
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=method), np.uint8)
