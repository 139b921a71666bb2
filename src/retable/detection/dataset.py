"""Datasets with boxes as their files have them, matched and checked at construction.

A training of hours must not end at an image that was damaged from the start. So a dataset parses each annotation,
inspects each image file and checks each box when it is made, and `check_images` decodes all images. Sizes are those of
the image files.
"""

import copy
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
from retable.data.checking import NEAR_BLACK, check_images
from retable.data.fingerprint import fingerprint_files
from retable.data.images import image_size, read_image
from retable.data.provenance import Provenance, combine_provenances
from retable.detection.schema import DetectionDataConfig, FilesConfig
from retable.detection.transforms import Image, Target
from retable.errors import DataError

log = logging.getLogger(__name__)
_NORMALISED = 1.5  # no ship is so small and so near the corner, in pixels
_FARTHEST = 10  # image sides; a ship may be larger than the cut-out that shows it


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
        normalised: Whether the numbers are x and y in turn, as parts of the image's width and height.
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
        normalised: bool = False,
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
        listed = [item.numbers for record in records for item in record.objects]
        numbers = np.array(listed, dtype=np.float64).reshape(-1, box_numbers)
        if normalised:
            sizes = [size[::-1] for record, size in zip(records, self._sizes, strict=True) for _ in record.objects]
            numbers *= np.tile(np.array(sizes, dtype=np.float64).reshape(-1, 2), box_numbers // 2)
        self._targets = self._read_targets(to_boxes(torch.from_numpy(numbers)), config.outside == "difficult")
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
            self._settings = [*self._settings, f"bands {config.bands} range {config.range}"]
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

    def subset(self, indices: Sequence[int], split: str, note: str | None = None) -> "DetectionDataset":
        """Returns some of the images as a split, perhaps with a note on what became of the others, which is logged."""
        part = copy.copy(self)
        part.__dict__.pop("provenance", None)
        part.split = split
        part.image_ids = [self.image_ids[index] for index in indices]
        part._records = [self._records[index] for index in indices]
        part._sizes = [self._sizes[index] for index in indices]
        part._targets = [self._targets[index] for index in indices]
        part._notes = list(self._notes)
        if note is not None:
            part.add_note(note)
        return part

    def image_paths(self) -> list[Path]:
        """Returns the image files, in order."""
        return [record.image_path for record in self._records]

    def add_note(self, note: str) -> None:
        """Puts into the provenance, and logs, what a reader of the record must know."""
        self._notes.append(note)
        log.warning("%s, split %s: %s", self.name, self.split, note)

    def handle_duplicates(self, remove: bool) -> None:
        """Tells, and removes if asked to, objects with box and class of an earlier one of their image."""
        repeated: list[str] = []
        for record, target in zip(self._records, self._targets, strict=True):
            seen: set[tuple[float, ...]] = set()
            first = []
            rows = np.column_stack([target["labels"], np.round(target["boxes"].astype(np.float64), 2)]).tolist()
            for row, item in zip(map(tuple, rows), record.objects, strict=True):
                first.append(row not in seen)
                seen.add(row)
                repeated += [] if first[-1] else [item.place]
            if remove and not all(first):
                target.update({key: value[first] for key, value in target.items()})
        if repeated:
            self._settings += ["duplicates removed"] if remove else []
            first_place = Path(repeated[0]).name
            outcome = "were removed" if remove else "are kept; data.duplicates=remove removes them"
            self.add_note(
                f"{len(repeated)} objects of {self.split} repeat another one of their image, first {first_place}, "
                f"and {outcome}"
            )

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

    def _read_targets(self, boxes: Tensor, keep_outside: bool) -> list[Target]:
        """Checks the box of each object and shares them out to the images."""
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


class JoinedImages:
    """Images of several datasets one after the other, such as real and generated ones.

    Args:
        parts: Datasets of the same classes, as of `retable.detection.samples.DetectionImages`.
    """

    def __init__(self, parts: Sequence[Any]) -> None:
        self._parts = list(parts)
        self.classes: list[str] = list(parts[0].classes)
        self.image_ids: list[str] = [name for part in parts for name in part.image_ids]
        self._places = [(part, index) for part in parts for index in range(len(part))]

    def __len__(self) -> int:
        return len(self._places)

    def load(self, index: int) -> tuple[Image, Target]:
        """Returns an image, uint8 (H, W, 3) RGB, with its target."""
        part, place = self._places[index]
        loaded: tuple[Image, Target] = part.load(place)
        return loaded

    def target(self, index: int) -> Target:
        """Returns the target of an image without reading the image."""
        part, place = self._places[index]
        target: Target = part.target(place)
        return target

    def image_size(self, index: int) -> tuple[int, int]:
        """Returns height and width in pixels without reading the image."""
        part, place = self._places[index]
        height, width = part.image_size(place)
        return height, width

    @functools.cached_property
    def provenance(self) -> dict[str, Any]:
        """Where the images come from, as of `combine_provenances`."""
        return combine_provenances(
            {f"{part.provenance['kind']}": {**part.provenance, "splits": {"joined": len(part)}} for part in self._parts}
        )


def _is_outside(item: ObjectRecord, shape: Sequence[float], size: tuple[int, int], allowed: bool) -> bool:
    """Whether the centre of a box of this shape (cx, cy, w, h) lies outside; raises where that is not allowed."""
    (cx, cy, w, h), (height, width) = shape, size
    problem = ""
    if not (math.inf > w > 1e-3 and math.inf > h > 1e-3):
        problem = f"has no area (width {w:g}, height {h:g}); correct or delete the object"
    elif max(abs(cx), abs(cy), w, h) <= _NORMALISED:
        problem = "looks like normalised coordinates, 0 to 1 of width and height; pixels are needed"
    elif max(abs(cx) + w, abs(cy) + h) > _FARTHEST * max(height, width):
        problem = f"reaches farther than {_FARTHEST} times the image of {width} x {height} pixels; correct the object"
    if problem:
        raise DataError(f"{item.place}: the box ({', '.join(f'{value:g}' for value in item.numbers)}) {problem}")
    outside = not (0 <= cx <= width and 0 <= cy <= height)
    if outside and not allowed:
        raise DataError(
            f"{item.place}: the box's centre ({cx:g}, {cy:g}) lies outside the image of {width} x {height} pixels; "
            "correct or delete the object, or set data.files.outside=difficult to keep such boxes as difficult ones"
        )
    return outside
