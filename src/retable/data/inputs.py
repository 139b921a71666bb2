"""What a user gives a trained model to work on."""

import logging
import re
from pathlib import Path

from retable.data.listing import checked_name, list_files
from retable.errors import DataError

log = logging.getLogger(__name__)


def input_images(source: str) -> dict[str, Path]:
    """Returns the images that are meant by a file or a folder, subfolders too, by their names below the folder.

    What lies in the folder besides them is logged.

    Raises:
        DataError: There is no such file or folder, or no image in the folder.
    """
    if re.match(r"\w[\w+.-]+://", source):
        raise DataError(f"input={source}: addresses are not read; download the images and give their file or folder")
    path = Path(source).expanduser()
    if path.is_file():
        return {checked_name(path.name, path.parent): path}
    if not path.is_dir():
        is_what = "is neither a file nor a folder" if path.exists() else "there is no file or folder of this name"
        raise DataError(f"input={source}: {is_what}; give an image or a folder of images")
    listing = list_files(path)
    for note in listing.notes:
        log.warning("%s: %s", path, note)
    if not listing.files:
        raise DataError(f"input={source}: there is no image in the folder or below it")
    return listing.files
