"""EAN-13 (ISO/IEC 15420): thirteen digits as 95 modules, each dark or light.

From left to right: a guard of 3 modules, six digits of 7, a guard of 5, six digits of 7, a guard of 3. The digits on
the left are of code set L or G; which, tells the first of the thirteen digits, which has no modules of its own. Those
on the right are of code set R. The last digit checks all others.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from retable.errors import DataError

Modules = NDArray[np.uint8]
"""1 for dark modules, 0 for light ones."""

MODULES: Final = 95
DIGITS: Final = 13
SLOTS: Final = 12  # digits that have modules of their own
SLOT_MODULES: Final = 7
SETS: Final = 3
L, G, R = range(SETS)


def _modules(pattern: str) -> Modules:
    return np.array(list(map(int, pattern)), np.uint8)


_ODD = (
    "0001101", "0011001", "0010011", "0111101", "0100011", "0110001", "0101111", "0111011", "0110111", "0001011",
)  # fmt: skip

DIGIT_MODULES: Final[Modules] = np.array(
    [
        [_modules(pattern) for pattern in _ODD],
        [1 - _modules(pattern)[::-1] for pattern in _ODD],
        [1 - _modules(pattern) for pattern in _ODD],
    ],
    np.uint8,
)
"""(3, 10, 7): the modules of each digit in code sets L, G and R."""

_FIRST = (
    "000000", "001011", "001101", "001110", "010011", "011001", "011100", "010101", "010110", "011010",
)  # fmt: skip
PARITIES: Final[Modules] = np.array([_modules(pattern) for pattern in _FIRST], np.uint8)
"""(10, 6): the code sets of the six digits on the left, `L` or `G`, for each first digit."""

GUARD: Final[Modules] = _modules("101")
MIDDLE_GUARD: Final[Modules] = _modules("01010")
SLOT_STARTS: Final = np.array([3 + 7 * slot + 5 * (slot >= 6) for slot in range(SLOTS)])
"""(12,): the first module of each digit but the first."""


def check_digit(digits: str) -> int:
    """Returns the digit that follows the others, with weights 1 and 3 in turn; the last given digit weighs 3."""
    return -sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits))) % 10


def is_valid(code: str) -> bool:
    """Whether a code is thirteen digits of which the last checks the others."""
    return len(code) == DIGITS and code.isascii() and code.isdigit() and check_digit(code[:-1]) == int(code[-1])


def checked(code: str) -> str:
    """Returns a code of thirteen digits; the twelve of a UPC-A get their leading 0.

    Raises:
        DataError: It has another length, other characters, or its last digit does not check the others.
    """
    whole = code.strip().zfill(DIGITS) if len(code.strip()) == DIGITS - 1 else code.strip()
    if len(whole) != DIGITS or not (whole.isascii() and whole.isdigit()):
        raise DataError(f"{code!r} is no code of EAN-13, which has {DIGITS} digits")
    if not is_valid(whole):
        raise DataError(f"{code!r} is no code of EAN-13: its last digit should be {check_digit(whole[:-1])}")
    return whole


def encode(code: str) -> Modules:
    """Returns the modules (95,) of a code of thirteen digits, whatever its last digit is."""
    first, *digits = map(int, code)
    modules = _FRAME.copy()
    modules[_SLOT_PLACES] = DIGIT_MODULES[_SETS[first], digits]
    return modules


_SETS: Final = np.concatenate([PARITIES, np.full((10, 6), R)], axis=1)
_SLOT_PLACES: Final = SLOT_STARTS[:, None] + np.arange(SLOT_MODULES)
_FRAME: Final = np.concatenate([GUARD, np.zeros(42, np.uint8), MIDDLE_GUARD, np.zeros(42, np.uint8), GUARD])
