"""Datasets with boxes as their files have them, matched and checked at construction.

A training of hours must not end at an image that was damaged from the start. So a dataset parses each annotation,
inspects each image file and checks each box when it is made, and `check_images` decodes all images. Sizes are those of
the image files.
"""

import functools
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from retable.boxes import format_of
from retable.data import Provenance, fingerprint_files, image_size, read_image
from retable.data.checking import NEAR_BLACK, check_images
from retable.detection.schema import DetectionDataConfig, FilesConfig
from retable.detection.transforms import Image, Target
from retable.errors import DataError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ObjectRecord:
    """One annotated object as its file has it.

    Attributes:
        place: File and object or line, for messages.
        numbers: The numbers of its box.
        label: Index into the dataset's classes.
        difficult: Whether the annotator called it so: neither demanded nor punished by the metrics.
    """

    place: str
    numbers: Sequence[float]
    label: int
    difficult: bool


@dataclass(frozen=True)
class ImageRecord:
    """One image with its annotation.

    Attributes:
        image_id: The image's name in the lists.
        image_path: Its file.
        annotation_path: The file its objects come from.
        objects: Its objects, in the file's order; none is a valid image.
        stated_size: Height and width that the annotation tells, None where it tells none.
    """

    image_id: str
    image_path: Path
    annotation_path: Path
    objects: Sequence[ObjectRecord]
    stated_size: tuple[int, int] | None = None


class DetectionDataset:
    """Images with boxes, read from files; subclasses find and parse them.

    Boxes that merely overhang the border are kept whole: published datasets have them, and the object's visible part is
    really there.

    Args:
        config: What becomes of boxes outside of their image.
        name: The dataset's name, for provenance and messages.
        split: The split's name.
        classes: Names of the labels 0, 1, and so on.
        records: The images, in the order of the split's list.
        to_boxes: Converts the numbers of N objects, float64 (N, K), to rotated (N, 5) or axis-aligned (N, 4) boxes.
        box_numbers: K.
        lists: Further files that decide what is read (image lists, class tables), by a key for the fingerprint.
        settings: Options that change what is read from the same files, for the fingerprint.
        notes: What a reader of the record must know.

    Raises:
        DataError: A missing, damaged or unreadable image; a box without area or with its centre outside the image.
    """

    def __init__(
        self,
        config: FilesConfig,
        *,
        name: str,
        split: str,
        classes: Sequence[str],
        records: Sequence[ImageRecord],
        to_boxes: Callable[[Tensor], Tensor],
        box_numbers: int,
        lists: Mapping[str, Path],
        settings: Sequence[str] = (),
        notes: Sequence[str] = (),
    ) -> None:
        if not records:
            raise DataError(f"{name}: the split {split!r} has no images; check its list and data.root")
        self.name = name
        self.split = split
        self.classes: list[str] = list(classes)
        self.image_ids: list[str] = [record.image_id for record in records]
        self._records = list(records)
        self._lists = dict(lists)
        self._settings = [name, split, *classes, config.outside, *settings]
        self._sizes = [image_size(record.image_path) for record in records]
        self._read = read_image
        self._notes = [*notes, *self._size_notes()]
        self._targets = self._read_targets(to_boxes, box_numbers, config.outside == "difficult")
        for note in self._notes:
            log.warning("%s, split %s: %s", name, split, note)

    def __len__(self) -> int:
        return len(self._records)

    def check_images(self, config: DetectionDataConfig) -> None:
        """Takes up how pixels are read, and decodes each image so once where `config` wants that.

        Raises:
            DataError: An image cannot be used.
        """
        if config.bands is not None or config.range is not None:
            self._read = functools.partial(read_image, bands=config.bands, value_range=config.range)
            self._settings.append(f"bands {config.bands} range {config.range}")
        if config.check == "decode":
            paths = [record.image_path for record in self._records]
            deep = check_images(paths, self._read, f"bands {config.bands} range {config.range}")
            brightest = max(deep, key=deep.__getitem__, default=None)
            if config.range is None and brightest is not None and deep[brightest] < NEAR_BLACK:
                bits = 8 + deep[brightest].bit_length()
                raise DataError(
                    f"{self.name}, split {self.split}: {len(deep)} images have 16 bits a channel, but use {bits} "
                    f"of them at most, which makes them near black; set data.range=[0,{2**bits - 1}], or "
                    "data.range=[0,65535] if they are so dark"
                )

    def load(self, index: int) -> tuple[Image, Target]:
        """Reads an image, uint8 (H, W, 3) RGB, with its target as of `target`.

        Raises:
            DataError: The file has gone or changed since the dataset was made.
        """
        image = self._read(self._records[index].image_path)
        if image.shape[:2] != self._sizes[index]:
            raise DataError(f"{self._records[index].image_path}: the image has changed its size during the run")
        return image, self.target(index)

    def target(self, index: int) -> Target:
        """Returns copies of an image's boxes, labels and difficult, without reading the image."""
        return {key: value.copy() for key, value in self._targets[index].items()}

    def image_size(self, index: int) -> tuple[int, int]:
        """Returns height and width of an image in pixels, without reading it."""
        return self._sizes[index]

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
        pairs = zip(self._records, self._sizes, strict=True)
        wrong = [record.annotation_path.name for record, size in pairs if record.stated_size not in (None, size)]
        if not wrong:
            return []
        return [
            f"{len(wrong)} annotations state another size than their image has, first {wrong[0]}; "
            "the image's size counts and boxes are taken as its pixels"
        ]

    def _read_targets(self, to_boxes: Callable[[Tensor], Tensor], box_numbers: int, keep_outside: bool) -> list[Target]:
        """Converts the objects of all images at once, and checks each."""
        numbers = [item.numbers for record in self._records for item in record.objects]
        boxes = to_boxes(torch.tensor(numbers, dtype=torch.float64).reshape(-1, box_numbers))
        kind = format_of(boxes)
        shapes = torch.cat([kind.centres(boxes), kind.sizes(boxes)], dim=1).tolist()
        targets: list[Target] = []
        first = 0
        for record, size in zip(self._records, self._sizes, strict=True):
            last = first + len(record.objects)
            pairs = zip(record.objects, shapes[first:last], strict=True)
            difficult = [_is_outside(item, shape, size, keep_outside) or item.difficult for item, shape in pairs]
            targets.append(
                {
                    "boxes": boxes[first:last].numpy().astype(np.float32),
                    "labels": np.array([item.label for item in record.objects], dtype=np.int64),
                    "difficult": np.array(difficult, dtype=np.bool_),
                }
            )
            first = last
        return targets


def _is_outside(item: ObjectRecord, shape: Sequence[float], size: tuple[int, int], allowed: bool) -> bool:
    """Whether the centre of a box of this shape (cx, cy, w, h) lies outside; raises where that is not allowed."""
    (cx, cy, w, h), (height, width) = shape, size
    if not (math.inf > w > 1e-3 and math.inf > h > 1e-3):
        raise DataError(
            f"{item.place}: the box ({', '.join(f'{value:g}' for value in item.numbers)}) has no area "
            f"(width {w:g}, height {h:g}); correct or delete the object"
        )
    outside = not (0 <= cx <= width and 0 <= cy <= height)
    if outside and not allowed:
        raise DataError(
            f"{item.place}: the box's centre ({cx:g}, {cy:g}) lies outside the image of {width} x {height} pixels; "
            "correct or delete the object, or set data.files.outside=difficult to keep such boxes as difficult ones"
        )
    return outside
