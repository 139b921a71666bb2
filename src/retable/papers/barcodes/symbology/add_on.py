"""Add-ons: two or five digits to the right of an EAN-13, such as the issue of a magazine or the price of a book."""

from __future__ import annotations

from typing import Final

import numpy as np

from retable.papers.barcodes.symbology.ean13 import DIGIT_MODULES, Modules

_GUARD: Final[Modules] = np.array([1, 0, 1, 1], np.uint8)
_SEPARATOR: Final[Modules] = np.array([0, 1], np.uint8)
_TWO: Final = ("00", "01", "10", "11")
_FIVE: Final = ("11000", "10100", "10010", "10001", "01100", "00110", "00011", "01010", "01001", "00101")


def encode(digits: str) -> Modules:
    """Returns the modules of two (20,) or five digits (47,). The code sets, L or G, check them."""
    numbers = [int(digit) for digit in digits]
    sets = _TWO[int(digits) % 4] if len(digits) == 2 else _FIVE[(3 * sum(numbers[::2]) + 9 * sum(numbers[1::2])) % 10]
    parts: list[Modules] = []
    for kind, digit in zip(sets, numbers, strict=True):
        parts += [_SEPARATOR, DIGIT_MODULES[int(kind), digit]]
    return np.concatenate([_GUARD, *parts[1:]])
