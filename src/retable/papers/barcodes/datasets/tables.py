"""Lists of marked photos: the notebook's markup.csv and labels.csv with boxes.

``markup.csv`` has no header and the columns path, code, x1, y1, x2, y2, x3, y3, x4, y4, barcode: corners in reading
order, counted in the photos beside it in ``Images``. The notebook's is in UTF-16; UTF-8 is read as well.

``labels.csv`` has a header: path, perhaps set, code, xmin, ymin, xmax, ymax: upright boxes around symbols, in the
photos beside it in ``photos`` or ``Images``. A photo with several symbols has several rows.
"""

from __future__ import annotations

import csv
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from retable.detection.annotation_files import parse_number
from retable.errors import DataError
from retable.papers.barcodes.datasets.labelled import (
    LabelledPhoto,
    LabelledSymbol,
    check_inside,
    in_order,
    read_code,
)

MARKUP, LABELS = "markup.csv", "labels.csv"
MARKUP_COLUMNS = ("path", "code", "x1", "y1", "x2", "y2", "x3", "y3", "x4", "y4", "barcode")
_BOX = ("xmin", "ymin", "xmax", "ymax")
_FOLDERS = ("Images", "images", "photos")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PhotoList:
    """The photos of a list.

    Attributes:
        path: The list.
        photos: In the list's order.
        notes: What a reader of the record must know: rows that were left out or mended.
    """

    path: Path
    photos: tuple[LabelledPhoto, ...]
    notes: tuple[str, ...]


def find_lists(root: Path) -> dict[str, Path]:
    """Returns the lists below a folder by the split they are for: ``all``, or ``train`` and perhaps ``test``.

    Raises:
        DataError: There are none.
    """
    for name in (MARKUP, LABELS):
        if (root / name).is_file():
            return {"all": root / name}
    found = {
        split: root / folder / MARKUP
        for split, folder in (("train", "Train"), ("test", "Test"))
        if (root / folder / MARKUP).is_file()
    }
    if "train" not in found and found:
        return {"all": found["test"]}
    if not found:
        hint = "; it has photos without a markup, which predict.py reads" if (root / "Images").is_dir() else ""
        raise DataError(f"data.root={root}: neither {MARKUP} nor {LABELS} is there, nor Train/{MARKUP}{hint}")
    return found


def read_list(path: Path, upright: bool = False, leave_out: bool = False) -> PhotoList:
    """Reads a list, and looks at each row.

    Args:
        path: A ``markup.csv`` or ``labels.csv``.
        upright: Whether corners count pixels of photos as their EXIF tags turn them.
        leave_out: Whether rows with a fault are left out, which log and notes tell.

    Raises:
        DataError: The file cannot be read, or a row has a fault: no such photo, a code that is none of EAN-13, corners
            that are no numbers, no quadrangle or outside of the photo. The message names file and row.
    """
    folder = next((path.parent / name for name in _FOLDERS if (path.parent / name).is_dir()), path.parent)
    found: dict[str, list[LabelledSymbol]] = {}
    groups: dict[str, str] = {}
    faults: list[str] = []
    mended: list[str] = []
    for place, row in _rows(path):
        try:
            name, symbol, in_wrong_order = _symbol(row, folder, upright)
        except DataError as error:
            if not leave_out:
                raise DataError(f"{place}: {error} (data.faulty_rows=leave_out goes on without such rows)") from None
            faults.append(f"{place}: {error}")
            continue
        if in_wrong_order:
            mended.append(place)
        found.setdefault(name, []).append(symbol)
        groups.setdefault(name, row.get("set", "").strip())
    notes = []
    if faults:
        for fault in faults:
            log.warning("%s", fault)
        notes.append(f"{len(faults)} rows of {path.name} have a fault and were left out, first {faults[0]}")
    if mended:
        notes.append(
            f"{len(mended)} rows of {path.name} have their corners in another order than clockwise, first {mended[0]}; "
            "they were put in order from their first one on"
        )
    photos = [LabelledPhoto(name, folder / name, tuple(found[name]), groups[name]) for name in found]
    return PhotoList(path, tuple(photos), tuple(notes))


def _symbol(row: dict[str, str], folder: Path, upright: bool) -> tuple[str, LabelledSymbol, bool]:
    """Returns a photo's name, its symbol, and whether the corners had another order."""
    name = row["path"].strip().replace("\\", "/")
    path = folder / name
    if not name or not path.is_file():
        raise DataError(f"there is no photo {path}; correct the path, or delete the row")
    code = read_code(row["code"])
    if "xmin" in row:
        left, top, right, bottom = (parse_number(row[key], key, "the box") for key in _BOX)
        if right <= left or bottom <= top:
            raise DataError(f"the box from ({left:g}, {top:g}) to ({right:g}, {bottom:g}) has no area")
        corners, is_box = np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float64), True
    else:
        numbers = [parse_number(row[key], key, "the corners") for key in MARKUP_COLUMNS[2:10]]
        corners, is_box = np.array(numbers, np.float64).reshape(4, 2), False
    corners, as_given = in_order(corners)
    check_inside(corners, path, upright)
    return name, LabelledSymbol(code, corners, is_box), not as_given


def _rows(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Reads the rows of a list with their places."""
    lines = _text(path).splitlines()
    delimiter = max(",;\t", key=lines[0].count) if lines else ","
    columns: list[str] | None = None if path.name == LABELS else list(MARKUP_COLUMNS)
    reader = csv.reader(lines, delimiter=delimiter)
    for cells in reader:
        place = f"{path}:{reader.line_num}"
        if not any(cell.strip() for cell in cells):
            continue
        if columns is None or [cell.strip().lower() for cell in cells[:2]] == ["path", "code"]:
            columns = [cell.strip().lower() for cell in cells]  # a header, which the notebook's lists do not have
            needed = ("path", "code", *(_BOX if path.name == LABELS else MARKUP_COLUMNS[2:10]))
            if missing := [name for name in needed if name not in columns]:
                raise DataError(f"{place}: the column {missing[0]!r} is missing; needed are {', '.join(needed)}")
            continue
        if len(cells) < len(columns) - (path.name != LABELS):  # the last column says nothing that is needed
            raise DataError(f"{place}: {len(cells)} columns; there should be {len(columns)}: {', '.join(columns)}")
        yield place, dict(zip(columns, cells, strict=False))


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    if encoding != "utf-16" and data[1:2] == b"\0":
        encoding = "utf-16-le"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        raise DataError(
            f"{path}: neither UTF-16, as the notebook writes it, nor UTF-8; save it as one of them"
        ) from None
