"""What a user gives a trained model to work on."""

from collections.abc import Callable, Iterable
from pathlib import Path

from retable.errors import DataError


def image_files(source: Path, images_in: Callable[[Path], Iterable[Path]]) -> list[Path]:
    """The images that are meant by a file or a folder, in the order of their paths.

    Args:
        source: The file or folder.
        images_in: Lists the images of a folder.

    Raises:
        DataError: There is no such file or folder, or no image in the folder.
    """
    if source.is_file():
        return [source]
    if not source.is_dir():
        raise DataError(f"input: there is no file or folder {source}")
    found = sorted(images_in(source))
    if not found:
        raise DataError(f"input: there is no image in {source}")
    return found
