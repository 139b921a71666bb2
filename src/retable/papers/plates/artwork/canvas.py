"""A plate under construction, addressed in millimetres from its upper left corner."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from retable.papers.plates.artwork.glyphs import BOLD, aspect, sized_glyph, sized_word
from retable.synthetic.noise import fractal_noise, window
from retable.synthetic.raster import Image, Points
from retable.synthetic.rng import RandomStream

Colour = tuple[int, int, int]

_SOLID: Image = np.full((256, 256), 255, np.uint8)
_WIDTHS = {" ": 0.45, "-": 0.5, "1": 0.55, "I": 0.35, ".": 0.3, "·": 0.4, "°": 0.75, ":": 0.6, "M": 1.15, "W": 1.2}


@dataclass(frozen=True)
class Lettering:
    """How the characters of a plate are made.

    Attributes:
        font: See `retable.papers.plates.artwork.glyphs`.
        weight: See `retable.papers.plates.artwork.glyphs.glyph`.
        stencil: Likewise.
        width: Of most characters, as a part of their height.
        gap: Between two characters, likewise.
        fixed: Whether all characters but separators are as wide.
    """

    font: str
    weight: int = 0
    stencil: bool = False
    width: float = 0.62
    gap: float = 0.14
    fixed: bool = False

    def advance(self, letter: str) -> float:
        """Returns a character's width as a part of the height, with its gap."""
        factor = _WIDTHS.get(letter, 1.0)
        if self.fixed and letter.isalnum():
            factor = 1.0
        return self.width * factor + self.gap


