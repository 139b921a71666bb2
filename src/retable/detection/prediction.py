"""Detections on a user's own images: DOTA text, JSON, and drawn on the image."""

import json
import logging
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.progress import track
from torch import Tensor

from retable.boxes import format_of
from retable.data.checking import NEAR_BLACK, read_whole
from retable.data.images import image_header, read_image
from retable.data.inputs import input_images
from retable.detection.schema import Scaling
from retable.detection.transforms import Image, resized
from retable.errors import DataError, StorageError
from retable.files import write_text
from retable.visualization.drawing import LARGEST_JPEG, draw_detections, write_picture

log = logging.getLogger(__name__)

Detect = Callable[[Tensor], dict[str, Tensor]]
"""Maps an image, uint8 (3, H, W) of any size, to boxes (N, 5) or (N, 4), scores (N,), labels (N,) in its pixels."""


def predict_files(
    detect: Detect,
    source: str,
    output: Path,
    classes: Sequence[str],
    score_threshold: float,
    scaling: Scaling,
    about: dict[str, Any],
) -> None:
    """Detects in an image or in all images of a folder and writes what was found.

    Written are, each all or nothing: ``labelTxt/NAME.txt`` (the eight corner coordinates, class, 0: DOTA's annotation
    form, which `data=dota` reads), ``Task1_CLASS.txt`` (image, score, corners: DOTA's form for results), one
    ``detections.json`` and ``drawn/NAME.jpg`` (``.png`` where JPEG has no room). NAME is the image's path below the
    folder with its ending, so that no result takes the place of another's. An image that cannot be read does not stop
    the others.

    Args:
        detect: The detector.
        source: An image or a folder of images.
        output: Folder for the results.
        classes: Names of the labels.
        score_threshold: Detections below it are left out.
        scaling: How images are scaled first; the results are in the pixels of the files.
        about: What is told of the detector in ``detections.json``.

    Raises:
        DataError: There is nothing to read, or, at the end, some images could not be read; the message names them.
        StorageError: A result cannot be written.
    """
    files = input_images(source)
    if (output / "detections.json").exists():
        log.warning(
            "%s has results of an earlier call: those of images of the same names are replaced; detections.json and "
            "Task1_*.txt will tell of this call only", output,
        )  # fmt: skip
    read = partial(read_image, bands=scaling.bands, value_range=scaling.range)
    entries, failures = [], []
    for name, path in track(files.items(), "detecting"):
        try:
            image = read_whole(read, path)
        except DataError as error:
            log.error("%s", error)
            failures.append(name)
            continue
        if scaling.range is None and image.max() < NEAR_BLACK and image_header(path).bits == 16:
            log.warning("%s: 16 bits a channel of which the lower are used, so that it is near black", path)
        prediction = _detect_scaled(detect, image, scaling)
        kept = prediction["scores"] >= score_threshold
        prediction = {key: value[kept].cpu() for key, value in prediction.items()}
        drawn = draw_detections(image, prediction, minimum_size=256)
        try:
            ending = ".jpg" if max(drawn.shape) <= LARGEST_JPEG else ".png"
            write_picture(output / "drawn" / f"{name}{ending}", drawn)
            entries.append(_entry(name, image, prediction, classes))
            write_text(output / "labelTxt" / f"{name}.txt", _annotation_lines(entries[-1]))
        except OSError as error:
            raise StorageError(f"cannot write into {output}: {error.strerror}") from error
    for name in classes:
        write_text(output / f"Task1_{name.replace('/', '_')}.txt", _result_lines(entries, name))
    result = {**about, "input": source, "score_threshold": score_threshold, "images": entries, "unreadable": failures}
    write_text(output / "detections.json", json.dumps(result, indent=1) + "\n")
    found = sum(len(entry["detections"]) for entry in entries)
    log.info("%d detections in %d images, in %s", found, len(entries), output)
    if failures:
        raise DataError(f"{len(failures)} of {len(files)} images could not be read: {', '.join(failures)}")


def _detect_scaled(detect: Detect, image: Image, scaling: Scaling) -> dict[str, Tensor]:
    height, width = image.shape[:2]
    scaled_height, scaled_width = scaling.size(height, width)
    scaled = np.ascontiguousarray(resized(image, scaled_height, scaled_width))
    prediction = detect(torch.from_numpy(scaled).permute(2, 0, 1))
    boxes = prediction["boxes"]
    return {**prediction, "boxes": format_of(boxes).scaled(boxes, width / scaled_width, height / scaled_height)}


def _entry(name: str, image: Image, prediction: dict[str, Tensor], classes: Sequence[str]) -> dict[str, Any]:
    kind = format_of(prediction["boxes"])
    corners = kind.corners(prediction["boxes"]).flatten(start_dim=1)
    detections = [
        {
            "class": classes[int(label)],
            "score": round(float(score), 5),
            "box": dict(zip(kind.names, (round(float(v), 4) for v in box), strict=True)),
            "corners": [round(float(v), 2) for v in points],
        }
        for box, score, label, points in zip(
            prediction["boxes"], prediction["scores"], prediction["labels"], corners, strict=True
        )
    ]
    return {"file": name, "height": image.shape[0], "width": image.shape[1], "detections": detections}


def _annotation_lines(entry: dict[str, Any]) -> str:
    return "".join(f"{_corners(found)} {found['class']} 0\n" for found in entry["detections"])


def _result_lines(entries: list[dict[str, Any]], name: str) -> str:
    return "".join(
        f"{entry['file']} {found['score']:.5f} {_corners(found)}\n"
        for entry in entries
        for found in entry["detections"]
        if found["class"] == name
    )


def _corners(found: dict[str, Any]) -> str:
    return " ".join(f"{value:.2f}" for value in found["corners"])
