"""EAN-8: eight digits as 67 modules, four of code set L and four of code set R between guards."""

from __future__ import annotations

from typing import Final

import numpy as np

from retable.papers.barcodes.symbology.ean13 import DIGIT_MODULES, GUARD, MIDDLE_GUARD, L, Modules, R

DIGITS: Final = 8


def encode(code: str) -> Modules:
    """Returns the modules (67,) of eight digits, whatever the last one is."""
    left, right = ([DIGIT_MODULES[kind, int(digit)] for digit in part] for kind, part in ((L, code[:4]), (R, code[4:])))
    return np.concatenate([GUARD, *left, MIDDLE_GUARD, *right, GUARD])
