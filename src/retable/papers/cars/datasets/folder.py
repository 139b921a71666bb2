"""Any folder of images, subfolders too, as squares of one size."""

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from retable.data.checking import check_images
from retable.data.fingerprint import fingerprint_files
from retable.data.images import read_shown_image
from retable.data.listing import IMAGE_SUFFIXES, list_files
from retable.errors import DataError
from retable.papers.cars.schema import Background, Fit

Image = NDArray[np.uint8]

COLOURS = {Background.green: (51, 255, 51), Background.white: (255, 255, 255)}
"""What is not car: the essay's green (section 2), or white; RGB."""

_READERS = 4  # threads; decoding leaves the interpreter to the others


@dataclass(frozen=True)
class Picture:
    """An image file as a square."""

    image: Image  # uint8 (S, S, 3) RGB
    resized: bool  # whether the file has another size
    transparent: bool  # whether some of it is transparent, so that the background shows


@dataclass(frozen=True)
class PictureFolder:
    """The images of a folder, in memory."""

    names: tuple[str, ...]  # their paths below the folder, with slashes, in natural order: 2.png comes before 10.png
    images: Image  # (N, S, S, 3) uint8 RGB, in this order
    fingerprint: str  # of the files' contents, and of how they were read
    notes: tuple[str, ...]  # what a reader of the numbers must know


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """Makes the key by which file names are sorted, so that numbers in them count as numbers."""
    parts = re.split(r"(\d+)", name)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts] + [(2, 0, name)]


def list_pictures(root: Path) -> tuple[dict[str, Path], list[str]]:
    """Lists the images below a folder (see `retable.data.listing.list_files`).

    Returns:
        Files by their names below the folder, with slashes, in natural order, and notes on what was left out.

    Raises:
        DataError: There is no image.
    """
    listing = list_files(root)
    if not listing.files:
        endings = ", ".join(sorted(IMAGE_SUFFIXES))
        raise DataError(f"data.root={root}: no images; put files with the ending {endings} there, subfolders too")
    return {name: listing.files[name] for name in sorted(listing.files, key=natural_key)}, listing.notes


def read_picture(path: Path, size: int, fit: Fit, background: Background) -> Picture:
    """Reads an image as a square that shows all of it.

    Args:
        path: The file: grey, palette, RGB or RGBA, 8 or 16 bits.
        size: Side of the square in pixels.
        fit: What becomes of an oblong image.
        background: What shows where the image is transparent, and beside an oblong one.

    Raises:
        DataError: The file is missing, damaged or no image.
    """
    image = read_shown_image(path)  # what is transparent shows white
    hidden = _transparency(path, image)
    if hidden is not None and background is not Background.white:
        difference = np.array(COLOURS[background], np.float32) - 255
        image = np.rint(image + difference * hidden[..., None]).clip(0, 255).astype(np.uint8)
    resized = image.shape[:2] != (size, size)
    return Picture(_square(image, size, fit, background) if resized else image, resized, hidden is not None)


def read_folder(root: Path, size: int, fit: Fit, background: Background, check: str = "decode") -> PictureFolder:
    """Reads all images of a folder, as `read_picture` does; `check` is as of `retable.data.schema.ImageChecks`.

    Raises:
        DataError: There is no image, or one cannot be read; the message names it.
    """
    files, left_out = list_pictures(root)
    names = list(files)
    if check == "decode":
        check_images(list(files.values()), read_shown_image, "shown")
    images = np.empty((len(names), size, size, 3), np.uint8)
    resized = transparent = 0
    with ThreadPoolExecutor(_READERS) as pool:
        read = pool.map(lambda path: read_picture(path, size, fit, background), files.values())
        for index, picture in enumerate(read):
            images[index] = picture.image
            resized += picture.resized
            transparent += picture.transparent
    notes = []
    if resized:
        how = f"oblong ones padded with {background}" if fit is Fit.pad else "oblong ones stretched"
        notes.append(
            f"{resized} of {len(names)} images are not {size} x {size}: they were resized whole, antialiased, {how}"
        )
    if transparent:
        notes.append(f"{transparent} of {len(names)} images are partly transparent and were put on {background}")
    notes += left_out
    fingerprint = fingerprint_files({}, files, [f"{size} {fit} {background}"])
    return PictureFolder(tuple(names), images, fingerprint, tuple(notes))


def _transparency(path: Path, shown: Image) -> NDArray[np.float32] | None:
    """Reads how transparent each pixel is, from 0 to 1; None where the image is opaque."""
    if path.suffix.lower() in (".jpg", ".jpeg", ".bmp"):
        return None
    stored = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
    if stored is None or stored.ndim < 3 or stored.shape[2] != 4 or stored.shape[:2] != shown.shape[:2]:
        return None
    full = 65535 if stored.dtype == np.uint16 else 255
    hidden = 1 - stored[..., 3].astype(np.float32) / full
    return hidden if hidden.any() else None


def _square(image: Image, size: int, fit: Fit, background: Background) -> Image:
    if fit is Fit.stretch:
        return _resize(image, size, size)
    scale = size / max(image.shape[:2])
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    return centred(_resize(image, width, height), size, COLOURS[background])


def centred(image: Image, size: int, fill: Sequence[int]) -> Image:
    """Puts an image (H, W, ...) into the middle of a square of a colour."""
    height, width = image.shape[:2]
    top, left = (size - height) // 2, (size - width) // 2
    sides = top, size - height - top, left, size - width - left
    return np.asarray(cv2.copyMakeBorder(image, *sides, cv2.BORDER_CONSTANT, value=tuple(fill)), np.uint8)


def _resize(image: Image, width: int, height: int) -> Image:
    """Shrinks by areas and enlarges linearly, each side for itself, as one may shrink and the other grow."""
    for shape in ((width, image.shape[0]), (width, height)):
        shrinks = shape[0] < image.shape[1] or shape[1] < image.shape[0]
        image = np.asarray(cv2.resize(image, shape, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR))
    return image
