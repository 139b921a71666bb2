"""What a user gives a trained model to work on."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from retable.errors import ConfigError, DataError


def given_input(options: Mapping[str, Any]) -> Path:
    """The file or folder that ``predict.py`` was given, for a model that needs one.

    Args:
        options: Those of ``predict.py``; ``input`` is None where it was left out.

    Raises:
        ConfigError: It was left out.
    """
    if options.get("input") is None:
        raise ConfigError("input: no value; this model needs an image or a folder of images: input=PATH")
    return Path(options["input"]).expanduser()


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
