"""Cityscapes in its native layout: which photograph belongs to which mask, and the cars of a mask.

ROOT/leftImg8bit/SPLIT/CITY/NAME_leftImg8bit.png and ROOT/gtFine/SPLIT/CITY/NAME_gtFine_instanceIds.png
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from retable.data.image_files import DamagedImageError, inspect_image
from retable.errors import DataError

PHOTOS, MASKS = "leftImg8bit", "gtFine"
PHOTO_ENDING, MASK_ENDING = "_leftImg8bit.png", "_gtFine_instanceIds.png"
CAR = 26  # label id; instance n of a label has 1000 times the label id, plus n
ANNOTATED_SPLITS = ("train", "val")

Ids = npt.NDArray[np.uint16]
Box = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels; right and bottom are the first ones outside."""


@dataclass(frozen=True)
class Source:
    """A photograph with its mask."""

    split: str  # ``train``, ``val`` or ``test``
    city: str  # its folder
    stem: str  # name of the file without what follows the frame's number, such as ``aachen_000000_000019``
    photo: Path
    mask: Path  # its instance ids

    @property
    def name(self) -> str:
        """The same on every machine: ``train/aachen/aachen_000000_000019``."""
        return f"{self.split}/{self.city}/{self.stem}"


@dataclass(frozen=True)
class CarInstance:
    """A car in a mask."""

    id: int  # its value in the mask, 26000 and more
    pixels: int  # number of its pixels
    box: Box  # the box of its pixels


def list_sources(root: Path, splits: Sequence[str]) -> tuple[list[Source], list[str]]:
    """Lists photographs and their masks, and checks that none is without the other.

    Args:
        root: Folder that holds leftImg8bit and gtFine.
        splits: Folders below them.

    Returns:
        The photographs in the order of splits, cities and names, and what a reader of the dataset must know.

    Raises:
        DataError: The folder is not Cityscapes, a split is missing, or a photograph has no mask, or a mask no
            photograph; the message says what to do.
    """
    for kind in (PHOTOS, MASKS):
        if not (root / kind).is_dir():
            raise DataError(f"root={root}: no folder {kind} in it; {_hint(root)}")
    sources: list[Source] = []
    notes: list[str] = []
    for split in splits:
        found, note = _list_split(root, split)
        sources += found
        notes += [note] if note else []
    if not sources:
        raise DataError(f"root={root}: no photographs with masks in {', '.join(splits)}; add train or val to splits")
    return sources, notes


def _hint(root: Path) -> str:
    if root.is_dir():
        for folder in (root.parent, root.parent.parent, *sorted(path for path in root.iterdir() if path.is_dir())):
            if (folder / PHOTOS).is_dir() and (folder / MASKS).is_dir():
                return f"did you mean root={folder}?"
    return "give the folder that leftImg8bit_trainvaltest.zip and gtFine_trainvaltest.zip were unpacked into"


def _list_split(root: Path, split: str) -> tuple[list[Source], str | None]:
    photos = _by_name(root / PHOTOS / split, PHOTO_ENDING)
    masks = _by_name(root / MASKS / split, MASK_ENDING)
    others = sorted(path.name for path in (root / PHOTOS).iterdir() if path.is_dir())
    leave_out = f"leave {split} out of splits (there are {', '.join(others)})"
    if not photos:
        raise DataError(
            f"root={root}: no photographs {PHOTOS}/{split}/CITY/*{PHOTO_ENDING}; unpack "
            f"leftImg8bit_trainvaltest.zip there, or {leave_out}"
        )
    if not masks and split not in ANNOTATED_SPLITS:
        return [], f"{split}: {len(photos)} photographs without masks; Cityscapes publishes no annotations of them"
    for there, missing, kind, ending in ((photos, masks, MASKS, MASK_ENDING), (masks, photos, PHOTOS, PHOTO_ENDING)):
        lost = sorted(there.keys() - missing.keys())
        if lost:
            what = "photographs have no mask" if kind == MASKS else "masks have no photograph"
            raise DataError(
                f"{root / kind / split / (lost[0] + ending)} is missing, {len(lost)} of the {len(there)} {what} in "
                f"{split}; unpack {kind}_trainvaltest.zip there again, or {leave_out}"
            )
    sources = [
        Source(split, name.split("/")[0], name.split("/")[1], photos[name], masks[name]) for name in sorted(photos)
    ]
    if split not in ANNOTATED_SPLITS:
        return sources, (
            f"{split}: Cityscapes publishes no annotations of this split; its masks mark what is not to be scored, "
            "and hold no cars"
        )
    return sources, None


def _by_name(folder: Path, ending: str) -> dict[str, Path]:
    """Files by city and name without their ending; hidden ones, which macOS leaves behind, are none."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.glob(f"*/*{ending}")}
    return {name.removesuffix(ending): path for name, path in found.items() if not path.name.startswith(".")}


def read_ids(path: Path) -> Ids:
    """Reads the instance ids of a mask.

    Returns:
        (H, W) uint16: 1000 times the label id plus the number of the instance, or the label id alone.

    Raises:
        DataError: The file is missing, damaged, or not a mask of 16 bits a pixel.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None
    restore = "unpack it from gtFine_trainvaltest.zip again"
    try:
        known = inspect_image(data)
    except DamagedImageError as error:
        raise DataError(f"{path}: the mask is truncated or damaged: {error}; {restore}") from None
    ids = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) if known else None
    if ids is None:
        raise DataError(f"{path}: not an image; {restore}")
    if ids.ndim != 2 or ids.dtype != np.uint16:
        raise DataError(f"{path}: not a mask of instances, which has one channel of 16 bits; {restore}")
    return np.asarray(ids, dtype=np.uint16)


def find_cars(ids: Ids) -> tuple[list[CarInstance], int]:
    """Finds the cars of a mask, as `read_ids` returns it.

    Returns:
        The cars in the order of their ids, and the number of pixels of cars that the annotators left together as a
        group, without telling instances apart.
    """
    from scipy.ndimage import find_objects

    first = 1000 * CAR
    numbers = np.where((ids >= first) & (ids < first + 1000), ids.astype(np.int32) - first + 1, 0)
    pixels = np.bincount(numbers.ravel(), minlength=1)
    places: list[Any] = find_objects(numbers)
    cars = []
    for index, place in enumerate(places):
        if place is not None:
            rows, columns = place
            box = columns.start, rows.start, columns.stop, rows.stop
            cars.append(CarInstance(first + index, int(pixels[index + 1]), box))
    return cars, int((ids == CAR).sum())
