"""Detections as text: what is told of an image in JSON, as rows of a table, and in the forms of DOTA."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from retable.boxes import BoxFormat, format_of
from retable.detection.transforms import Image

Answer = dict[str, Any] | None
"""What a classifier says of a detection, None where it can say nothing."""


def detections(prediction: dict[str, Tensor], classes: Sequence[str]) -> list[dict[str, Any]]:
    """Tells class, score, box and corners of each detection."""
    kind = format_of(prediction["boxes"])
    corners = prediction["corners"] if "corners" in prediction else kind.corners(prediction["boxes"])
    return [
        {
            "class": classes[int(label)],
            "score": round(float(score), 5),
            "box": dict(zip(kind.names, (round(float(v), 4) for v in box), strict=True)),
            "corners": [round(float(v), 2) for v in points],
        }
        for box, score, label, points in zip(
            prediction["boxes"], prediction["scores"], prediction["labels"], corners.flatten(start_dim=1), strict=True
        )
    ]


def entry(name: str, image: Image, found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Tells an image's name and size beside its detections."""
    return {"file": name, "height": image.shape[0], "width": image.shape[1], "detections": list(found)}


def table(entries: Sequence[dict[str, Any]], kind: BoxFormat, answer_keys: Sequence[str]) -> list[list[Any]]:
    """Makes a table of all detections, one a row, the header first; what does not apply is empty.

    Args:
        entries: Those of `entry`, of a frame with ``frame`` and ``seconds``.
        kind: Format of the boxes.
        answer_keys: What a classifier tells of each, ``class`` first; its columns follow as ``recognised``, and so on.
    """
    names = ["recognised" if key == "class" else key for key in answer_keys]
    rows: list[list[Any]] = [["file", "frame", "seconds", "class", "score", *kind.names, *names]]
    for each in entries:
        for found in each["detections"]:
            answer = found.get("recognised") or {}
            place = each["file"], each.get("frame", ""), each.get("seconds", "")
            told = (answer.get(key, "") for key in answer_keys)
            rows.append([*place, found["class"], found["score"], *found["box"].values(), *told])
    return rows


def annotation_lines(entry: dict[str, Any]) -> str:
    """Returns DOTA's annotations of an image: the corners, class and 0 of each detection."""
    return "".join(f"{_corners(found)} {found['class']} 0\n" for found in entry["detections"])


def result_lines(entries: Sequence[dict[str, Any]], name: str) -> str:
    """Returns DOTA's results of a class: image, score and corners of each detection."""
    return "".join(
        f"{entry['file']} {found['score']:.5f} {_corners(found)}\n"
        for entry in entries
        for found in entry["detections"]
        if found["class"] == name
    )


def _corners(found: dict[str, Any]) -> str:
    return " ".join(f"{value:.2f}" for value in found["corners"])
