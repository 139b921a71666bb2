"""Classes of a user's own images: printed, and written as CSV and JSON."""

import json
import logging
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from torch import Tensor

from retable.classification.subject import ClassList, Image, Subject
from retable.data.checking import read_whole
from retable.data.images import read_prepared_image
from retable.data.inputs import input_images
from retable.errors import DataError, StorageError
from retable.files import write_csv, write_text

Classify = Callable[[Tensor], Tensor]
"""Maps images (B, 3, H, W) in [0, 1] to probabilities (B, C)."""

UNKNOWN = "unknown"
"""The answer where no class is probable enough."""

_BATCH = 64
log = logging.getLogger(__name__)


def classify_files(
    classify: Classify, subject: Subject, source: str, output: Path, about: dict[str, Any], threshold: float = 0.0
) -> None:
    """Classifies an image or all images of a folder, prints the classes, and writes all probabilities.

    Written are, each all or nothing, ``predictions.csv`` and ``predictions.json``. An image that cannot be read does
    not stop the others.

    Args:
        classify: The classifier.
        subject: Its classes, and how files are read.
        source: An image, a folder of images, or a pattern of files.
        output: Folder for the results.
        about: What is told of the classifier in ``predictions.json``.
        threshold: Probability below which the answer is ``unknown``.

    Raises:
        DataError: There is nothing to read, or, at the end, some images could not be read; the message names them.
        StorageError: A result cannot be written.
    """
    classes = subject.classes
    files = list(input_images(source).items())
    if (output / "predictions.json").exists():
        log.warning("%s has predictions of an earlier call, which are replaced", output)
    read = partial(read_prepared_image, prepare=subject.prepare)
    entries: list[dict[str, Any]] = []
    failures: list[str] = []
    for first in range(0, len(files), _BATCH):
        images, names = [], []
        for name, path in files[first : first + _BATCH]:
            try:
                images.append(read_whole(read, path))
                names.append(name)
            except DataError as error:
                log.error("%s", error)
                failures.append(name)
        if images:
            found = zip(names, answers(classify, classes, images, threshold), strict=True)
            entries += [{"file": name, **answer} for name, answer in found]
    _show(entries, everything=Path(source).expanduser().is_file())
    result = {**about, "input": source, "classes": list(classes.names), "images": entries, "unreadable": failures}
    try:
        write_csv(output / "predictions.csv", _table(entries, classes))
        write_text(output / "predictions.json", json.dumps(result, indent=1) + "\n")
    except OSError as error:
        raise StorageError(f"cannot write into {output}: {error.strerror}") from error
    log.info("%d images classified, in %s", len(entries), output)
    if failures:
        raise DataError(f"{len(failures)} of {len(files)} images could not be read: {', '.join(failures)}")


def answers(
    classify: Classify, classes: ClassList, images: Sequence[Image], threshold: float = 0.0
) -> list[dict[str, Any]]:
    """Classifies prepared images.

    Args:
        classify: The classifier.
        classes: Its classes.
        images: uint8 (H, W, 3) RGB each.
        threshold: Probability below which the answer is `UNKNOWN`.

    Returns:
        For each image the keys of `answer_keys`, and ``probabilities`` of all classes by name. Of the parts, such as
        the class's country, each is the best class's, with the sum over all classes that share it. Where the answer is
        unknown, so are all parts, and the probability of each is what is left of the best one's.
    """
    found = classify(torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255)
    return [_answer(classes, row.tolist(), threshold) for row in found]


def answer_keys(classes: ClassList) -> list[str]:
    """Names what is told of an image: class, probability, and both of each part of a class."""
    return ["class", "probability", *(key for part in classes.parts for key in (part, f"{part}_probability"))]


def _answer(classes: ClassList, probabilities: Sequence[float], threshold: float) -> dict[str, Any]:
    best = max(range(len(classes)), key=lambda label: probabilities[label])
    told: list[Any] = [classes.names[best], probabilities[best]]
    for values in classes.parts.values():
        shared = sum(value for value, each in zip(probabilities, values, strict=True) if each == values[best])
        told += [values[best], min(1.0, shared)]
    if probabilities[best] < threshold:
        told = [max(0.0, 1.0 - each) if isinstance(each, float) else UNKNOWN for each in told]
    rounded = [round(value, 6) if isinstance(value, float) else value for value in told]
    each = {name: round(value, 6) for name, value in zip(classes.names, probabilities, strict=True)}
    return {**dict(zip(answer_keys(classes), rounded, strict=True)), "probabilities": each}


def _show(entries: Sequence[dict[str, Any]], everything: bool) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for entry in entries:
        console.print(f"{entry['file']}: {entry['class']} {entry['probability']:.3f}", markup=False)
        if everything:
            for name, value in sorted(entry["probabilities"].items(), key=lambda item: -item[1]):
                console.print(f"  {value:.3f} {name}", markup=False)


def _table(entries: Sequence[dict[str, Any]], classes: ClassList) -> list[list[Any]]:
    keys = ["file", *answer_keys(classes)]
    rows = [[*(entry[key] for key in keys), *entry["probabilities"].values()] for entry in entries]
    return [[*keys, *classes.names], *rows]
