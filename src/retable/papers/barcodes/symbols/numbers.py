"""Codes as shops have them, at random."""

from __future__ import annotations

from retable.papers.barcodes.symbology.ean13 import check_digit
from retable.synthetic.rng import RandomStream, Weighted

# prefixes of GS1's member organisations and of special uses, with weights: about what stands on shelves
_COUNTRIES = (
    "30", "31", "32", "33", "36", "37", "40", "41", "42", "43", "44", "45", "46", "47", "49", "50", "54", "57", "590",
    "594", "599", "64", "69", "70", "73", "76", "80", "81", "82", "83", "84", "86", "87", "88", "90", "91", "93", "94",
)  # fmt: skip
_PREFIXES = Weighted(
    ("", 3.0),  # any at all, so that no prefix is a must
    ("0", 1.5),  # UPC-A
    *((prefix, 0.35) for prefix in _COUNTRIES),
    *((prefix, 0.8) for prefix in ("978", "979", "977")),  # books, music, periodicals
    *((str(prefix), 0.2) for prefix in range(20, 30)),  # in stores
)


def draw_code(rng: RandomStream) -> str:
    """Draws a valid code of thirteen digits."""
    prefix = _PREFIXES.draw(rng)
    number = rng.integer(0, 10 ** (12 - len(prefix)) - 1)
    if rng.chance(0.15):  # a small number of a maker's own products: zeros in the middle
        number = number // 10**5 // 1000 * 10**5 + number % 1000
    digits = f"{prefix}{number:0{12 - len(prefix)}d}"
    return f"{digits}{check_digit(digits)}"
