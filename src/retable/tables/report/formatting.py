"""Writes numbers, spreads, times, lists and paths, the same in every format of a report and in the terminal."""

import re
from collections.abc import Iterable
from pathlib import Path

NONE = "–"
"""Stands where there is no number."""

_MINUS = "−"
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_ABSOLUTE = re.compile(r"(?<![\w./~…-])(?<!:/)/(?:[^\s/'\",:;\]]+/)*(?P<name>[^\s/'\",:;\]]+)")
_CELL = re.compile(r"[^\s='\"]*/cells/(?P<id>[0-9a-f]{12})\b")


def number(value: float | None, decimals: int) -> str:
    """A number with fixed decimals and a true minus sign; a dash for None."""
    return NONE if value is None else f"{value:z.{decimals}f}".replace("-", _MINUS)


def signed(value: float | None, decimals: int) -> str:
    """A difference: with its sign, unless it is 0 as written."""
    if value is None:
        return NONE
    text = f"{value:+z.{decimals}f}"
    return text[1:] if float(text) == 0 else text.replace("-", _MINUS)


def deviation(std: float | None, decimals: int) -> str:
    """A standard deviation with its ±; "" for None. One that is not 0 is never written as 0."""
    if std is None:
        return ""
    if std > 0 and round(std, decimals) == 0:
        return f"± <{10**-decimals:.{decimals}f}"
    return f"± {number(std, decimals)}"


def seeds_note(count: int, asked: int) -> str:
    """How many seeds a mean is over, where it is fewer than were asked for; else ""."""
    return f"n = {count} of {asked}" if count < asked else ""


def interval(low: float | None, high: float | None, decimals: int) -> str:
    """An interval in brackets; "" without ends."""
    return "" if low is None or high is None else f"[{number(low, decimals)}, {number(high, decimals)}]"


def p_value(p: float | None) -> str:
    """A p-value with as many digits as it deserves."""
    if p is None:
        return NONE
    return "< 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def duration(seconds: float) -> str:
    """A time in the unit that suits it."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 3600 else f"{seconds / 3600:.2f} h"


def memory(count: float) -> str:
    """Bytes in GiB, or MiB where that is below 0.1."""
    return f"{count / 2**30:.2f} GiB" if count >= 0.1 * 2**30 else f"{count / 2**20:.0f} MiB"


def moment(iso: str) -> str:
    """A record's ISO date to the minute, in UTC as it is."""
    return f"{iso[:10]} {iso[11:16]} UTC"


def counted(count: int, word: str) -> str:
    """A count with its noun: ``1 seed``, ``3 seeds``."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def listed(words: Iterable[str]) -> str:
    """Words as a sentence lists them: ``a, b and c``."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def printable(text: str) -> str:
    """Text without colour codes and control characters, which logs hold and no format can."""
    return _CONTROL.sub("", text)


def unbroken(words: str) -> str:
    """Words that may be broken after commas only."""
    return ", ".join(part.replace(" ", "\u00a0") for part in words.split(", "))


def portable(text: str, outputs: Path | None) -> str:
    """Text without the paths of this machine.

    Args:
        text: A command, a warning, the line of a log.
        outputs: The folder that is called ``outputs`` from now on; None if there is none yet.

    Returns:
        The text in which cells are ``outputs/cells/ID`` and of any other absolute path only the name is left.
    """
    if outputs is not None:
        text = re.sub(re.escape(str(outputs)) + r"(?![\w-])", "outputs", text)
    text = _CELL.sub(r"outputs/cells/\g<id>", text)
    return _ABSOLUTE.sub(r"…/\g<name>", text)
