"""Codes as they are found in shops: valid, with the prefixes of countries, books, magazines, shops' own and UPC-A."""

from __future__ import annotations

from typing import Final

from retable.papers.barcodes.symbology.ean13 import DIGITS, check_digit
from retable.synthetic.rng import RandomStream, Weighted

_PREFIXES: Final[Weighted[tuple[int, int, int]]] = Weighted(  # first, last, digits
    ((0, 0, 1), 12.0),  # UPC-A
    ((100, 139, 3), 1.5),
    ((20, 29, 2), 6.0),  # a shop's own, often with a price
    ((300, 379, 3), 8.0),
    ((380, 399, 3), 2.0),
    ((400, 440, 3), 12.0),
    ((450, 459, 3), 4.0),
    ((460, 469, 3), 9.0),
    ((470, 499, 3), 7.0),
    ((500, 509, 3), 7.0),
    ((520, 628, 3), 9.0),
    ((629, 689, 3), 7.0),
    ((690, 699, 3), 6.0),
    ((700, 769, 3), 7.0),
    ((770, 799, 3), 4.0),
    ((800, 839, 3), 9.0),
    ((840, 899, 3), 10.0),
    ((900, 959, 3), 6.0),
    ((977, 977, 3), 2.0),  # magazines
    ((978, 978, 3), 9.0),  # books
    ((979, 979, 3), 1.0),
)


def draw_code(rng: RandomStream) -> str:
    """Draws a code of thirteen digits whose last one is right."""
    first, last, digits = _PREFIXES.draw(rng)
    prefix = str(rng.integer(first, last)).zfill(digits)
    rest = draw_digits(rng, DIGITS - 1 - len(prefix))
    if rng.chance(0.15):  # makers with few articles: a run of zeros
        zeros = rng.integer(2, 5)
        start = rng.integer(0, len(rest) - zeros)
        rest = rest[:start] + "0" * zeros + rest[start + zeros :]
    return prefix + rest + str(check_digit(prefix + rest))


def draw_digits(rng: RandomStream, count: int) -> str:
    """Draws so many digits."""
    return "".join(str(rng.integer(0, 9)) for _ in range(count))
