"""Where barcodes are in a user's own photos: written as JSON and drawn."""

from __future__ import annotations

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
from retable.errors import DataError, StorageError
from retable.files import write_text
from retable.papers.barcodes.localiser.corners import Candidate
from retable.synthetic.raster import SHIFT, Image, fixed
from retable.visualization.drawing import FALSE_ALARM, HIT, write_picture

Locate = Callable[[Image], tuple[list[Candidate], list[Candidate]]]
"""Maps a photo to its symbols of EAN-13 and UPC-A, and to barcodes of other kinds."""

log = logging.getLogger(__name__)


def locate_files(locate: Locate, source: str, output: Path, about: dict[str, Any]) -> None:
    """Finds the barcodes of a photo or of all photos of a folder.

    Written are ``symbols.json`` and, below ``drawn``, each photo with its symbols green and other barcodes red. A photo
    that cannot be read does not stop the others.

    Args:
        locate: The localiser.
        source: A photo, a folder of them, or a pattern of files.
        output: Folder for the results.
        about: What is told of the localiser in ``symbols.json``.

    Raises:
        DataError: There is nothing to read, or, at the end, some photos could not be read; the message names them.
        StorageError: A result cannot be written.
    """
    files = input_images(source)
    console = Console(highlight=False, soft_wrap=True)
    entries, failures = [], []
    try:
        for name, path in files.items():
            try:
                image = read_whole(read_shown_image, path)
            except DataError as error:
                log.error("%s", error)
                failures.append(name)
                continue
            symbols, others = locate(image)
            console.print(f"{name}: {len(symbols)} symbols, {len(others)} other barcodes", markup=False)
            entries.append({"file": name, "symbols": _told(symbols), "others": _told(others)})
            (output / "drawn" / name).parent.mkdir(parents=True, exist_ok=True)
            write_picture((output / "drawn" / name).with_suffix(".jpg"), drawn(image, symbols, others))
        result = {**about, "input": source, "images": entries, "unreadable": failures}
        write_text(output / "symbols.json", json.dumps(result, indent=1) + "\n")
    except OSError as error:
        raise StorageError(f"cannot write into {output}: {error.strerror}") from error
    log.info("%d photos looked at, in %s", len(entries), output)
    if failures:
        raise DataError(f"{len(failures)} of {len(files)} photos could not be read: {', '.join(failures)}")


def drawn(image: Image, symbols: Sequence[Candidate], others: Sequence[Candidate] = ()) -> Image:
    """Returns a photo (H, W, 3) with symbols outlined green, a dot at the first corner, and other barcodes red."""
    canvas = image.copy()
    thickness = max(2, max(image.shape) // 300)
    for colour, group in ((FALSE_ALARM, others), (HIT, symbols)):
        for candidate in group:
            cv2.polylines(canvas, [fixed(candidate.corners)], True, colour, thickness, cv2.LINE_AA, SHIFT)
            x, y = candidate.corners[0].round().astype(int).tolist()
            cv2.circle(canvas, (x, y), 2 * thickness, colour, cv2.FILLED, cv2.LINE_AA)
    return np.asarray(canvas, np.uint8)


def _told(candidates: Sequence[Candidate]) -> list[dict[str, Any]]:
    return [
        {
            "corners": candidate.corners.round(2).tolist(),
            "score": round(candidate.score, 4),
            "ean13": round(candidate.ean13, 4),
            "coherence": round(candidate.coherence, 4),
        }
        for candidate in candidates
    ]
