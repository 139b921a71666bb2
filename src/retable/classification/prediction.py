"""Classes of a user's own images: printed, and written as CSV and JSON."""

import csv
import io
import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from torch import Tensor

from retable.classification.subject import Subject
from retable.data.checking import read_whole
from retable.data.inputs import input_images
from retable.errors import DataError, StorageError
from retable.files import write_text

Classify = Callable[[Tensor], Tensor]
"""Maps images (B, 3, S, S) in [0, 1] to probabilities (B, C)."""

_BATCH = 64
log = logging.getLogger(__name__)


def classify_files(classify: Classify, subject: Subject, source: str, output: Path, about: dict[str, Any]) -> None:
    """Classifies an image or all images of a folder, prints the classes, and writes all probabilities.

    Written are, each all or nothing, ``predictions.csv`` and ``predictions.json``. An image that cannot be read does
    not stop the others.

    Args:
        classify: The classifier.
        subject: Its classes, and how files are read.
        source: An image or a folder of images.
        output: Folder for the results.
        about: What is told of the classifier in ``predictions.json``.

    Raises:
        DataError: There is nothing to read, or, at the end, some images could not be read; the message names them.
        StorageError: A result cannot be written.
    """
    classes = subject.classes.names
    files = list(input_images(source).items())
    if (output / "predictions.json").exists():
        log.warning("%s has predictions of an earlier call, which are replaced", output)
    entries: list[dict[str, Any]] = []
    failures: list[str] = []
    for first in range(0, len(files), _BATCH):
        images, read = [], []
        for name, path in files[first : first + _BATCH]:
            try:
                images.append(read_whole(subject.read, path))
                read.append(name)
            except DataError as error:
                log.error("%s", error)
                failures.append(name)
        if images:
            found = classify(torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255)
            entries += [_entry(name, classes, row) for name, row in zip(read, found, strict=True)]
    _show(entries, everything=Path(source).expanduser().is_file())
    result = {**about, "input": source, "classes": list(classes), "images": entries, "unreadable": failures}
    try:
        write_text(output / "predictions.csv", _table(entries, classes))
        write_text(output / "predictions.json", json.dumps(result, indent=1) + "\n")
    except OSError as error:
        raise StorageError(f"cannot write into {output}: {error.strerror}") from error
    log.info("%d images classified, in %s", len(entries), output)
    if failures:
        raise DataError(f"{len(failures)} of {len(files)} images could not be read: {', '.join(failures)}")


def _entry(name: str, classes: Sequence[str], probabilities: Tensor) -> dict[str, Any]:
    best = classes[int(probabilities.argmax())]
    each = {label: round(float(value), 6) for label, value in zip(classes, probabilities, strict=True)}
    return {"file": name, "class": best, "probability": each[best], "probabilities": each}


def _show(entries: Sequence[dict[str, Any]], everything: bool) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for entry in entries:
        console.print(f"{entry['file']}: {entry['class']} {entry['probability']:.3f}", markup=False)
        if everything:
            for name, value in sorted(entry["probabilities"].items(), key=lambda item: -item[1]):
                console.print(f"  {value:.3f} {name}", markup=False)


def _table(entries: Sequence[dict[str, Any]], classes: Sequence[str]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["file", "class", "probability", *classes])
    for entry in entries:
        writer.writerow([entry["file"], entry["class"], entry["probability"], *entry["probabilities"].values()])
    return text.getvalue()
