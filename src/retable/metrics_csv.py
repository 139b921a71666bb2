"""Reads ``metrics.csv``, what a run logged: a row for each logged step, each of which fills some columns."""

import contextlib
import csv
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
    try:
        content = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such metrics file; has the run trained at all?") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    whole = content[: content.rfind("\n") + 1].replace("\0", "")
    rows: list[dict[str, str]] = []
    with contextlib.suppress(csv.Error):  # what comes after it is no table
        lines = csv.reader(StringIO(whole))
        heading = next(lines, [])
        rows += ({name: text for name, text in zip(heading, line, strict=False) if text} for line in lines)
    return rows


def read_curves(path: Path, abscissa: str = "step") -> dict[str, Points]:
    """Reads the curves of a metrics file.

    Args:
        path: CSV with a heading.
        abscissa: Column of the abscissa, ``step`` or ``epoch``; a file without steps is read by epochs.

    Returns:
        The points of each other column that has numbers, NaN and infinities among them. A step that a resumed run
        logged again has its last value.

    Raises:
        DataError: The file is missing, or no row has a number for the abscissa.
    """
    rows = read_rows(path)
    if not any("step" in row for row in rows):
        abscissa = "epoch"
    curves: dict[str, dict[float, float]] = {}
    known = False
    for row in rows:
        place = _number(row.get(abscissa))
        if place is None:
            continue
        known = True
        for name, text in row.items():
            if name not in ("step", "epoch") and (value := _number(text)) is not None:
                curves.setdefault(name, {})[place] = value
    if not known:
        raise DataError(f"{path}: not a metrics file: no column step or epoch, or no rows")
    return {name: sorted(points.items()) for name, points in curves.items()}


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
