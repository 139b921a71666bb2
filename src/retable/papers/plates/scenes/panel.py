"""A flat thing under construction, such as the rear of a car, addressed in millimetres, y up from the ground."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from retable.papers.plates.artwork.canvas import Colour
from retable.papers.plates.artwork.glyphs import BOLD, aspect, sized_word
from retable.synthetic.noise import fractal_noise, window
from retable.synthetic.raster import SHIFT, Image, fixed
from retable.synthetic.rng import RandomStream

Point = tuple[float, float]


class Panel:
    """A picture, uint8 (H, W, 3), with a mask (H, W) of what belongs to the thing.

    Args:
        width: In mm; x runs from -width / 2 to width / 2.
        height: In mm; y runs from 0 at the lower edge upwards.
        scale: Pixels for each mm.
    """

    def __init__(self, width: float, height: float, scale: float) -> None:
        self.width, self.height, self.scale = width, height, scale
        shape = round(height * scale), round(width * scale)
        self.image: Image = np.zeros((*shape, 3), np.uint8)
        self.mask: Image = np.zeros(shape, np.uint8)

    def pixels(self, points: Sequence[Point]) -> np.ndarray:
        """Returns places in pixels, (N, 2)."""
        array = np.asarray(points, np.float64)
        return np.stack([(array[:, 0] + self.width / 2) * self.scale, (self.height - array[:, 1]) * self.scale], 1)

    def polygon(self, points: Sequence[Point], colour: Colour, mirrored: bool = False) -> None:
        """Fills a polygon; `mirrored` adds the one on the other side."""
        for corners in (points, [(-x, y) for x, y in points])[: 1 + mirrored]:
            places = fixed(self.pixels(corners))
            cv2.fillPoly(self.image, [places], colour, cv2.LINE_AA, SHIFT)
            cv2.fillPoly(self.mask, [places], (255,), cv2.LINE_8, SHIFT)

    def symmetric(self, right: Sequence[Point], colour: Colour) -> None:
        """Fills a polygon that is its own mirror image, given by its right half from the top down."""
        self.polygon([*right, *((-x, y) for x, y in reversed(right))], colour)

    def box(self, x0: float, y0: float, x1: float, y1: float, colour: Colour, mirrored: bool = False) -> None:
        """Fills a rectangle."""
        self.polygon([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], colour, mirrored)

    def ellipse(self, x: float, y: float, across: float, up: float, colour: Colour, thickness: float = 0.0) -> None:
        """Draws an ellipse of these half axes; filled where it has no thickness."""
        ((cx, cy),) = self.pixels([(x, y)]).round().astype(int).tolist()
        axes = max(1, round(across * self.scale)), max(1, round(up * self.scale))
        pixels = max(1, round(thickness * self.scale)) if thickness else cv2.FILLED
        cv2.ellipse(self.image, (cx, cy), axes, 0, 0, 360, colour, pixels, cv2.LINE_AA)
        cv2.ellipse(self.mask, (cx, cy), axes, 0, 0, 360, 255, pixels, cv2.LINE_8)

    def line(self, points: Sequence[Point], colour: Colour, thickness: float, mirrored: bool = False) -> None:
        """Draws a line through points."""
        pixels = max(1, round(thickness * self.scale))
        for corners in (points, [(-x, y) for x, y in points])[: 1 + mirrored]:
            cv2.polylines(self.image, [fixed(self.pixels(corners))], False, colour, pixels, cv2.LINE_AA, SHIFT)

    def word(self, text: str, x: float, y: float, height: float, colour: Colour, font: str = BOLD) -> None:
        """Writes a word whose middle and height are given."""
        rows, columns = max(2, round(height * self.scale)), max(2, round(height * aspect(font, text) * self.scale))
        ((cx, cy),) = self.pixels([(x, y)]).round().astype(int).tolist()
        top, left = cy - rows // 2, cx - columns // 2
        part = self.image[max(top, 0) : top + rows, max(left, 0) : left + columns]
        mask = sized_word(font, text, columns, rows)[max(-top, 0) :, max(-left, 0) :][: part.shape[0], : part.shape[1]]
        if mask.size:
            weight = cv2.cvtColor(mask, cv2.COLOR_GRAY2RGB).astype(np.float32) / 255
            part[:] = (part + (np.array(colour, np.float32) - part) * weight).astype(np.uint8)

    def shade(self, rng: RandomStream, strength: float) -> None:
        """Adds reflections and stains: smooth noise that is drawn out along the ground, and a fall of light."""
        rows, columns = self.mask.shape
        field = window(fractal_noise(1.9), rng, min(rows, 400), min(columns // 3 + 1, 400))
        noise = cv2.resize(field, (columns, rows)).astype(np.float32) - 128
        slope = np.linspace(rng.uniform(0.0, 0.16), -rng.uniform(0.0, 0.22), rows, dtype=np.float32)[:, None]
        lit = self.image * (1 + slope)[..., None] + (noise * strength)[..., None]
        self.image = np.clip(lit, 0, 255).astype(np.uint8)
