"""Annotations of own images as labelling tools write them: DOTA text, YOLO-OBB, roLabelImg.

A file of one that is read as another is told by what it looks like.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from retable.boxes import canonical, corners_to_box
from retable.detection import annotation_files as files
from retable.detection.dataset import ObjectRecord
from retable.errors import DataError

_HEADERS = ("imagesource:", "gsd:", "acquisition dates:")  # what DOTA's own tools write before the objects
_ROTATED_TAGS = ("cx", "cy", "w", "h", "angle")


@dataclass(frozen=True)
class OwnFormat:
    """How the annotation of an image is read.

    Attributes:
        suffix: Ending of the files.
        read: Reads a file's objects: called with the file, the names of the labels, and what counts objects of other
            classes, which are then left out; None makes them errors.
        box_numbers: Numbers of a box.
        to_boxes: Converts the numbers of N objects to rotated boxes (N, 5).
        normalised: Whether coordinates are parts of the image's width and height rather than pixels.
    """

    suffix: str
    read: Callable[[Path, Sequence[str], Counter[str] | None], list[ObjectRecord]]
    box_numbers: int
    to_boxes: Callable[[Tensor], Tensor]
    normalised: bool = False


def _read_dota(path: Path, classes: Sequence[str], ignored: Counter[str] | None) -> list[ObjectRecord]:
    """Reads ``x1 y1 x2 y2 x3 y3 x4 y4 class difficult``, where the class may have blanks and difficult be missing."""
    objects = []
    for place, fields in read_lines(path):
        numeric = sum(_is_number(text) for text in fields)
        if len(fields) == numeric == 9 and all(0 <= float(text) <= 1.5 for text in fields[1:]):
            raise DataError(f"{place}: this looks like YOLO-OBB; give data.files.format=yolo-obb")
        if len(fields) == numeric == 5:
            raise DataError(
                f"{place}: this looks like YOLO's upright boxes, which tell no angle; rotated ones are needed"
            )
        if len(fields) < 9:
            raise DataError(
                f"{place}: {len(fields)} fields, expected x1 y1 x2 y2 x3 y3 x4 y4 class difficult, separated by blanks"
            )
        numbers = [files.parse_number(text, f"coordinate {i}", place) for i, text in enumerate(fields[:8], 1)]
        words, flag = fields[8:], ""
        if len(words) > 1 and " ".join(words) not in classes:
            *words, flag = words
        label = _label(" ".join(words), classes, ignored, place)
        if label is not None:
            # DOTA's own tiling tool writes 2 for objects that a tile's border cuts; for a metric they are difficult
            difficult = files.parse_flag("1" if flag == "2" else flag, "difficult", place)
            objects.append(ObjectRecord(place, numbers, label, difficult))
    return objects


def _read_yolo(path: Path, classes: Sequence[str], ignored: Counter[str] | None) -> list[ObjectRecord]:
    """Reads ``number x1 y1 x2 y2 x3 y3 x4 y4``, the number that of a class, from 0."""
    objects = []
    for place, fields in read_lines(path):
        if len(fields) != 9:
            raise DataError(f"{place}: {len(fields)} fields, expected class number x1 y1 x2 y2 x3 y3 x4 y4")
        numbers = [files.parse_number(text, f"coordinate {i}", place) for i, text in enumerate(fields[1:], 1)]
        if max(map(abs, numbers)) > 2:
            raise DataError(f"{place}: coordinates are parts of width and height in YOLO-OBB, these look like pixels")
        number = fields[0]
        known = number.isascii() and number.isdecimal() and int(number) < len(classes)
        label = _label(classes[int(number)] if known else number, classes, ignored, place)
        if label is not None:
            objects.append(ObjectRecord(place, numbers, label, False))
    return objects


def _read_rolabelimg(path: Path, classes: Sequence[str], ignored: Counter[str] | None) -> list[ObjectRecord]:
    """Reads each object's ``robndbox``: cx, cy, w, h in pixels, the angle in radians, clockwise on the screen."""
    objects = []
    for number, element in enumerate(files.parse_xml(path, "annotation").findall("object"), 1):
        place = f"{path}, object {number}"
        box = element.find("robndbox")
        if box is None:
            raise DataError(f"{place}: no <robndbox>; draw the box as a rotated one")
        numbers = [files.xml_number(box, tag, place) for tag in _ROTATED_TAGS]
        label = _label(" ".join(files.xml_text(element, "name", place).split()), classes, ignored, place)
        if label is not None:
            difficult = files.parse_flag(element.findtext("difficult"), "<difficult>", place)
            objects.append(ObjectRecord(place, numbers, label, difficult))
    return objects


def read_lines(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Yields the place and the words of each line that is no header and not empty."""
    for number, line in enumerate(files.read_text(path).splitlines(), 1):
        if line.strip() and not line.strip().lower().startswith(_HEADERS):
            yield f"{path}:{number}", line.split()


def _label(class_name: str, classes: Sequence[str], ignored: Counter[str] | None, place: str) -> int | None:
    if ignored is not None and class_name not in classes:
        ignored[class_name] += 1
        return None
    return files.class_index(class_name, classes, place)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _from_corners(numbers: Tensor) -> Tensor:
    return corners_to_box(numbers.reshape(-1, 4, 2))


FORMATS = {
    "dota": OwnFormat(".txt", _read_dota, 8, _from_corners),
    "yolo-obb": OwnFormat(".txt", _read_yolo, 8, _from_corners, normalised=True),
    "rolabelimg": OwnFormat(".xml", _read_rolabelimg, 5, canonical),
}
"""The formats by the value of `data.files.format`."""
