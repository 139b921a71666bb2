"""Folders of drawings: one folder a class, or a labels.csv with path, class and, where it is known, hand."""

import csv
import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from retable.data.listing import list_files
from retable.errors import DataError
from retable.papers.emoji.classes import CLASSES

LABELS = "labels.csv"


@dataclass(frozen=True)
class Drawing:
    """A drawing in a file.

    Attributes:
        path: The file.
        name: Its path below the dataset's folder, with slashes.
        label: Index into `CLASSES`.
        hand: Who drew it; "" where that is not known.
    """

    path: Path
    name: str
    label: int
    hand: str = ""


def list_drawings(root: Path) -> tuple[list[Drawing], list[str]]:
    """Lists the drawings of a folder: those of its labels.csv where it has one, else of its class folders.

    Returns:
        The drawings by name, and notes: what a reader of the numbers must know.

    Raises:
        DataError: There is none, a class or a file is unknown, or labels.csv has a fault; the message names folder or
            line.
    """
    drawings, notes = _from_table(root) if (root / LABELS).is_file() else _from_folders(root)
    if not drawings:
        raise DataError(
            f"data.root={root}: no drawings; put images into folders named as the classes are ({', '.join(CLASSES)}), "
            f"or write {LABELS} with the columns path, class and, if known, hand"
        )
    return sorted(drawings, key=lambda drawing: drawing.name), notes


def class_label(word: str, place: str) -> int:
    """Returns the label of a class that a user wrote, such as ``Winking Face`` or ``winking-face``.

    Letter case, spaces, hyphens and underscores do not count; `place` is the folder, or file and line, for the message.

    Raises:
        DataError: There is no such class; the message names the nearest.
    """
    name = re.sub(r"[\s_-]+", "_", word.strip().lower())
    if name in CLASSES:
        return CLASSES.index(name)
    raise DataError(f"{place}: there is no class {word!r}; {suggestion(name, CLASSES)}")


def suggestion(word: str, known: Sequence[str]) -> str:
    """Returns what an error message says of an unknown name: the known one that is most like it, or all of them."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"


def _from_folders(root: Path) -> tuple[list[Drawing], list[str]]:
    listing = list_files(root)
    left_out = {name for names in listing.left_out.values() for name in names}
    drawings: list[Drawing] = []
    for folder in sorted(path for path in root.iterdir() if path.is_dir() and path.name not in left_out):
        label = class_label(folder.name, str(folder))
        images = [name for name in listing.files if name.startswith(f"{folder.name}/")]
        if not images:
            raise DataError(f"{folder}: the class folder holds no image; delete it, or put images into it")
        drawings += [Drawing(listing.files[name], name, label) for name in images]
    outside = [name for name in listing.files if "/" not in name]
    notes = [f"{len(outside)} images lie in no class folder and were left out, first {outside[0]}"] if outside else []
    return drawings, [*notes, *listing.notes]


def _from_table(root: Path) -> tuple[list[Drawing], list[str]]:
    path = root / LABELS
    drawings: dict[Path, tuple[Drawing, int]] = {}  # by the file itself, which may be written in several ways
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            rows.fieldnames = columns = [name.strip().lower() for name in rows.fieldnames or ()]
            for name in ("path", "class", "hand"):
                if columns.count(name) != 1 and (name != "hand" or name in columns):
                    raise DataError(
                        f"{path}:1: the column {name!r} is {'there twice' if name in columns else 'missing'}; "
                        "the first line must be path,class or path,class,hand"
                    )
            for row in rows:
                drawing = _drawing(root, row, f"{path}:{rows.line_num}")
                same, line = drawings.setdefault(drawing.path.resolve(), (drawing, rows.line_num))
                if same is not drawing:
                    raise DataError(
                        f"{path}:{rows.line_num}: {drawing.name} is listed already, as {same.name} in line {line}; "
                        "list it once"
                    )
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not a text file in UTF-8 (byte {error.start})") from None
    except (OSError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read ({error})") from None
    unlisted = [name for name, file in list_files(root).files.items() if file.resolve() not in drawings]
    notes = [f"{len(unlisted)} images are not in {LABELS} and were left out, first {unlisted[0]}"] if unlisted else []
    return [drawing for drawing, _ in drawings.values()], notes


def _drawing(root: Path, row: dict[str, str | None], place: str) -> Drawing:
    words = {key: (row.get(key) or "").strip() for key in ("path", "class", "hand")}
    for key in ("path", "class"):
        if not words[key]:
            raise DataError(f"{place}: no {key}; fill it in, or delete the line")
    name = PurePosixPath(words["path"].replace("\\", "/")).as_posix()
    if not (root / name).is_file():
        raise DataError(f"{place}: there is no file {root / name}; correct the path, or delete the line")
    return Drawing(root / name, name, class_label(words["class"], place), words["hand"])
