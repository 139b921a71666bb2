"""The generated drawings as a sequence."""

from __future__ import annotations

import hashlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

from retable.errors import ConfigError
from retable.papers.emoji.classes import CLASSES
from retable.papers.emoji.drawings.faces import draw_face
from retable.papers.emoji.drawings.layout import PAGE, draw_face_frame, draw_head_frame, draw_layout
from retable.papers.emoji.drawings.photograph import draw_camera, expose, rule_paper
from retable.papers.emoji.drawings.rng import Dice
from retable.papers.emoji.drawings.sketch import Ink, Sketch
from retable.papers.emoji.drawings.tools import Trait, draw_medium, draw_palette, draw_tool

GENERATOR_VERSION: Final = 2  # raised with every change that changes a pixel
SMALLEST, LARGEST = 16, 1024

_SPLIT_CODES = {"train": 1, "val": 2, "test": 3}


class EmojiDrawings:
    """Synthetic hand-drawn emoji, rendered on demand and determined by (seed, split, index).

    The classes take turns: drawing i is of class i modulo 8. Nothing is kept between calls, so that `image` may be
    called from several threads and the sequence may be sent to worker processes. The splits share no drawing.

    Args:
        count: Number of drawings.
        size: Side of the square images in pixels, 16 to 1024.
        seed: Seed of all drawings.
        split: `train`, `val` or `test`.

    Raises:
        ConfigError: A parameter is out of range or unknown.
    """

    def __init__(self, count: int, size: int = 64, seed: int = 0, split: str = "train") -> None:
        if count < 1:
            raise ConfigError(f"count={count} of the emoji drawings must be at least 1")
        if not SMALLEST <= size <= LARGEST:
            raise ConfigError(f"size={size} of the emoji drawings is out of range: use {SMALLEST} to {LARGEST} pixels")
        if seed < 0:
            raise ConfigError(f"seed={seed} of the emoji drawings must not be negative")
        if split not in _SPLIT_CODES:
            raise ConfigError(f"unknown split '{split}' of the emoji drawings: use train, val or test")
        self.size = size
        self.seed = seed
        self.split = split
        self._count = count

    def __len__(self) -> int:
        return self._count

    def label(self, index: int) -> int:
        """Return a drawing's class as an index into `CLASSES`."""
        return self._checked(index) % len(CLASSES)

    def medium(self, index: int) -> str:
        """Return what a drawing is made with: pen, marker, pencil, mouse, shapes, paint or paper."""
        return draw_medium(self._dice(index)).name

    def image(self, index: int) -> NDArray[np.uint8]:
        """Render a drawing.

        Args:
            index: Number of the drawing, 0 to len - 1.

        Returns:
            uint8 RGB (size, size, 3).

        Raises:
            IndexError: There is no such drawing.
        """
        from retable.papers.emoji.drawings.raster import develop, paint  # half a second, on first use only

        dice = self._dice(index)
        medium = draw_medium(dice)
        head, radius = draw_head_frame(dice, medium.neat)
        tool = draw_tool(dice, medium, radius)
        coloured = dice.chance(medium.coloured)
        outlined = not dice.chance(0.15 if coloured else 0.09)
        palette = draw_palette(dice, medium, coloured)
        camera = draw_camera(dice, medium.photographed)
        frames = (PAGE, head, draw_face_frame(dice, head, radius, outlined, medium.neat))
        sketch = Sketch(dice, coloured, medium.neat)
        if medium.photographed:
            rule_paper(sketch, tool[Trait.WIDTH])
        draw_face(sketch, draw_layout(dice), index % len(CLASSES), outlined)

        unsteadiness = int(dice.unit() * 2**48)
        canvas = np.empty((self.size, self.size, 3), np.float32)
        canvas[:] = palette[Ink.PAPER]
        perspective = np.array(camera.perspective)
        paint(
            canvas,
            np.array(sketch.rows, np.float64),
            np.array(palette),
            np.array(frames),
            perspective,
            np.array(tool),
            unsteadiness,
        )
        image = np.empty((self.size, self.size, 3), np.uint8)
        develop(canvas, camera.light, camera.noise, unsteadiness, image)
        return expose(image, camera)

    def fingerprint(self) -> str:
        """Return 64 hexadecimal digits (SHA-256) of the generator's version and of all parameters."""
        parameters = ("emoji drawings", GENERATOR_VERSION, self._count, self.size, self.seed, self.split)
        return hashlib.sha256(repr(parameters).encode()).hexdigest()

    def _checked(self, index: int) -> int:
        if not 0 <= index < self._count:
            raise IndexError(f"drawing {index} of {self._count}")
        return index

    def _dice(self, index: int) -> Dice:
        # no two drawings have the same number, whatever their seeds
        return Dice((self.seed * 4 + _SPLIT_CODES[self.split] << 64) + self._checked(index))
