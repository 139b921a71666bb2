"""UPC-E: a UPC-A with many zeros as 51 modules; the code sets of its six digits tell the check digit."""

from __future__ import annotations

from typing import Final

import numpy as np

from retable.papers.barcodes.symbology.ean13 import DIGIT_MODULES, GUARD, PARITIES, Modules, check_digit

DIGITS: Final = 6
_LAST_GUARD: Final[Modules] = np.array([0, 1, 0, 1, 0, 1], np.uint8)


def expand(digits: str) -> str:
    """Returns the UPC-A, twelve digits, of which six digits in number system 0 are the short form."""
    body, last = digits[:5], digits[5]
    if last in "012":
        whole = f"{body[:2]}{last}0000{body[2:]}"
    elif last == "3":
        whole = f"{body[:3]}00000{body[3:]}"
    elif last == "4":
        whole = f"{body[:4]}00000{body[4]}"
    else:
        whole = f"{body}0000{last}"
    return f"0{whole}{check_digit('0' + whole)}"


def encode(digits: str) -> Modules:
    """Returns the modules (51,) of six digits in number system 0."""
    check = int(expand(digits)[-1])
    # the tables of EAN-13 with L and G exchanged; but for 0, which there is all L
    sets = 1 - PARITIES[check] if check else (1, 1, 1, 0, 0, 0)
    middle = [DIGIT_MODULES[kind, int(digit)] for kind, digit in zip(sets, digits, strict=True)]
    return np.concatenate([GUARD, *middle, _LAST_GUARD])
