"""The list of a collection of plates, ``manifest.csv``: one row a plate.

    path,kind,country,lines,x,y,w,h,text,source,split

Needed are `path`, below the list's folder, and for scenes the box `x, y, w, h` in pixels. `kind` is ``scene`` or
``crop``; where it is missing, a row with a box is of a scene. A scene without plates has one row without a box.
`source` tells what else the picture shares with others, and `split` overrules the split by blocks.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from retable.detection.annotation_files import parse_number
from retable.errors import DataError
from retable.papers.plates.countries import COUNTRIES, country_code

MANIFEST = "manifest.csv"
_BOX = ("x", "y", "w", "h")
_COLUMNS = ("path", "kind", "country", "lines", *_BOX, "text", "source", "split")


@dataclass(frozen=True)
class ManifestRow:
    """A row.

    Attributes:
        place: File and line, for messages.
        name: Path of the picture below the list's folder, with slashes.
        path: The file.
        is_scene: Whether it is a whole scene rather than a cut-out plate.
        country: Code of the country, "" where it is not told.
        lines: 1 or 2, 0 where it is not told.
        box: x, y, w, h in pixels, None for a crop and for a scene without plates.
        text: What the plate says, "" where it is not told.
        source: Where the picture comes from, "" where it is not told.
        split: Its split, "" where it is not told.
    """

    place: str
    name: str
    path: Path
    is_scene: bool
    country: str
    lines: int
    box: tuple[float, float, float, float] | None
    text: str
    source: str
    split: str


def read_manifest(root: Path) -> list[ManifestRow]:
    """Reads the rows of ``manifest.csv`` below a folder, in the file's order.

    Raises:
        DataError: The file or a picture is missing, a column is missing or twice, or a row has a fault: an unknown
            country, lines that are neither 1 nor 2, a box of no four numbers. The message names file and line.
    """
    path = root / MANIFEST
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            rows.fieldnames = columns = [name.strip().lower() for name in rows.fieldnames or ()]
            for name in _COLUMNS:
                if columns.count(name) > 1 or (name == "path" and name not in columns):
                    problem = "there twice" if name in columns else "missing"
                    raise DataError(f"{path}:1: the column {name!r} is {problem}; columns are {', '.join(_COLUMNS)}")
            found = [_row(root, row, f"{path}:{rows.line_num}") for row in rows]
    except FileNotFoundError:
        raise DataError(
            f"{path}: no such file; it lists the pictures, with the columns {', '.join(_COLUMNS)}"
        ) from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not a text file in UTF-8 (byte {error.start})") from None
    except (OSError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read ({error})") from None
    if not found:
        raise DataError(f"{path}: the list names no pictures")
    return found


def country_of(word: str, place: str) -> str:
    """Returns the code of a country, "" where there is none; `place` is for the message.

    Raises:
        DataError: It is unknown.
    """
    code = country_code(word) if word.strip() else ""
    if code is None:
        raise DataError(f"{place}: unknown country {word.strip()!r}; known are {', '.join(COUNTRIES)}")
    return code


def _row(root: Path, row: dict[str, str | None], place: str) -> ManifestRow:
    words = {key: (row.get(key) or "").strip() for key in _COLUMNS}
    if not words["path"]:
        raise DataError(f"{place}: no path; fill it in, or delete the line")
    name = PurePosixPath(words["path"].replace("\\", "/")).as_posix()
    if not (root / name).is_file():
        raise DataError(f"{place}: there is no file {root / name}; correct the path, or delete the line")
    given = [key for key in _BOX if words[key]]
    if given and len(given) < len(_BOX):
        raise DataError(f"{place}: only {', '.join(given)} of the box x, y, w, h; give all four numbers, or none")
    numbers = tuple(parse_number(words[key], key, place) for key in given)
    if words["kind"] not in ("", "scene", "crop"):
        raise DataError(f"{place}: kind is {words['kind']!r}; valid are scene and crop")
    if words["lines"] not in ("", "1", "2"):
        raise DataError(f"{place}: lines is {words['lines']!r}; valid are 1 and 2")
    if words["kind"] == "crop" and numbers:
        raise DataError(f"{place}: a crop has no box; leave x, y, w and h empty, or call it a scene")
    return ManifestRow(
        place=place,
        name=name,
        path=root / name,
        is_scene=words["kind"] == "scene" or bool(numbers),
        country=country_of(words["country"], place),
        lines=int(words["lines"] or 0),
        box=numbers or None,  # type: ignore[arg-type]  # four of them, as was checked
        text=words["text"],
        source=words["source"],
        split=words["split"].lower(),
    )
