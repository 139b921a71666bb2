"""Annotations of own images with axis-aligned boxes as labelling tools write them: VOC XML, YOLO text."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from retable.detection import annotation_files as files
from retable.detection.dataset import ObjectRecord
from retable.detection.own_formats import read_lines
from retable.errors import DataError

_VOC_TAGS = ("xmin", "ymin", "xmax", "ymax")


@dataclass(frozen=True)
class UprightFormat:
    """How the annotation of an image is read.

    Attributes:
        suffix: Ending of the files.
        read: Reads a file's objects, all with label 0, each with the name or number of its class.
        to_boxes: Converts the four numbers of N objects to boxes x1, y1, x2, y2, (N, 4).
        normalised: Whether the numbers are parts of the image's width and height rather than pixels.
    """

    suffix: str
    read: Callable[[Path], list[tuple[str, ObjectRecord]]]
    to_boxes: Callable[[Tensor], Tensor]
    normalised: bool = False


def _read_voc(path: Path) -> list[tuple[str, ObjectRecord]]:
    """Reads each object's ``bndbox``: xmin, ymin, xmax, ymax in pixels."""
    root = files.parse_xml(path, "annotation")
    objects = []
    for number, element in enumerate(root.findall("object"), 1):
        place = f"{path}, object {number}"
        box = element.find("bndbox")
        if box is None:
            raise DataError(f"{place}: no <bndbox>; draw the box as an upright one")
        numbers = [files.xml_number(box, tag, place) for tag in _VOC_TAGS]
        difficult = files.parse_flag(element.findtext("difficult"), "<difficult>", place)
        objects.append((files.xml_text(element, "name", place), ObjectRecord(place, numbers, 0, difficult)))
    return objects


def _read_yolo(path: Path) -> list[tuple[str, ObjectRecord]]:
    """Reads ``number cx cy width height``, the number that of a class."""
    objects = []
    for place, fields in read_lines(path):
        if len(fields) != 5:
            raise DataError(f"{place}: {len(fields)} fields, expected class number, cx, cy, width, height")
        numbers = [files.parse_number(text, f"number {i}", place) for i, text in enumerate(fields[1:], 2)]
        if max(map(abs, numbers)) > 2:
            raise DataError(f"{place}: YOLO's numbers are parts of width and height, these look like pixels")
        objects.append((fields[0], ObjectRecord(place, numbers, 0, False)))
    return objects


def _from_centres(numbers: Tensor) -> Tensor:
    """Turns cx, cy, width, height into x1, y1, x2, y2, both (N, 4)."""
    centres, halves = numbers[:, :2], numbers[:, 2:] / 2
    return torch.cat([centres - halves, centres + halves], dim=1)


FORMATS = {
    "voc": UprightFormat(".xml", _read_voc, lambda numbers: numbers),
    "yolo": UprightFormat(".txt", _read_yolo, _from_centres, normalised=True),
}
"""The formats by the value of `data.files.format`."""
