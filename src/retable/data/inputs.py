"""What a user gives a trained model to work on."""

import glob
import logging
import re
from collections.abc import Collection
from pathlib import Path

from retable.data.listing import IMAGE_SUFFIXES, checked_name, list_files
from retable.errors import DataError

log = logging.getLogger(__name__)


def input_images(source: str, suffixes: Collection[str] = IMAGE_SUFFIXES, kind: str = "images") -> dict[str, Path]:
    """Returns the images that are meant by a file, a folder with its subfolders, or a pattern such as ``photos/*.jpg``.

    Their names are those below the folder, or below the part of the pattern that is one. What lies in the folder
    besides them is logged.

    Args:
        source: The file, folder or pattern; ``**`` stands for any subfolders.
        suffixes: File name endings that count in a folder or pattern, in lower case.
        kind: What files with these endings are, for messages.

    Raises:
        DataError: There is no such file or folder, or no image in the folder or of the pattern.
    """
    if re.match(r"\w[\w+.-]+://", source):
        raise DataError(f"input={source}: addresses are not read; download the {kind} and give their file or folder")
    path = Path(source).expanduser()
    if path.is_file():
        return {checked_name(path.name, path.parent): path}
    if not path.exists() and glob.has_magic(source):
        return _matching(path, source, suffixes, kind)
    if not path.is_dir():
        is_what = "is neither a file nor a folder" if path.exists() else "there is no file or folder of this name"
        raise DataError(f"input={source}: {is_what}; give a file, a folder or a pattern of {kind}")
    listing = list_files(path, suffixes, kind)
    for note in listing.notes:
        log.warning("%s: %s", path, note)
    if not listing.files:
        raise DataError(f"input={source}: there are no {kind} in the folder or below it")
    return listing.files


def _matching(pattern: Path, source: str, suffixes: Collection[str], kind: str) -> dict[str, Path]:
    folder = next(parent for parent in pattern.parents if not glob.has_magic(str(parent)))
    found = [Path(name) for name in sorted(glob.glob(str(pattern), recursive=True))]
    files = [path for path in found if path.is_file() and path.suffix.lower() in suffixes]
    if not files:
        raise DataError(f"input={source}: no {kind} are of this pattern")
    if len(files) < len(found):
        log.warning("%s: %d of %d that are of the pattern are no %s", source, len(found) - len(files), len(found), kind)
    return {checked_name(path.relative_to(folder).as_posix(), folder): path for path in files}
