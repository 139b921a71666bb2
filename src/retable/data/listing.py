"""Which files of a folder count: one rule for every loader and every prediction.

Folders are searched whole, links to folders too, each folder once. What is hidden or is litter of a system counts
nowhere; of the rest the files with one of the asked endings count. What is left out is told, but for nothing.
"""

import os
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from retable.errors import DataError

IMAGE_SUFFIXES = frozenset({".bmp", ".jp2", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
"""File name endings, in lower case, that are taken for images when a folder is read."""

_LITTER = frozenset(
    {
        "__macosx",
        "thumbs.db",
        "ehthumbs.db",
        "desktop.ini",
        "@eadir",
        "$recycle.bin",
        "system volume information",
        "lost+found",
    }
)
_HIDDEN = "hidden or a system's own"
_BROKEN = "broken links"
_SEEN = "links to a folder that is read already"
_SPECIAL = "neither files nor folders"


@dataclass(frozen=True)
class Listing:
    """The files of a folder.

    Attributes:
        files: Those that count by their name below the folder, with slashes, sorted by it.
        left_out: Names of the others, sorted, by the reason.
    """

    files: dict[str, Path]
    left_out: dict[str, list[str]]

    @property
    def notes(self) -> list[str]:
        """What a reader of the record must know: one line for each reason, with the first name."""
        return [
            f"{len(names)} files are {reason} and were left out, first {shown_name(names[0])}"
            for reason, names in sorted(self.left_out.items())
        ]


def list_files(folder: Path, suffixes: Collection[str] = IMAGE_SUFFIXES, kind: str = "images") -> Listing:
    """Lists the files of a folder and its subfolders, without opening any.

    Args:
        folder: An existing folder.
        suffixes: Endings that count, in lower case; letter case does not matter.
        kind: What files with these endings are, for the notes.

    Raises:
        DataError: A folder cannot be read, or a name that would count has a line break or is not in UTF-8.
    """
    files: dict[str, Path] = {}
    left_out: dict[str, list[str]] = {}
    seen: set[tuple[int, int]] = set()
    waiting = [(folder, "")]
    links: list[tuple[Path, str]] = []  # followed at last, so that what lies in a folder has that folder's name
    while waiting or links:
        place, prefix = (waiting or links).pop()
        identity = _identity(place)
        if identity in seen:
            left_out.setdefault(_SEEN, []).append(prefix.rstrip("/"))
            continue
        seen.add(identity)
        for entry in _entries(place):
            name, path = prefix + entry.name, Path(entry.path)
            if entry.name.startswith(".") or entry.name.lower() in _LITTER:
                reason = _HIDDEN
            elif os.path.isdir(entry.path):  # unlike the entry's own it raises nothing, whatever a link leads to
                (links if entry.is_symlink() else waiting).append((path, f"{name}/"))
                continue
            elif not os.path.isfile(entry.path):
                reason = _SPECIAL if os.path.exists(entry.path) else _BROKEN
            elif path.suffix.lower() not in suffixes:
                reason = f"no {kind} by their ending"
            else:
                files[checked_name(name, folder)] = path
                continue
            left_out.setdefault(reason, []).append(name)
    return Listing(dict(sorted(files.items())), {reason: sorted(names) for reason, names in left_out.items()})


def checked_name(name: str, place: Path) -> str:
    """Returns a file's name that lists, tables and JSON can hold: blanks may be in it, line breaks may not.

    Raises:
        DataError: It has a line break or another control character, or is not in UTF-8.
    """
    if shown_name(name) != name:
        raise DataError(
            f"{shown_name(str(place))}: the file name {shown_name(name)} has a line break, a control character or "
            "bytes that are not UTF-8; rename the file"
        )
    return name


def shown_name(name: str) -> str:
    """Returns a name for a message: as it is, or escaped where it would break the line or cannot be written."""
    return ascii(name) if any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in name) else name


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _entries(folder: Path) -> list["os.DirEntry[str]"]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise DataError(f"{folder}: the folder cannot be read ({error.strerror}); check its permissions") from None
