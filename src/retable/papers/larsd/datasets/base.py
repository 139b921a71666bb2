"""What the datasets with rotated boxes have in common: their files are matched and checked at construction.

A training of hours must not end at an image that was damaged from the start. So a dataset parses each
annotation, inspects each image file and checks each box when it is made; only decoding is left to `load`.
Sizes are those of the image files.
"""

import functools
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from retable.data import Provenance, fingerprint_files, image_size, read_image
from retable.errors import ConfigError, DataError

log = logging.getLogger(__name__)

Target = dict[str, npt.NDArray[Any]]
"""boxes float32 (N, 5) canonical in pixels and radians, labels int64 (N,), difficult bool (N,)."""

OutsideRule = Literal["error", "difficult"]
"""What happens to a box whose centre lies outside its image: an error, or kept and marked difficult."""


@dataclass(frozen=True)
class ObjectRecord:
    """One annotated object as its file has it.

    Attributes:
        place: file and object or line, for messages.
        box: canonical (cx, cy, w, h, theta).
        label: index into the dataset's classes.
        difficult: True where the annotator called it so: neither demanded nor punished by the metrics.
    """

    place: str
    box: tuple[float, float, float, float, float]
    label: int
    difficult: bool


@dataclass(frozen=True)
class ImageRecord:
    """One image with its annotation.

    Attributes:
        image_id: the image's name in the lists.
        image_path: its file.
        annotation_path: the file its objects come from.
        objects: its objects, in the file's order; none is a valid image without ships.
        stated_size: height and width that the annotation tells, None where it tells none.
    """

    image_id: str
    image_path: Path
    annotation_path: Path
    objects: tuple[ObjectRecord, ...]
    stated_size: tuple[int, int] | None = None


class DetectionDataset:
    """Images with rotated boxes, read from files; subclasses find and parse them.

    Args:
        name: the dataset's name, for provenance and messages.
        split: the split's name.
        classes: names of the labels 0, 1, and so on.
        records: the images, in the order of the split's list.
        lists: further files that decide what is read (image lists, class tables), by a key for the
        fingerprint. settings: options that change what is read from the same files, for the fingerprint.
        notes: what a reader of the record must know.
        outside: what happens to a box whose centre lies outside its image. Boxes that merely overhang
            the border are kept whole: published datasets have them, and the ship's visible part is really
            there.

    Raises:
        DataError: a missing, damaged or unreadable image; a box with its centre outside the image.
    """

    def __init__(
        self,
        *,
        name: str,
        split: str,
        classes: Sequence[str],
        records: Sequence[ImageRecord],
        lists: Mapping[str, Path],
        settings: Sequence[str] = (),
        notes: Sequence[str] = (),
        outside: OutsideRule = "error",
    ) -> None:
        if outside not in ("error", "difficult"):
            raise ConfigError(f"data.files.outside={outside!r} is unknown; valid are 'error' and 'difficult'")
        if not records:
            raise DataError(f"{name}: the split {split!r} has no images; check its list and data.root")
        self.name = name
        self.split = split
        self.classes: list[str] = list(classes)
        self.image_ids: list[str] = [record.image_id for record in records]
        self._records = list(records)
        self._lists = dict(lists)
        self._settings = [name, split, *classes, outside, *settings]
        self._sizes = [image_size(record.image_path) for record in records]
        self._notes = [*notes, *self._size_notes()]
        self._targets = [
            _target(record.objects, size, outside) for record, size in zip(records, self._sizes, strict=True)
        ]
        for note in self._notes:
            log.warning("%s, split %s: %s", name, split, note)

    def __len__(self) -> int:
        return len(self._records)

    def load(self, index: int) -> tuple[npt.NDArray[np.uint8], Target]:
        """Reads an image.

        Args:
            index: position in the split.

        Returns:
            The image, uint8 (H, W, 3) RGB, and its target as of `target`.

        Raises:
            DataError: the file has gone or changed since the dataset was made.
        """
        image = read_image(self._records[index].image_path)
        if image.shape[:2] != self._sizes[index]:
            raise DataError(f"{self._records[index].image_path}: the image has changed its size during the run")
        return image, self.target(index)

    def target(self, index: int) -> Target:
        """Returns the annotation of an image without reading the image.

        Args:
            index: position in the split.

        Returns:
            Copies of boxes float32 (N, 5) canonical, labels int64 (N,), difficult bool (N,).
        """
        return {key: value.copy() for key, value in self._targets[index].items()}

    def image_size(self, index: int) -> tuple[int, int]:
        """Returns height and width of an image in pixels, without reading it."""
        return self._sizes[index]

    def image_path(self, index: int) -> Path:
        """Returns the file of an image."""
        return self._records[index].image_path

    @functools.cached_property
    def provenance(self) -> dict[str, Any]:
        """Where the data come from, as of `Provenance.as_dict`; the fingerprint is computed at the first use."""
        fingerprint = fingerprint_files(
            {f"{r.image_id}/{r.annotation_path.name}": r.annotation_path for r in self._records} | self._lists,
            {f"{r.image_id}/{r.image_path.name}": r.image_path for r in self._records},
            self._settings,
        )
        splits = {self.split: len(self)}
        return Provenance("real", self.name, fingerprint, splits, tuple(self._notes)).as_dict()

    def _size_notes(self) -> list[str]:
        disagreeing = [
            record
            for record, size in zip(self._records, self._sizes, strict=True)
            if record.stated_size is not None and record.stated_size != size
        ]
        if not disagreeing:
            return []
        return [
            f"{len(disagreeing)} annotations state another size than their image has, first "
            f"{disagreeing[0].annotation_path.name}; the image's size counts and boxes are taken as its pixels"
        ]


