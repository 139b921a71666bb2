"""Interleaved 2 of 5 (ISO/IEC 16390): of two digits, one is told by five bars, the other by the spaces between them."""

from __future__ import annotations

from typing import Final

import numpy as np

from retable.papers.barcodes.symbology.ean13 import Modules

_WIDE: Final = ("00110", "10001", "01001", "11000", "00101", "10100", "01100", "00011", "10010", "01010")


def encode(digits: str, wide: int = 3) -> Modules:
    """Returns the modules of digits of an even number.

    Args:
        digits: What is encoded, a check digit included where there is to be one.
        wide: Modules of a wide bar or space.
    """
    pairs = zip(digits[::2], digits[1::2], strict=True)
    elements = "".join(
        bar + space for one, two in pairs for bar, space in zip(_WIDE[int(one)], _WIDE[int(two)], strict=True)
    )
    widths = [wide if element == "1" else 1 for element in f"0000{elements}100"]
    return np.repeat(np.arange(1, len(widths) + 1) % 2, widths).astype(np.uint8)