class PlateCanvas:
    """A texture, uint8 (H, W, 3), of a plate and a margin around it.

    Args:
        width: Of the plate, mm.
        height: Likewise.
        scale: Pixels for each mm.
        paper: Colour of the plate.
        margin: Around the plate, mm: room for a frame.
        surroundings: Colour of the margin.
    """

    def __init__(
        self, width: float, height: float, scale: float, paper: Colour, margin: float, surroundings: Colour
    ) -> None:
        self.width, self.height, self.scale, self.margin = width, height, scale, margin
        shape = (max(round((height + 2 * margin) * scale), 4), max(round((width + 2 * margin) * scale), 4))
        self.image: Image = np.empty((*shape, 3), np.uint8)
        cv2.rectangle(self.image, (0, 0), shape[::-1], surroundings, cv2.FILLED)
        self._ink: Image = np.zeros(shape, np.uint8)
        self._written = [(10**6, 0), (10**6, 0)]  # rows and columns from and to which there is ink
        self.paper, self._surroundings = paper, surroundings
        self.box(0, 0, width, height, paper)

    def pixel(self, millimetres: float) -> int:
        """Returns the row or column at a place."""
        return round((millimetres + self.margin) * self.scale)

    def box(self, x0: float, y0: float, x1: float, y1: float, colour: Colour) -> None:
        """Fills a rectangle."""
        _fill(self.image, slice(self.pixel(y0), self.pixel(y1)), slice(self.pixel(x0), self.pixel(x1)), colour)

    def line(self, x0: float, y0: float, x1: float, y1: float, colour: Colour, thickness: float) -> None:
        """Draws a straight line of a thickness in mm."""
        start, end = (self.pixel(x0), self.pixel(y0)), (self.pixel(x1), self.pixel(y1))
        colour = self._thinned(colour, thickness * self.scale, self.paper)
        cv2.line(self.image, start, end, colour, max(1, round(thickness * self.scale)), cv2.LINE_AA)

    def border(self, colour: Colour, thickness: float, inset: float = 2.0) -> None:
        """Draws a line along the edge, its corners rounded by what the thickness gives."""
        first, last = self.pixel(inset), (self.pixel(self.width - inset), self.pixel(self.height - inset))
        pixels = max(1, round(thickness * self.scale))
        colour = self._thinned(colour, thickness * self.scale, self.paper)
        cv2.rectangle(self.image, (first, first), last, colour, pixels, cv2.LINE_AA)

    def disc(
        self, x: float, y: float, radius: float, colour: Colour, thickness: float = 0.0, on: Colour | None = None
    ) -> None:
        """Draws a circle on a colour, by default the paper's; filled where it has no thickness."""
        colour = self._thinned(colour, (1.3 * radius * self.scale) ** 2, on or self.paper)
        pixels = max(1, round(thickness * self.scale)) if thickness else cv2.FILLED
        centre = (self.pixel(x), self.pixel(y))
        cv2.circle(self.image, centre, max(1, round(radius * self.scale)), colour, pixels, cv2.LINE_AA)

    def text(self, text: str, box: tuple[float, float, float, float], lettering: Lettering, align: float = 0.5) -> None:
        """Writes characters of a plate into a box (x0, y0, x1, y1), as high as it is; `align` is 0 for left, 1 right.

        They appear with `print`. A blank and ``°`` (a seal) leave room.
        """
        x0, y0, x1, y1 = box
        height = y1 - y0
        advances = [lettering.advance(letter) * height for letter in text]
        total = sum(advances) - lettering.gap * height
        squeeze = min(1.0, (x1 - x0) / total)
        x = x0 + align * (x1 - x0 - squeeze * total)
        top, bottom = self.pixel(y0), max(self.pixel(y1), self.pixel(y0) + 1)
        rows = slice(top, bottom)
        for letter, advance in zip(text, advances, strict=True):
            wide = (advance - lettering.gap * height) * squeeze
            if letter in "-·.:":
                part = 0.12 * height
                middle = (y0 + y1) / 2 if letter != "." else y1 - part / 2
                dash = slice(self.pixel(middle - part / 2), self.pixel(middle + part / 2))
                start = self.pixel(x + 0.1 * wide)
                self._put(_SOLID, dash, slice(start, max(self.pixel(x + 0.9 * wide), start + 1)))
            elif letter not in " °":
                columns = slice(self.pixel(x), max(self.pixel(x + wide), self.pixel(x) + 1))
                size = columns.stop - columns.start, bottom - top
                self._put(
                    sized_glyph(lettering.font, letter, lettering.weight, lettering.stencil, *size), rows, columns
                )
            x += advance * squeeze

    def word(self, text: str, box: tuple[float, float, float, float], font: str = BOLD) -> None:
        """Writes small print into the middle of a box, in its own proportions. It appears with `print`."""
        x0, y0, x1, y1 = box
        high, wide = y1 - y0, x1 - x0
        natural = aspect(font, text) * high
        if natural > wide:
            high *= wide / natural
        else:
            wide = natural
        x, y = (x0 + x1 - wide) / 2, (y0 + y1 - high) / 2
        rows = slice(self.pixel(y), max(self.pixel(y + high), self.pixel(y) + 1))
        columns = slice(self.pixel(x), max(self.pixel(x + wide), self.pixel(x) + 1))
        self._put(sized_word(font, text, columns.stop - columns.start, rows.stop - rows.start), rows, columns)

    def print(self, colour: Colour, relief: float = 0.0) -> None:
        """Inks what was written; `relief` is how strongly embossed edges catch the light, in grey levels."""
        rows, columns = (slice(low, high) for low, high in self._written)
        written, part = self._ink[rows, columns], self.image[rows, columns]
        if not written.size:
            return
        weight = written.astype(np.float32)
        weight *= np.float32(1 / 255)
        ink = np.empty_like(part)
        _fill(ink, slice(None), slice(None), colour)
        part[:] = cv2.blendLinear(ink, part, weight, 1.0 - weight)
        if relief:
            edge = np.zeros(written.shape, np.int16)
            np.subtract(written[:-1], written[1:], out=edge[1:], dtype=np.int16)
            lit = cv2.cvtColor((edge * np.float32(relief / 255)).astype(np.float32), cv2.COLOR_GRAY2RGB)
            part[:] = cv2.add(part, lit, dtype=cv2.CV_8U)
        written[:] = 0
        self._written = [(10**6, 0), (10**6, 0)]

    def weather(self, rng: RandomStream, strength: float) -> None:
        """Adds stains: fractal noise of the given strength; 1 is a standard deviation of 40."""
        stains = cv2.cvtColor(window(fractal_noise(1.6), rng, *self.image.shape[:2]), cv2.COLOR_GRAY2RGB)
        cv2.addWeighted(self.image, 1.0, stains, strength, -128.0 * strength, self.image)

    def restore_margin(self) -> None:
        """Covers what was drawn beyond the plate."""
        left, right = self.pixel(0), self.pixel(self.width)
        top, bottom = self.pixel(0), self.pixel(self.height)
        for rows, columns in (
            (slice(0, top), slice(None)),
            (slice(bottom, None), slice(None)),
            (slice(None), slice(0, left)),
            (slice(None), slice(right, None)),
        ):
            _fill(self.image, rows, columns, self._surroundings)

    def corners(self) -> Points:
        """Returns the plate's corners (4, 2) in pixels of the texture, clockwise from the upper left."""
        left, right = self.margin * self.scale, (self.margin + self.width) * self.scale
        top, bottom = self.margin * self.scale, (self.margin + self.height) * self.scale
        return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])

    def _thinned(self, colour: Colour, share: float, on: Colour) -> Colour:
        """What is left of the colour of a thing that covers only a share of the pixels that it is drawn with."""
        part = min(max(share, 0.0), 1.0)
        red, green, blue = (round(part * value + (1 - part) * under) for value, under in zip(colour, on, strict=True))
        return red, green, blue

    def _put(self, mask: Image, rows: slice, columns: slice) -> None:
        part = self._ink[rows, columns]
        if part.size:
            np.maximum(part, mask[: part.shape[0], : part.shape[1]], out=part)
            ends = (rows.start, rows.stop), (columns.start, columns.stop)
            self._written = [
                (min(low, start), max(high, stop))
                for (low, high), (start, stop) in zip(self._written, ends, strict=True)
            ]


def _fill(image: Image, rows: slice, columns: slice, colour: Colour) -> None:
    """Fills rows and columns by one colour, many times as fast as NumPy does."""
    part = image[rows, columns]
    if part.size:
        cv2.rectangle(part, (0, 0), (part.shape[1], part.shape[0]), colour, cv2.FILLED)


def vary(rng: RandomStream, colour: Colour, spread: float = 8.0) -> Colour:
    """Returns a colour that differs a little in brightness and in each channel."""
    shift = rng.triangular(2 * spread)
    red, green, blue = (min(255, max(0, round(value + shift + rng.triangular(spread)))) for value in colour)
    return red, green, blue
