"""What is written of a dataset when it is complete: a table of all cars, sheets to look at, the record."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from retable.data.fingerprint import fingerprint_files
from retable.data.images import read_image, read_shown_image
from retable.files import write_csv, write_text
from retable.papers.cars.cityscapes.cutting import Image, cut
from retable.papers.cars.cityscapes.files import Source, read_ids
from retable.papers.cars.cityscapes.process_image import Entry, Outcome
from retable.papers.cars.cityscapes.schema import CityscapesCarsConfig, Form
from retable.visualization.drawing import contact_sheet, write_picture

TABLE, RECORD, SHEET, DROPPED_SHEET = "instances.csv", "record.json", "contact_sheet.png", "dropped.png"

MEANINGS = {
    Outcome.kept: "written to images/",
    Outcome.group: "groups that the annotators did not divide into cars, one of them at most in a photograph",
    Outcome.too_small: "with a mask lower or narrower than min_side",
    Outcome.no_car: "in which the detector finds no car",
    Outcome.low_confidence: "with the detector's confidence below min_confidence",
    Outcome.elsewhere: "with the detector's box beside the car",
}

_SIDE = 112  # pixels of a picture on a sheet
_COLUMNS = 10
_SHOWN = 80
_BOX = ("left", "top", "right", "bottom")
_COLUMN_NAMES = (
    "photo", "instance", "outcome", "file", "height", "width", "confidence", "pixels",
    *(f"mask_{name}" for name in _BOX), *(f"box_{name}" for name in _BOX),
)  # fmt: skip


def write_table(output: Path, entries: Sequence[Entry]) -> None:
    """Writes ``instances.csv``: each car with what became of it; boxes in pixels, right and bottom outside.

    Raises:
        OSError: It cannot be written.
    """
    rows: list[Sequence[Any]] = [_COLUMN_NAMES]
    for entry in entries:
        boxes = [*(entry.mask_box or [None] * 4), *(entry.box or [None] * 4)]
        about = (entry.photo, entry.instance, entry.outcome.value, entry.file)
        rows.append([*about, entry.height, entry.width, entry.confidence, entry.pixels, *boxes])
    write_csv(output / TABLE, rows)


def write_sheets(
    output: Path, entries: Sequence[Entry], sources: Sequence[Source], config: CityscapesCarsConfig
) -> None:
    """Writes ``contact_sheet.png`` with cars that were kept and ``dropped.png`` with others, evenly spread over all.

    Raises:
        OSError: They cannot be written.
    """
    by_name = {source.name: source for source in sources}
    kept = [entry for entry in entries if entry.file]
    dropped = [entry for entry in entries if not entry.file and entry.mask_box]
    for name, some in ((SHEET, kept), (DROPPED_SHEET, dropped)):
        count = min(_SHOWN, len(some))
        pictures, captions = [], []
        for entry in [some[index * len(some) // count] for index in range(count)]:
            if entry.file:
                picture, told = read_shown_image(output / entry.file), f"{entry.width}x{entry.height}"
            else:
                picture = _dropped_picture(by_name[entry.photo], entry, config)
                told = entry.outcome.replace("_", " ")
            pictures.append(_small(picture))
            captions.append(f"{told} " + ("" if entry.confidence is None else f"{entry.confidence:.2f}"))
        if pictures:
            write_picture(output / name, contact_sheet(pictures, _COLUMNS, captions))


def _small(image: Image) -> Image:
    factor = _SIDE / max(image.shape[:2])
    size = max(1, round(image.shape[1] * factor)), max(1, round(image.shape[0] * factor))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_NEAREST))


def _dropped_picture(source: Source, entry: Entry, config: CityscapesCarsConfig) -> Image:
    assert entry.mask_box is not None
    mask = read_ids(source.mask) == entry.instance
    return cut(read_image(source.photo), mask, entry.mask_box, replace(config, form=Form.rgb, crop=True, size=None))


def count_outcomes(entries: Sequence[Entry]) -> dict[Outcome, int]:
    """Counts the cars of each outcome, in the order of `Outcome`."""
    counts = Counter(entry.outcome for entry in entries)
    return {outcome: counts[outcome] for outcome in Outcome}


def write_record(
    output: Path, entries: Sequence[Entry], sources: Sequence[Source], settings: dict[str, Any], facts: dict[str, Any]
) -> None:
    """Writes ``record.json``, last and all at once: the folder then holds a complete dataset.

    The settings decide its content; the facts are what else is to be told: times, versions, notes.

    Raises:
        OSError: It cannot be written.
    """
    splits = list(dict.fromkeys(source.split for source in sources))
    of_split = {split: [entry for entry in entries if entry.photo.startswith(f"{split}/")] for split in splits}
    files = {entry.file: output / entry.file for entry in entries if entry.file}
    record = {
        "dataset": "cityscapes_cars",
        "settings": settings,
        "photographs": dict(Counter(source.split for source in sources)),
        "images": len(files),
        "outcomes": count_outcomes(entries),
        "outcomes_by_split": {split: count_outcomes(some) for split, some in of_split.items()},
        "meanings": MEANINGS,
        "fingerprint": fingerprint_files({TABLE: output / TABLE}, files),
        **facts,
    }
    write_text(output / RECORD, json.dumps(record, indent=2, allow_nan=False) + "\n")
