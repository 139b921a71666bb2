"""Symbols of all kinds as modules, with what is printed below them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from retable.papers.barcodes.symbology import add_on, code39, code128, ean8, ean13, itf, upce
from retable.papers.barcodes.symbology.ean13 import Modules, check_digit
from retable.papers.barcodes.symbology.numbers import draw_code
from retable.synthetic.rng import RandomStream, Weighted

EAN13: Final = "ean13"
ADD_ON: Final = "add_on"


@dataclass(frozen=True)
class Symbol:
    """What is to be drawn.

    Attributes:
        kind: `ean13`, which UPC-A is as well, `ean8`, `upce`, `code128`, `code39` or `itf`.
        code: Thirteen digits of an EAN-13; the text of another kind.
        modules: Its bars.
        guards: (N, 2): first module and end of what reaches below the other bars.
        words: What is written below: text and where its middle is, in modules.
        add_on: Two or five digits to the right; "" for none.
    """

    kind: str
    code: str
    modules: Modules
    guards: tuple[tuple[int, int], ...]
    words: tuple[tuple[str, float], ...]
    add_on: str = ""

    @property
    def add_on_modules(self) -> Modules:
        """The bars of the add-on."""
        return add_on.encode(self.add_on)


def edges(modules: Modules, growth: float = 0.0) -> NDArray[np.float64]:
    """Returns where dark bars begin and end, (N, 2) in modules.

    Args:
        modules: Begins and ends with a dark one.
        growth: What each bar gains, in modules, half of it on each side; negative: what it loses.
    """
    changes = np.flatnonzero(np.diff(modules, prepend=0, append=0)).reshape(-1, 2).astype(np.float64)
    changes += (-growth / 2, growth / 2)
    return changes


def draw_ean13(rng: RandomStream) -> Symbol:
    """Draws an EAN-13, perhaps as an UPC-A, perhaps with an add-on."""
    code = draw_code(rng)
    extra = _digits(rng, rng.choice((2, 5, 5))) if rng.chance(0.6 if code.startswith("97") else 0.04) else ""
    return ean13_symbol(code, as_upc=code[0] == "0" and rng.chance(0.8), add_on=extra)


def ean13_symbol(code: str, as_upc: bool = False, add_on: str = "") -> Symbol:
    """Returns the symbol of thirteen digits.

    Args:
        code: The digits.
        as_upc: Whether it looks like an UPC-A: twelve digits, of which the first and the last stand outside, with
            long bars.
        add_on: Two or five digits more.
    """
    places = ean13.SLOT_STARTS + ean13.SLOT_MODULES / 2
    words = [(digit, float(place)) for digit, place in zip(code[1:], places, strict=True)]
    guards = [(0, 3), (45, 50), (92, 95)]
    if as_upc:
        words[0], words[-1] = (code[1], -6.0), (code[-1], 101.0)
        guards = [(0, 10), (45, 50), (85, 95)]
    else:
        words.insert(0, (code[0], -6.0))
    return Symbol(EAN13, code, ean13.encode(code), tuple(guards), tuple(words), add_on)


def _digits(rng: RandomStream, count: int) -> str:
    return "".join(str(rng.integer(0, 9)) for _ in range(count))


def _draw_ean8(rng: RandomStream) -> Symbol:
    digits = _digits(rng, 7)
    code = digits + str(check_digit(digits))
    words = tuple((digit, 6.5 + 7 * place + 5 * (place > 3)) for place, digit in enumerate(code))
    return Symbol("ean8", code, ean8.encode(code), ((0, 3), (31, 36), (64, 67)), words)


def _draw_upce(rng: RandomStream) -> Symbol:
    digits = _digits(rng, upce.DIGITS)
    words = tuple((digit, 6.5 + 7 * place) for place, digit in enumerate(digits))
    outer = (("0", -6.0), (upce.expand(digits)[-1], 57.0))
    return Symbol("upce", digits, upce.encode(digits), ((0, 3), (45, 51)), words + outer)


def _draw_code128(rng: RandomStream) -> Symbol:
    letters = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789-"
    text = _digits(rng, 2 * rng.integer(3, 10))
    if rng.chance(0.6):
        text = "".join(rng.choice(letters) for _ in range(rng.integer(4, 14)))
    return _plain("code128", text, code128.encode(text))


def _draw_code39(rng: RandomStream) -> Symbol:
    text = "".join(rng.choice("ABCDEFGHKLMNPRSTUVWXYZ0123456789-") for _ in range(rng.integer(3, 9)))
    return _plain("code39", text, code39.encode(text, rng.integer(2, 3)))


def _draw_itf(rng: RandomStream) -> Symbol:
    text = _digits(rng, rng.choice((6, 8, 10, 13, 13, 13)) // 2 * 2 + 1)
    text += str(check_digit(text))
    return _plain("itf", text, itf.encode(text, rng.integer(2, 3)))


def _plain(kind: str, text: str, modules: Modules) -> Symbol:
    return Symbol(kind, text, modules, (), ((text, len(modules) / 2),))


_OTHERS: Final[Weighted[Callable[[RandomStream], Symbol]]] = Weighted(
    (_draw_ean8, 3.0), (_draw_upce, 2.0), (_draw_code128, 3.0), (_draw_code39, 2.0), (_draw_itf, 2.0)
)


def draw_other(rng: RandomStream) -> Symbol:
    """Draws a symbol of a kind that is not to be read."""
    return _OTHERS.draw(rng)(rng)
