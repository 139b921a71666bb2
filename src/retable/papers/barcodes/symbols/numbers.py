"""Codes as shops have them, at random."""

from __future__ import annotations

from retable.papers.barcodes.symbology.ean13 import check_digit
from retable.synthetic.rng import RandomStream, Weighted

# prefixes of GS1's member organisations and of special uses, with weights: about what stands on shelves
_PREFIXES = Weighted(
    ("", 3.0),  # any at all, so that no prefix is a must
    ("0", 1.5),  # UPC-A
    *((prefix, 0.4) for prefix in ("30", "31", "32", "33", "36", "37")),  # France
    *((prefix, 0.4) for prefix in ("40", "41", "42", "43", "44")),  # Germany
    *((prefix, 0.3) for prefix in ("45", "49", "46", "47", "50", "54", "57", "590", "594", "599", "64", "69", "70", "73")),
    *((prefix, 0.4) for prefix in ("76", "80", "81", "82", "83", "84", "86", "87", "88", "90", "91", "93", "94")),
    *((prefix, 0.8) for prefix in ("978", "979", "977")),  # books, music, periodicals
    *((prefix, 0.2) for prefix in ("20", "21", "22", "23", "24", "25", "26", "27", "28", "29")),  # in stores
)  # fmt: skip


def draw_code(rng: RandomStream) -> str:
    """Draws a valid code of thirteen digits."""
    prefix = _PREFIXES.draw(rng)
    number = rng.integer(0, 10 ** (12 - len(prefix)) - 1)
    if rng.chance(0.15):  # a small number of a maker's own products: zeros in the middle
        number = number // 10**5 // 1000 * 10**5 + number % 1000
    digits = f"{prefix}{number:0{12 - len(prefix)}d}"
    return f"{digits}{check_digit(digits)}"
