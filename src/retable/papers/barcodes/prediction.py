"""Codes in a user's own photos: printed, as the notebook's CSV, as JSON, and drawn on the photo."""

from __future__ import annotations

import csv
import io
import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rich.console import Console

from retable.data.checking import read_whole
from retable.data.images import read_shown_image
from retable.data.inputs import input_images
from retable.detection.stages import Stopwatch, log_medians, medians
from retable.errors import DataError, StorageError
from retable.files import write_atomically, write_text
from retable.papers.barcodes.reading import PlacedReading
from retable.papers.barcodes.symbology.ean13 import is_valid
from retable.synthetic.raster import Image, outline
from retable.visualization.drawing import HIT, MISS, write_picture

log = logging.getLogger(__name__)

_KIND = "EAN-13"


Find = Callable[[Image], Sequence[PlacedReading]]
"""What is told of a photo, uint8 (H, W, 3)."""


def predict_files(find: Find, source: str, output: Path, about: dict[str, Any]) -> None:
    """Reads a photo or all photos of a folder or pattern, prints the codes, and writes them.

    Written are, each all or nothing: ``answer.csv`` as the notebook writes it (UTF-16, no header: path, code, x and y
    of the four corners, kind), ``barcodes.json``, and ``drawn/NAME.png``. A photo that cannot be read does not stop the
    others.

    Args:
        find: Finds and reads symbols.
        source: A photo, a folder of photos, or a pattern of files.
        output: Folder for the results.
        about: What is told of the run in ``barcodes.json``.

    Raises:
        DataError: There is nothing to read, or, at the end, some files could not be read; the message names them.
        StorageError: A result cannot be written.
    """
    files = input_images(source)
    if (output / "barcodes.json").exists():
        log.warning("%s has results of an earlier call, which are replaced", output)
    console = Console(highlight=False, soft_wrap=True, markup=False)
    entries, failures = [], []
    try:
        for name, path in files.items():
            watch = Stopwatch()
            try:
                with watch.stage("opening"):
                    image = read_whole(read_shown_image, path)
            except DataError as error:
                log.error("%s", error)
                failures.append(name)
                continue
            with watch.stage("reading"):
                readings = find(image)
            console.print("\n".join(f"{name}: {_told(each)}" for each in readings) or f"{name}: no barcode found")
            with watch.stage("drawing"):
                write_picture(output / "drawn" / f"{name}.png", _drawn(image, readings))
            entries.append(
                {
                    "file": name,
                    "width": image.shape[1],
                    "height": image.shape[0],
                    "barcodes": list(map(_entry, readings)),
                    "milliseconds": watch.milliseconds,
                }
            )
        _write(output, entries, {**about, "input": source}, failures)
    except OSError as error:
        raise StorageError(f"cannot write into {output}: {error.strerror}") from error
    read = sum(any(each["code"] for each in entry["barcodes"]) for entry in entries)
    log.info("codes read in %d of %d photos, in %s", read, len(entries), output)
    if entries:
        log_medians(medians([entry["milliseconds"] for entry in entries]), "")
    if failures:
        raise DataError(f"{len(failures)} of {len(files)} photos could not be read: {', '.join(failures)}")


def _told(reading: PlacedReading) -> str:
    corners = " ".join(f"{x:.0f},{y:.0f}" for x, y in reading.corners)
    if reading.code is None:
        return f"a barcode without digits ({reading.confidence:.3f}), at {corners}"
    check = "check digit right" if is_valid(reading.code) else "check digit wrong"
    return f"{reading.code} ({check}, {reading.confidence:.3f}), at {corners}"


def _entry(reading: PlacedReading) -> dict[str, Any]:
    return {
        "code": reading.code,
        "valid": reading.code is not None and is_valid(reading.code),
        "confidence": round(reading.confidence, 6),
        "corners": np.round(reading.corners, 2).tolist(),
    }


def _drawn(image: Image, readings: Sequence[PlacedReading]) -> Image:
    """Draws each quadrangle, a dot at its upper left corner, and its digits where they are printed: below."""
    drawn = image.copy()
    thick = max(1, round(max(image.shape) / 500))
    for each in readings:
        colour = HIT if each.code else MISS
        for width, shade in ((thick + 2, (12, 12, 12)), (thick, colour)):
            outline(drawn, [each.corners], shade, width)
        cv2.circle(drawn, each.corners[0].astype(int).tolist(), 3 * thick, colour, -1, cv2.LINE_AA)
        x, y = each.corners.min(axis=0)[0], each.corners.max(axis=0)[1]
        place = (int(max(0, x)), int(min(image.shape[0] - 4, y + 14 * thick)))
        for width, shade in ((thick + 3, (12, 12, 12)), (thick, colour)):
            cv2.putText(
                drawn, each.code or "?", place, cv2.FONT_HERSHEY_SIMPLEX, 0.5 * thick, shade, width, cv2.LINE_AA
            )
    return drawn


def _write(output: Path, entries: Sequence[dict[str, Any]], about: dict[str, Any], failures: Sequence[str]) -> None:
    """Writes the CSV and the JSON."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    for entry in entries:
        for each in entry["barcodes"] or [None]:
            if each is None:
                rows.writerow([entry["file"], *[""] * 10])
            else:
                corners = [place for point in each["corners"] for place in point]
                rows.writerow([entry["file"], each["code"] or "", *corners, _KIND if each["code"] else ""])
    write_atomically(output / "answer.csv", lambda path: path.write_text(text.getvalue(), encoding="utf-16"))
    times = medians([entry["milliseconds"] for entry in entries])
    whole = {**about, "median_milliseconds": times, "images": list(entries), "unreadable": list(failures)}
    write_text(output / "barcodes.json", json.dumps(whole, indent=1) + "\n")
