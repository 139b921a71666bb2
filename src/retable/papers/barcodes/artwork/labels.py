"""A symbol as it is printed: bars, digits, the quiet zones and what intrudes on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from retable.papers.barcodes.artwork.colours import Colour, draw_bar_colours
from retable.papers.barcodes.artwork.symbols import Symbol, edges
from retable.synthetic.raster import Image, Points
from retable.synthetic.rng import RandomStream

_FONTS: Final = (
    cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_PLAIN,
    cv2.FONT_HERSHEY_COMPLEX,
)  # fmt: skip
_CAPITALS: Final = {cv2.FONT_HERSHEY_PLAIN: 10.0}  # height at scale 1, pixels; 21 of all others
_ADD_ON_GAP: Final = (9, 12)  # modules


@dataclass(frozen=True)
class Label:
    """A picture of a symbol with its surroundings.

    Attributes:
        image: uint8 (H, W, 3).
        symbol: What it shows.
        corners: (4, 2) of the bars, as of `retable.papers.barcodes`: pixels, in reading order.
        add_on: (4, 2) of the add-on's bars; None where there is none.
    """

    image: Image
    symbol: Symbol
    corners: Points
    add_on: Points | None


def draw_label(rng: RandomStream, symbol: Symbol, module: float, paper: Colour | None = None) -> Label:
    """Prints a symbol.

    Args:
        rng: Random numbers.
        symbol: What to print.
        module: Width of a module, pixels.
        paper: Colour of the ground; by default any that suits bars.
    """
    count = len(symbol.modules)
    dark, light = draw_bar_colours(rng, paper)
    ratio = rng.uniform(0.45, 0.78) if rng.chance(0.6) else rng.log_uniform(0.14, 0.5)  # truncated where room is scarce
    high = max(ratio * max(count, 60), 6.0)
    left, right = (rng.uniform(7, 13) if rng.chance(0.7) else rng.uniform(1.5, 8) for _ in range(2))
    top = rng.uniform(0.5, 10)
    size = rng.uniform(6.5, 9.5) if rng.chance(0.92) else 0.0  # of the digits, modules; 0 for none
    below = rng.uniform(1.0, 3.0) + size + 1.5 if size else rng.uniform(0.5, 8)
    gap = rng.uniform(*_ADD_ON_GAP)
    extra = symbol.add_on_modules if symbol.add_on else None
    whole = left + count + right + (0 if extra is None else gap + len(extra))
    # even sides: a picture of half the size has its corners exactly where they should be
    height, width = (2 * max(4, round(side * module / 2)) for side in (top + high + below, whole))
    image = np.empty((height, width, 3), np.uint8)
    image[:] = np.tile(np.array(light, np.uint8), (width, 1))  # by rows: several times as fast as by pixels
    growth = rng.triangular(0.3)
    shift = rng.random() / module  # bars begin anywhere between pixels
    x0, y0 = left + shift, top
    bars = edges(symbol.modules, growth)
    bottom = top + high
    _stripes(image, bars + x0, module, y0, bottom, dark, light)
    long = rng.uniform(3.0, 6.0) if symbol.guards and size and rng.chance(0.85) else 0.0
    if long:
        guards = np.concatenate([bars[(bars.mean(1) > first) & (bars.mean(1) < end)] for first, end in symbol.guards])
        _stripes(image, guards + x0, module, bottom, bottom + long, dark, light)
    text = bottom + (0.8 if long else 1.2)
    if size:
        _write(image, rng, [(word, place + x0) for word, place in symbol.words], text, size, module, dark)
    add_on = None
    if extra is not None:
        start = x0 + count + gap
        upper = y0 + min(size, 0.5 * high)  # its digits stand above
        _stripes(image, edges(extra, growth) + start, module, upper, bottom + long, dark, light)
        add_on = _rectangle(start, upper, start + len(extra), bottom + long, module)
        if size:
            step = len(extra) / len(symbol.add_on)
            words = [(digit, start + (place + 0.5) * step) for place, digit in enumerate(symbol.add_on)]
            _write(image, rng, words, y0 - 1.0, size, module, dark)
    _surround(image, rng, symbol, module, dark, (x0, y0, x0 + count, bottom))
    return Label(image, symbol, _rectangle(x0, y0, x0 + count, bottom, module), add_on)


def coverage(bars: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Returns how much of each of `width` pixels is dark, 0 to 1, given where bars begin and end (N, 2) in pixels."""
    marks = bars.ravel()
    dark = np.concatenate([[0.0], np.cumsum(np.diff(marks) * (np.arange(len(marks) - 1) % 2 == 0))])
    return np.diff(np.interp(np.arange(width + 1), marks, dark))