def object_record(
    place: str, box: Sequence[float], label: int, difficult: bool, raw: Sequence[float] | None = None
) -> ObjectRecord:
    """Makes the record of an object and checks its box.

    Args:
        place: file and object or line, for messages.
        box: canonical (cx, cy, w, h, theta).
        label: index into the classes.
        difficult: as annotated.
        raw: the numbers as the file has them, for messages, where they are others than `box`.

    Raises:
        DataError: a number is not finite, or the box has no area.
    """
    shown = ", ".join(f"{value:g}" for value in (box if raw is None else raw))
    if not all(math.isfinite(value) for value in (*box, *(raw or ()))):
        raise DataError(f"{place}: the box ({shown}) holds a value that is not a finite number; correct the annotation")
    cx, cy, w, h, theta = (float(value) for value in box)
    if not (w > 1e-3 and h > 1e-3):
        raise DataError(
            f"{place}: the box ({shown}) has no area (width {w:g}, height {h:g}); correct or delete the object"
        )
    return ObjectRecord(place, (cx, cy, w, h, theta), label, difficult)


def evaluation_split(splits: Sequence[str], where: Path | str) -> str:
    """Chooses the split that is tested: "test", or "val" under its own name where there is no test split.

    Args:
        splits: names of the splits that a dataset has.
        where: the dataset's folder, for the message.

    Raises:
        DataError: there is neither.
    """
    for split in ("test", "val"):
        if split in splits:
            return split
    raise DataError(f"{where}: neither a test nor a val split to evaluate; found {', '.join(splits) or 'none'}")


def _target(objects: Sequence[ObjectRecord], size: tuple[int, int], outside: OutsideRule) -> Target:
    difficult = [_check_inside(item, size, outside) for item in objects]
    return {
        "boxes": np.array([item.box for item in objects], dtype=np.float32).reshape(-1, 5),
        "labels": np.array([item.label for item in objects], dtype=np.int64),
        "difficult": np.array(difficult, dtype=np.bool_),
    }


def _check_inside(item: ObjectRecord, size: tuple[int, int], outside: OutsideRule) -> bool:
    """Returns whether the object is difficult; raises for a centre outside the image."""
    (cx, cy), (height, width) = item.box[:2], size
    if 0 <= cx <= width and 0 <= cy <= height:
        return item.difficult
    if outside == "difficult":
        return True
    raise DataError(
        f"{item.place}: the box's centre ({cx:g}, {cy:g}) lies outside the image of {width} x {height} pixels; "
        "correct or delete the object, or set data.files.outside=difficult to keep such boxes as difficult ones"
    )
