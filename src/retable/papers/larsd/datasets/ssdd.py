"""RBox-SSDD [8]: ships in SAR images with rotated boxes, in VOC layout with `rotated_bndbox`.

T. Zhang et al., "SAR Ship Detection Dataset (SSDD): Official Release and Comprehensive Data Analysis", Remote
Sensing 2021.
"""

from pathlib import Path
from xml.etree.ElementTree import Element

from retable.boxes import opencv_to_box
from retable.detection import annotation_files as files
from retable.detection.dataset import DetectionDataset, ImageRecord, ObjectRecord
from retable.detection.schema import FilesConfig
from retable.errors import DataError

_NAME = "RBox-SSDD"
_CLASSES = ("ship",)
_BOX_TAGS = tuple(f"rotated_bbox_{key}" for key in ("cx", "cy", "w", "h", "theta"))


class Ssdd(DetectionDataset):
    """A split of RBox-SSDD.

    Layout: `Annotations/*.xml`, `JPEGImages/*`, `ImageSets/Main/<split>.txt` (or `ImageSets/<split>.txt`), directly
    under the root or in its folder `voc_style`. Where the official release has separate folders of a split
    (`JPEGImages_test`, `Annotations_test`), these serve a missing common one. Boxes come from the centre, size and
    angle, which are OpenCV's with rounded centre and size; the rounded corners x1 to y4 that stand beside them
    differ by up to 1.51 pixels and are not used.

    Args:
        split: A list's name: "train", "val", "test".

    Raises:
        DataError: A folder, list, image or annotation is missing or wrong.
    """

    def __init__(self, config: FilesConfig, root: str | Path, split: str = "train") -> None:
        folder = _base(files.checked_root(root, _NAME))
        list_path = files.find_list(_NAME, _list_places(folder), split)
        images, annotations = (
            files.first_folder(_NAME, what, [folder / name for base in names for name in (base, f"{base}_{split}")])
            for what, names in (("images", ("JPEGImages", "images")), ("annotations", ("Annotations", "annotations")))
        )
        image_ids = files.read_image_list(list_path)
        records = []
        for image_id, image, annotation in files.match_files(_NAME, image_ids, list_path, images, annotations, ".xml"):
            element = files.parse_xml(annotation, "annotation")
            size = files.xml_size(element, "size/height", "size/width")
            records.append(ImageRecord(image_id, image, annotation, _objects(element, annotation), size))
        super().__init__(
            config,
            name=_NAME,
            split=split,
            classes=_CLASSES,
            records=records,
            to_boxes=opencv_to_box,
            box_numbers=len(_BOX_TAGS),
            lists={f"{split}.txt": list_path},
        )

    @staticmethod
    def splits(root: str | Path) -> list[str]:
        """Returns the names of the splits that have a list, sorted.

        Raises:
            DataError: The root is missing or empty.
        """
        return files.listed_splits(_list_places(_base(files.checked_root(root, _NAME))))


def _base(root: Path) -> Path:
    return root / "voc_style" if (root / "voc_style").is_dir() else root


def _list_places(folder: Path) -> list[Path]:
    return [folder / "ImageSets" / "Main", folder / "ImageSets"]


def _objects(root: Element, path: Path) -> list[ObjectRecord]:
    objects = []
    for number, element in enumerate(root.findall("object"), 1):
        place = f"{path}, object {number}"
        box = element.find("rotated_bndbox")
        if box is None:
            raise DataError(
                f"{place}: no <rotated_bndbox>; the file is not from RBox-SSDD (BBox-SSDD has upright boxes only)"
            )
        numbers = [files.xml_number(box, tag, place) for tag in _BOX_TAGS]
        label = files.class_index(files.xml_text(element, "name", place), _CLASSES, place)
        difficult = files.parse_flag(element.findtext("difficult"), "<difficult>", place)
        objects.append(ObjectRecord(place, numbers, label, difficult))
    return objects