def _stripes(
    image: Image, bars: NDArray[np.float64], module: float, top: float, bottom: float, dark: Colour, light: Colour
) -> None:
    """Prints bars, all in modules, from a top to a bottom; they cover pixels at their sides in part."""
    share = coverage(bars * module, image.shape[1])[:, None]
    row = share * dark + (1.0 - share) * light
    first, last = top * module, bottom * module
    start, end = int(bars[0, 0] * module), int(np.ceil(bars[-1, 1] * module))
    image[round(first) : round(last), start:end] = np.rint(row[start:end]).astype(np.uint8)


def _rectangle(left: float, top: float, right: float, bottom: float, module: float) -> Points:
    upper, lower = round(top * module), round(bottom * module)  # as _stripes draws them
    first, last = left * module, right * module
    return np.array([(first, upper), (last, upper), (last, lower), (first, lower)], np.float64)


def _write(
    image: Image,
    rng: RandomStream,
    words: list[tuple[str, float]],
    top: float,
    size: float,
    module: float,
    colour: Colour,
) -> None:
    """Writes words, each about its middle, at a height in modules."""
    font = rng.choice(_FONTS)
    height = size * module
    scale = height / _CAPITALS.get(font, 21.0)
    thickness = max(1, round(height * rng.uniform(0.06, 0.13)))
    y = round(top * module + height)
    digit = cv2.getTextSize("0", font, scale, thickness)[0][0]  # all are as wide, in these fonts
    for word, place in words:
        width = digit if len(word) == 1 else cv2.getTextSize(word, font, scale, thickness)[0][0]
        cv2.putText(image, word, (round(place * module - width / 2), y), font, scale, colour, thickness, cv2.LINE_AA)


def _surround(
    image: Image,
    rng: RandomStream,
    symbol: Symbol,
    module: float,
    ink: Colour,
    box: tuple[float, float, float, float],
) -> None:
    """Draws what stands close: bearer bars, a frame, a line or words in the quiet zone."""
    height, width = image.shape[:2]
    left, top, right, bottom = (round(value * module) for value in box)
    line = max(1, round(module * rng.uniform(0.5, 3.0)))
    if symbol.kind == "itf" and rng.chance(0.6):
        cv2.rectangle(image, (0, top - line), (width - 1, bottom + line), ink, max(line, 2))
    elif rng.chance(0.15):
        cv2.rectangle(image, (0, 0), (width - 1, height - 1), ink, line)
    if rng.chance(0.08):  # an intrusion: something printed or stuck in the quiet zone
        x = round(rng.choice((left - rng.uniform(1.5, 5.0) * module, right + rng.uniform(1.5, 5.0) * module)))
        cv2.line(image, (x, rng.integer(0, height)), (x, rng.integer(0, height)), ink, line, cv2.LINE_AA)
    if rng.chance(0.1) and top > 5 * module:
        scale = (top - 2 * module) / 24.0
        cv2.putText(
            image, "ISBN 978-3-16-148410-0", (left, top - 2), cv2.FONT_HERSHEY_SIMPLEX, scale, ink, 1, cv2.LINE_AA
        )
