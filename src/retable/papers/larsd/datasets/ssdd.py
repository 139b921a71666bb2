"""RBox-SSDD [8]: ships in SAR images with rotated boxes, in VOC layout with `rotated_bndbox`.

T. Zhang et al., "SAR Ship Detection Dataset (SSDD): Official Release and Comprehensive Data Analysis", Remote
Sensing 2021.
"""

from collections.abc import Sequence
from pathlib import Path
from xml.etree.ElementTree import Element

from retable.boxes import opencv_to_box
from retable.detection import annotation_files as files
from retable.detection.dataset import DetectionDataset, ImageRecord, ObjectRecord
from retable.errors import DataError
from retable.papers.larsd.schema import AngledFilesConfig

_NAME = "RBox-SSDD"
_CLASSES = ("ship",)
_BOX_TAGS = tuple(f"rotated_bbox_{key}" for key in ("cx", "cy", "w", "h", "theta"))


class Ssdd(DetectionDataset):
    """A split of RBox-SSDD.

    Layout: `Annotations/*.xml`, `JPEGImages/*`, `ImageSets/Main/<split>.txt` (or `ImageSets/<split>.txt`), directly
    under the root or in its folder `voc_style` or `RBox_SSDD/voc_style`. Where the official release has separate
    folders of a split (`JPEGImages_test`, `Annotations_test`), these serve a missing common one. Boxes come from the
    centre, size and angle, which are OpenCV's, in degrees, with rounded centre and size; the rounded corners x1 to y4
    that stand beside them differ by up to 1.51 pixels and are not used.

    Args:
        split: A list's name: "train", "val", "test".

    Raises:
        DataError: A folder, list, image or annotation is missing or wrong.
    """

    def __init__(self, config: AngledFilesConfig, root: str | Path, split: str = "train") -> None:
        folder = _base(files.checked_root(root, _NAME, _splits, [split, *files.SPLITS]))
        list_path = files.find_list(_NAME, _list_places(folder), split)
        images, annotations = (
            files.first_folder(_NAME, what, [folder], [name for base in names for name in (base, f"{base}_{split}")])
            for what, names in (("images", ("JPEGImages", "images")), ("annotations", ("Annotations",)))
        )
        records, unread = [], {}
        for image_id, image, annotation in files.match_files(_NAME, list_path, images, annotations, ".xml").files:
            element = files.parse_xml(annotation, "annotation")
            objects = element.findall("object")
            unread[annotation] = files.unread_objects(element, objects, ("rotated_bndbox",))
            size = files.xml_size(element, "size/height", "size/width")
            records.append(ImageRecord(image_id, image, annotation, _records(objects, annotation), size))
        angles = [(item.numbers[4], item.place) for record in records for item in record.objects]
        factor = files.angle_factor(angles, "degrees", config.angle)
        super().__init__(
            config,
            name=_NAME,
            split=split,
            classes=_CLASSES,
            records=records,
            to_boxes=lambda numbers: opencv_to_box(numbers * numbers.new_tensor([1, 1, 1, 1, factor])),
            box_numbers=len(_BOX_TAGS),
            lists={f"{split}.txt": list_path},
            settings=[] if factor == 1 else ["angles in radians"],
            notes=files.unread_notes(unread, "object", bool(angles)),
        )

    @staticmethod
    def splits(root: str | Path, names: Sequence[str] = files.SPLITS) -> list[str]:
        """Returns which of some splits have a list, sorted.

        Raises:
            DataError: The root is missing or empty, or the dataset lies above or below it.
        """
        return _splits(files.checked_root(root, _NAME, _splits, names), names)


def _splits(root: Path, names: Sequence[str]) -> list[str]:
    places = _list_places(_base(root))
    return sorted({name for name in names if files.list_of(places, name) is not None})


def _base(root: Path) -> Path:
    return files.first_below(root, ("voc_style", "RBox_SSDD/voc_style")) or root


def _list_places(folder: Path) -> list[Path]:
    return [files.below(folder, name) or folder / name for name in ("ImageSets/Main", "ImageSets")]


def _records(elements: Sequence[Element], path: Path) -> list[ObjectRecord]:
    objects = []
    for number, element in enumerate(elements, 1):
        place = f"{path}, object {number}"
        box = element.find("rotated_bndbox")
        if box is None:
            found = "a file of roLabelImg: data=dota data.files.format=rolabelimg reads such"
            if element.find("robndbox") is None:
                found = "not a file of RBox-SSDD (BBox-SSDD has upright boxes only)"
            raise DataError(f"{place}: no <rotated_bndbox>; this is {found}")
        numbers = [files.xml_number(box, tag, place) for tag in _BOX_TAGS]
        label = files.class_index(files.xml_text(element, "name", place), _CLASSES, place)
        difficult = files.parse_flag(element.findtext("difficult"), "<difficult>", place)
        objects.append(ObjectRecord(place, numbers, label, difficult))
    return objects
