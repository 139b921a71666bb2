"""Processing of one photograph: its cars are looked at, kept or dropped, and written.

Nothing here imports torch: without a detector no process needs it.
"""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from retable.data.images import read_image
from retable.errors import DataError
from retable.files import write_text
from retable.papers.cars.cityscapes.cutting import Image, Mask, cut, on_background, write_image
from retable.papers.cars.cityscapes.files import CAR, Box, CarInstance, Ids, Source, find_cars, read_ids
from retable.papers.cars.cityscapes.schema import CityscapesCarsConfig

IMAGES, PARTS = "images", "parts"


class Detection(NamedTuple):
    """A car in a picture."""

    confidence: float  # the detector's, in [0, 1]
    box: tuple[float, float, float, float]  # left, top, right and bottom in pixels, with fractions


class Detector(Protocol):
    """Finds the most certain car of a picture.

    Attributes:
        batch_size: Most images of a call.
        settings: What its boxes depend on beside the weights, as plain values.
    """

    batch_size: int
    settings: dict[str, Any]

    def detect(self, images: Sequence[Image]) -> list[Detection | None]:
        """Finds the most certain car of each image (H, W, 3) uint8 RGB of one size, or None."""


class Outcome(StrEnum):
    """What became of a car."""

    kept = "kept"
    group = "group"  # cars that the annotators did not tell apart
    too_small = "too_small"
    no_car = "no_car"  # the detector finds none
    low_confidence = "low_confidence"
    elsewhere = "elsewhere"  # the detector's box lies beside the car


@dataclass(frozen=True)
class Entry:
    """A car of a photograph, and what became of it: a line of ``instances.csv``."""

    photo: str  # `Source.name`
    instance: int  # its value in the mask
    outcome: Outcome  # what became of it
    file: str | None = None  # its picture below the dataset's folder, if it was kept
    confidence: float | None = None  # the detector's, if it found a car
    pixels: int = 0  # number of its pixels in the mask
    mask_box: Box | None = None  # the box of these; of a group None
    box: Box | None = None  # what its picture is cropped to, or would be but for ``crop=false``, if it was kept
    height: int | None = None  # of the picture, if it was kept
    width: int | None = None  # of the picture, if it was kept


def process_photograph(
    source: Source, config: CityscapesCarsConfig, detector: Detector | None, output: Path
) -> list[Entry]:
    """Writes the pictures of a photograph's cars, and after them the file that says that it is done.

    Args:
        source: The photograph and its mask.
        config: What is kept, and how it looks.
        detector: Finds a car; None keeps all that are large enough, cropped to their masks.
        output: The dataset's folder.

    Returns:
        The cars in the order of their ids; after them the group, if there is one.

    Raises:
        DataError: Photograph or mask cannot be read, or are of different sizes.
        OSError: A picture cannot be written.
    """
    ids = read_ids(source.mask)
    cars, grouped = find_cars(ids)
    entries, large = [], []
    for car in cars:
        left, top, right, bottom = car.box
        if min(right - left, bottom - top) >= config.min_side:
            large.append(car)
        else:
            entries.append(Entry(source.name, car.id, Outcome.too_small, pixels=car.pixels, mask_box=car.box))
    if large:
        photo = read_image(source.photo)
        if photo.shape[:2] != ids.shape:
            raise DataError(
                f"{source.mask}: {ids.shape[1]} x {ids.shape[0]} pixels, but {source.photo.name} has "
                f"{photo.shape[1]} x {photo.shape[0]}; unpack both again"
            )
        for car, mask, found in _detections(photo, ids, large, config, detector):
            outcome, box = (Outcome.kept, car.box) if detector is None else _judge(mask, found, config.min_confidence)
            confidence = None if found is None else round(found.confidence, 6)
            entry = Entry(source.name, car.id, outcome, None, confidence, car.pixels, car.box, box)
            if box is not None:
                picture = cut(photo, mask, box, config)
                file = f"{IMAGES}/{source.split}_{source.stem}_{car.id}.png"
                entry = replace(entry, file=file, height=picture.shape[0], width=picture.shape[1])
                write_image(output / file, picture)
            entries.append(entry)
    entries.sort(key=lambda entry: entry.instance)
    if grouped:
        entries.append(Entry(source.name, CAR, Outcome.group, pixels=grouped))
    text = json.dumps([asdict(entry) for entry in entries], indent=1)
    write_text(part_file(output, source), text + "\n")
    return entries


def part_file(output: Path, source: Source) -> Path:
    """Names the file that says that a photograph is done."""
    return output / PARTS / f"{source.name}.json"


def read_finished(source: Source, output: Path) -> list[Entry] | None:
    """Reads what `process_photograph` returned in an earlier call, if all that it wrote is still there."""
    try:
        lines = json.loads(part_file(output, source).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    entries = []
    for line in lines:
        boxes = {name: line[name] and tuple(line[name]) for name in ("mask_box", "box")}
        entries.append(Entry(**{**line, **boxes, "outcome": Outcome(line["outcome"])}))
    if all((output / entry.file).is_file() for entry in entries if entry.file):
        return entries
    return None


def clear_unfinished(output: Path) -> None:
    """Removes the files that a process was writing when it was ended."""
    for folder in (IMAGES, PARTS):
        for path in (output / folder).rglob(".*"):
            path.unlink(missing_ok=True)


def _detections(
    photo: Image, ids: Ids, cars: Sequence[CarInstance], config: CityscapesCarsConfig, detector: Detector | None
) -> Iterator[tuple[CarInstance, Mask, Detection | None]]:
    """Asks the detector for each car alone on the background, in the whole photograph's frame, as the essay does."""
    step = 1 if detector is None else detector.batch_size
    for first in range(0, len(cars), step):
        chosen = cars[first : first + step]
        masks = [ids == car.id for car in chosen]
        found: Sequence[Detection | None] = [None] * len(chosen)
        if detector is not None:
            found = detector.detect([on_background(photo, mask, config.background) for mask in masks])
        yield from zip(chosen, masks, found, strict=True)


def _judge(mask: Mask, found: Detection | None, min_confidence: float) -> tuple[Outcome, Box | None]:
    """Decides by what the detector found; a car that is kept has a box."""
    if found is None:
        return Outcome.no_car, None
    if found.confidence < min_confidence:
        return Outcome.low_confidence, None
    height, width = mask.shape
    left, top = max(0, math.floor(found.box[0])), max(0, math.floor(found.box[1]))
    right, bottom = min(width, math.ceil(found.box[2])), min(height, math.ceil(found.box[3]))
    if not mask[top:bottom, left:right].any():
        return Outcome.elsewhere, None
    return Outcome.kept, (left, top, right, bottom)
