"""RBox-SSDD [8]: ships in SAR images with rotated boxes, in VOC layout with `rotated_bndbox`.

T. Zhang et al., "SAR Ship Detection Dataset (SSDD): Official Release and Comprehensive Data Analysis", Remote
Sensing 2021.
"""

from pathlib import Path
from xml.etree.ElementTree import Element

import torch

from retable.boxes import ssdd_to_box
from retable.errors import DataError
from retable.papers.larsd.datasets.base import (
    DetectionDataset,
    ImageRecord,
    ObjectRecord,
    OutsideRule,
    object_record,
)
from retable.papers.larsd.datasets.files import (
    checked_root,
    class_index,
    first_folder,
    match_files,
    parse_flag,
    parse_xml,
    read_image_list,
    xml_number,
    xml_size,
    xml_text,
)

_NAME = "RBox-SSDD"
_CLASSES = ("ship",)
_BOX_TAGS = tuple(f"rotated_bbox_{key}" for key in ("cx", "cy", "w", "h", "theta"))


class Ssdd(DetectionDataset):
    """A split of RBox-SSDD.

    Layout: `Annotations/*.xml`, `JPEGImages/*`, `ImageSets/Main/<split>.txt` (or `ImageSets/<split>.txt`),
    directly under the root or in its folder `voc_style`. Where the official release has separate folders of a
    split (`JPEGImages_test`, `Annotations_test`), these serve a missing common one. Boxes come from the
    centre, size and angle; the rounded corners x1 to y4 that stand beside them differ by up to 1.51 pixels and
    are not used.

    Args:
        root: the dataset's folder.
        split: a list's name: "train", "val", "test".
        outside: what happens to a box whose centre lies outside the image.

    Raises:
        DataError: a folder, list, image or annotation is missing or wrong.
    """

    def __init__(self, root: str | Path, split: str = "train", outside: OutsideRule = "error") -> None:
        folder = _base(checked_root(root, _NAME))
        list_path = next((p for place in _list_places(folder) if (p := place / f"{split}.txt").is_file()), None)
        if list_path is None:
            found = ", ".join(Ssdd.splits(root)) or "none"
            raise DataError(f"{_NAME}: no list {split}.txt in {_list_places(folder)[0]}; found {found}")
        images, annotations = (
            first_folder(_NAME, what, [folder / name for base in names for name in (base, f"{base}_{split}")])
            for what, names in (
                ("images", ("JPEGImages", "images")),
                ("annotations", ("Annotations", "annotations")),
            )
        )
        records = []
        for image_id, image, annotation in match_files(
            _NAME, read_image_list(list_path), list_path, images, annotations, ".xml"
        ):
            element = parse_xml(annotation, "annotation")
            size = xml_size(element, "size/height", "size/width")
            records.append(ImageRecord(image_id, image, annotation, _objects(element, annotation), size))
        super().__init__(
            name=_NAME,
            split=split,
            classes=_CLASSES,
            records=records,
            lists={f"{split}.txt": list_path},
            outside=outside,
        )

    @staticmethod
    def splits(root: str | Path) -> list[str]:
        """Returns the names of the splits that have a list, sorted.

        Raises:
            DataError: the root is missing or empty.
        """
        folder = _base(checked_root(root, _NAME))
        return sorted({path.stem for place in _list_places(folder) if place.is_dir() for path in place.glob("*.txt")})


def _base(root: Path) -> Path:
    return root / "voc_style" if (root / "voc_style").is_dir() else root


def _list_places(folder: Path) -> list[Path]:
    return [folder / "ImageSets" / "Main", folder / "ImageSets"]


def _objects(root: Element, path: Path) -> tuple[ObjectRecord, ...]:
    raw, heads = [], []
    for number, element in enumerate(root.findall("object"), 1):
        place = f"{path}, object {number}"
        box = element.find("rotated_bndbox")
        if box is None:
            raise DataError(
                f"{place}: no <rotated_bndbox>; the file is not from RBox-SSDD (BBox-SSDD has upright boxes only)"
            )
        raw.append([xml_number(box, tag, place) for tag in _BOX_TAGS])
        label = class_index(xml_text(element, "name", place), _CLASSES, place)
        heads.append((place, label, parse_flag(element.findtext("difficult"), "<difficult>", place)))
    if not raw:
        return ()
    boxes = ssdd_to_box(torch.tensor(raw, dtype=torch.float64)).tolist()
    return tuple(
        object_record(place, box, label, difficult, numbers)
        for (place, label, difficult), box, numbers in zip(heads, boxes, raw, strict=True)
    )
