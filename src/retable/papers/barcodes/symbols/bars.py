"""Bars as a profile: how light the print is along a line across it."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from retable.papers.barcodes.symbology.ean13 import Modules
from retable.synthetic.rng import RandomStream

Profile = NDArray[np.float32]

FINE: Final = 6  # samples of a module
SIDE: Final = 24  # modules beside the symbol on either side


def print_bars(modules: Modules, growth: float, surroundings: tuple[Profile, Profile]) -> Profile:
    """Prints modules with what stands beside them.

    Args:
        modules: (N,) of 1 (dark) and 0.
        growth: How much wider each bar is printed, in modules; negative: narrower.
        surroundings: Left and right of it, each (SIDE * FINE,).

    Returns:
        ((N + 2 * SIDE) * FINE,): 1 is the ground, 0 the ink.
    """
    whole = np.concatenate([surroundings[0], 1.0 - np.repeat(modules, FINE), surroundings[1]]).astype(np.float32)
    width = abs(growth) * FINE
    if width < 0.25:
        return whole
    # ink that spreads by a part of a sample darkens it in part: an average of the two whole widths beside it
    lower, part = int(width), width - int(width)
    grow = np.minimum if growth > 0 else np.maximum
    found = [_spread(whole, count, grow) for count in (lower, lower + 1)]
    return np.asarray((1.0 - part) * found[0] + part * found[1], np.float32)


def _spread(profile: Profile, count: int, grow: Any) -> Profile:
    """The least (or greatest) of `count` + 1 samples in a row; at the ends, which nobody sees, of fewer."""
    found = profile.copy()
    before = (count + 1) // 2
    for shift in range(1, before + 1):
        grow(found[:-shift], profile[shift:], out=found[:-shift])
    for shift in range(1, count - before + 1):
        grow(found[shift:], profile[:-shift], out=found[shift:])
    return found


def defocus(radius: float) -> Profile:
    """Returns how a disc of a radius in modules, out of focus, spreads a line; it sums to 1."""
    reach = math.ceil(radius * FINE)
    places = np.arange(-reach, reach + 1) / (radius * FINE + 1e-9)
    heights = np.sqrt(np.clip(1.0 - places**2, 0.0, None)) + 1e-6
    return np.asarray(heights / heights.sum(), np.float32)


def gaussian(deviation: float) -> Profile:
    """Returns a bell of a standard deviation in modules; it sums to 1."""
    reach = math.ceil(2.5 * deviation * FINE)
    heights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / (deviation * FINE + 1e-9)) ** 2)
    return np.asarray(heights / heights.sum(), np.float32)


def box(width: float) -> Profile:
    """Returns a line of a width in modules, as of a pixel or of motion; it sums to 1."""
    half = width * FINE / 2
    reach = math.ceil(half - 0.5)
    heights = np.clip(half + 0.5 - np.abs(np.arange(-reach, reach + 1)), 0.0, 1.0)
    return np.asarray(heights / heights.sum(), np.float32)


def spread(profile: Profile, kernel: Profile) -> Profile:
    """Blurs a profile; its outermost samples, which nobody sees, darken."""
    return np.asarray(np.convolve(profile, kernel, "same"), np.float32)


def draw_side(rng: RandomStream, addition: Modules | None = None) -> Profile:
    """Draws what stands beside a symbol, outwards from it: a quiet zone, then anything.

    Args:
        rng: Random numbers.
        addition: Modules that stand there after the quiet zone, such as those of an add-on.

    Returns:
        (SIDE * FINE,).
    """
    side = np.ones(SIDE * FINE, np.float32)
    quiet = int(FINE * (rng.uniform(6.0, 12.0) if rng.chance(0.7) else rng.log_uniform(1.0, SIDE)))
    rest = len(side) - quiet
    kind = rng.random()
    if addition is not None:
        bars = 1.0 - np.repeat(addition, FINE)[:rest]
        side[quiet : quiet + len(bars)] = bars
    elif kind < 0.35 and rest > 0:  # the end of the label
        side[quiet:] = rng.uniform(0.0, 1.0)
    elif kind < 0.6 and rest > 0:  # a frame, letters, other bars
        place = quiet
        while place < len(side):
            width = int(FINE * rng.log_uniform(0.5, 6.0))
            side[place : place + width] = rng.random()
            place += width + int(FINE * rng.log_uniform(0.5, 8.0))
    return side
