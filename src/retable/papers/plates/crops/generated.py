"""The generated crops as a sequence."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from retable.errors import ConfigError
from retable.papers.plates.artwork import Plate, draw_plate
from retable.papers.plates.camera import draw_view, perspective, photograph
from retable.papers.plates.countries import CLASSES, class_parts
from retable.papers.plates.crops.fitting import fit_into
from retable.synthetic.dataset import GeneratedDataset
from retable.synthetic.raster import Image, Points
from retable.synthetic.rng import RandomStream

_PAINTS = (
    (230, 230, 230), (24, 24, 26), (120, 122, 126), (170, 172, 176), (150, 30, 34), (40, 60, 120), (60, 62, 66),
    (20, 80, 60), (200, 190, 170), (240, 190, 40),
)  # fmt: skip
_LARGEST = 240  # pixels of a crop before it is resized: more makes no difference at a network's input


class PlateCrops(GeneratedDataset):
    """Synthetic photographs of plates, cut out as detectors and annotators do.

    The classes take turns: crop i is of class i modulo their number.

    Args:
        count: Number of crops.
        image_size: Width of the crops in pixels, 16 to 512.
        seed: Seed of all crops.
        split: `train`, `val` or `test`.
        classes: Names as of `retable.papers.plates.countries.CLASSES`.
        fit: As of `retable.papers.plates.crops.fitting.fit_into`.
        image_height: Height in pixels; None for squares.

    Raises:
        ConfigError: A parameter is out of range or unknown.
    """

    title = "plate crops"
    version = 1
    sizes = (16, 512)
    splits = ("train", "val", "test")

    def __init__(
        self,
        count: int,
        image_size: int = 64,
        seed: int = 0,
        split: str = "train",
        classes: Sequence[str] = CLASSES,
        fit: str = "stretch",
        image_height: int | None = None,
    ) -> None:
        unknown = [name for name in classes if name not in CLASSES]
        if unknown or not classes:
            raise ConfigError(
                f"data.classes: there is no generator of {', '.join(unknown) or 'no classes'}; it makes "
                f"{', '.join(CLASSES)}"
            )
        shape = () if image_height in (None, image_size) else (image_height,)
        super().__init__(count, image_size, seed, split, tuple(classes), fit, *shape)
        self.classes, self.fit, self._height = tuple(classes), fit, image_height or image_size

    def label(self, index: int) -> int:
        """Returns a crop's class as an index into the classes; raises IndexError where there is no such crop."""
        self._check(index)
        return index % len(self.classes)

    def plate(self, index: int) -> Plate:
        """Returns the plate that a crop shows, as it was drawn."""
        return self._draw(self._stream(index), index)[0]

    def image(self, index: int) -> Image:
        """Renders a crop as uint8 RGB (height, size, 3); raises IndexError where there is no such crop."""
        rng = self._stream(index)
        plate, width = self._draw(rng, index)
        return fit_into(seen_plate(rng, plate.texture, plate.corners, width), self.size, self._height, self.fit)

    def _draw(self, rng: RandomStream, index: int) -> tuple[Plate, float]:
        """Draws the plate, and its width in pixels."""
        parts = class_parts(self.classes[self.label(index)])
        assert parts is not None
        width = draw_width(rng, self.size)
        country, lines = parts
        reference = 520 if lines == 1 and country not in ("us", "br") else 350  # mm, about
        plate = draw_plate(rng, country, lines, min(max(1.15 * width / reference, 0.16), 0.7))
        return plate, width


def draw_width(rng: RandomStream, size: int) -> float:
    """Returns how many pixels wide a plate is seen, before it is fitted to a width of `size`."""
    return rng.log_uniform(28, min(_LARGEST, 2.5 * size) + 8)


def seen_plate(rng: RandomStream, texture: Image, flat: Points, width: float) -> Image:
    """Takes a picture of a plate from a side, as detectors and annotators cut it out.

    Args:
        rng: Random numbers.
        texture: The plate with what surrounds it.
        flat: Its corners (4, 2) there, clockwise from the upper left.
        width: Of the plate in the picture, pixels.
    """
    across, down = flat[2] - flat[0]
    corners = draw_view(rng, width, width * down / across, 0.8)
    low, high = corners.min(axis=0), corners.max(axis=0)
    # annotators and detectors leave a margin, or cut a little off
    margins = np.array([rng.uniform(-0.02, 0.1) * rng.choice((0.3, 1.0, 1.6)) for _ in range(4)])
    sides = high - low
    low = low - margins[:2] * sides
    size = np.maximum(np.ceil(sides * (1 + margins[:2] + margins[2:])), 6).astype(int)
    paint = rng.choice(_PAINTS)
    picture = cv2.warpPerspective(
        texture,
        perspective(flat, corners - low),
        (int(size[0]), int(size[1])),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=paint,
    )
    return photograph(np.asarray(picture, np.uint8), rng)
