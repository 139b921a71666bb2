"""Reads ``metrics.csv``, what a run logged: a row for each logged step, each of which fills some columns."""

import contextlib
import csv
from collections.abc import Callable
from io import StringIO
from pathlib import Path

from retable.errors import DataError

Points = list[tuple[float, float]]
"""A curve: (step or epoch, value), the former in increasing order."""


def read_rows(path: Path) -> list[dict[str, str]]:
    """Reads the rows of a metrics file as far as it can be read, each with the columns that it fills.

    A last line that was cut off is left out, as it may end in half a number.

    Raises:
        DataError: There is no such file, or it cannot be opened.
    """
    heading, *lines = _lines(path) or [[]]
    return [{name: text for name, text in zip(heading, line, strict=False) if text} for line in lines if line]


def read_curves(
    path: Path, abscissa: str = "step", wanted: Callable[[str], bool] = lambda name: True
) -> dict[str, Points]:
    """Reads the curves of a metrics file, as far as it can be read (see `read_rows`).

    Args:
        path: CSV with a heading.
        abscissa: Column of the abscissa, ``step`` or ``epoch``; a file without steps is read by epochs.
        wanted: Whether a column is to be read, by its name.

    Returns:
        The points of each of these columns that has numbers, NaN and infinities among them. A step that a resumed run
        logged again has its last value.

    Raises:
        DataError: The file is missing, or has no rows or no column for the abscissa.
    """
    heading, *lines = _lines(path) or [[]]
    abscissa = abscissa if abscissa in heading else "epoch"
    if abscissa not in heading or not lines:
        raise DataError(f"{path}: not a metrics file: no column step or epoch, or no rows")
    place = heading.index(abscissa)
    curves: dict[str, dict[float, float]] = {}
    columns = [(i, name) for i, name in enumerate(heading) if name not in ("step", "epoch") and wanted(name)]
    for line in lines:
        for index, name in columns:
            if max(index, place) < len(line) and line[index]:
                x, value = _number(line[place]), _number(line[index])
                if x is not None and value is not None:
                    curves.setdefault(name, {})[x] = value
    return {name: sorted(points.items()) for name, points in curves.items()}


def _lines(path: Path) -> list[list[str]]:
    try:
        content = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such metrics file; has the run trained at all?") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    lines: list[list[str]] = []
    with contextlib.suppress(csv.Error):  # what comes after it is no table
        lines += csv.reader(StringIO(content[: content.rfind("\n") + 1].replace("\0", "")))
    return lines


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
