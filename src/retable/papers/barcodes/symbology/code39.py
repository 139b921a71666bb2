"""Code 39 (ISO/IEC 16388): characters of five bars and four spaces, three of which are wide."""

from __future__ import annotations

from typing import Final

import numpy as np

from retable.papers.barcodes.symbology.ean13 import Modules

CHARACTERS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%*"
_TABLE: Final = (
    "000110100 100100001 001100001 101100000 000110001 100110000 001110000 000100101 100100100 001100100 100001001 "
    "001001001 101001000 000011001 100011000 001011000 000001101 100001100 001001100 000011100 100000011 001000011 "
    "101000010 000010011 100010010 001010010 000000111 100000110 001000110 000010110 110000001 011000001 111000000 "
    "010010001 110010000 011010000 010000101 110000100 011000100 010101000 010100010 010001010 000101010 010010100"
)
_WIDE: Final = _TABLE.split()


def encode(text: str, wide: int = 3) -> Modules:
    """Returns the modules of a text of `CHARACTERS`, between its asterisks.

    Args:
        text: Without the asterisks.
        wide: Modules of a wide bar or space.
    """
    elements = "0".join(_WIDE[CHARACTERS.index(letter)] for letter in f"*{text}*")  # a narrow space between two
    widths = [wide if element == "1" else 1 for element in elements]
    return np.repeat(np.arange(1, len(widths) + 1) % 2, widths).astype(np.uint8)
