"""HRSC2016 [9]: ships in optical images, as published: XML annotations, BMP images, image lists.

Z. Liu, L. Yuan, L. Weng, Y. Yang, "A High Resolution Optical Satellite Image Dataset for Ship Recognition and
Some New Baselines", ICPRAM 2017. The paper trains on `trainval` (617 images) and tests on `test`.
"""

from collections.abc import Sequence
from pathlib import Path
from xml.etree.ElementTree import Element

from retable.boxes import canonical
from retable.detection import annotation_files as files
from retable.detection.dataset import DetectionDataset, ImageRecord, ObjectRecord
from retable.papers.larsd.datasets.hrsc2016_classes import BUILT_IN_CLASSES, ClassLevel, read_class_tree
from retable.papers.larsd.schema import Hrsc2016Config

_NAME = "HRSC2016"
_BOX_TAGS = ("mbox_cx", "mbox_cy", "mbox_w", "mbox_h", "mbox_ang")
_WITHOUT_LISTS = {"trainval": "Train", "train": "Train", "test": "Test"}


class Hrsc2016(DetectionDataset):
    """A split of HRSC2016.

    Folders may lie as in the published archive (`FullDataSet/Annotations`, `FullDataSet/AllImages`, `ImageSets`; also
    `Train/` and `Test/` of its older form) or directly under the root, with images in `AllImages`, `JPEGImages` or
    `images` in any image format. Where there are no lists, `Train/` is "trainval" and `Test/` is "test".

    A file without objects is an image without ships. A file with `<Annotated>0</Annotated>` says that nobody looked for
    ships (nine images of the published test list): such an image can be neither trained nor tested on and is left out,
    which the log and the provenance tell. That leaves the 444 test images the dataset's authors count.

    Class names come from `sysdata.xml`, or, at a copy without it, from a built-in table. Boxes are (`mbox_cx`,
    `mbox_cy`, `mbox_w`, `mbox_h`) in pixels with the angle `mbox_ang` in radians, clockwise on the screen.

    Args:
        split: "train", "val", "trainval" or "test"; any list in ImageSets. "trainval" is joined from train and val
            where it has no list.

    Raises:
        DataError: A folder, list, image or annotation is missing or wrong.
    """

    def __init__(self, config: Hrsc2016Config, root: str | Path, split: str = "trainval") -> None:
        folder = files.checked_root(root, _NAME, _splits, [split, *files.SPLITS])
        image_ids, lists = _split_images(folder, split)
        bases = _bases(folder, split) if lists else [files.below(folder, _WITHOUT_LISTS[split]) or folder]
        images, annotations = (
            files.first_folder(_NAME, what, bases, names)
            for what, names in (("images", ("AllImages", "JPEGImages", "images")), ("annotations", ("Annotations",)))
        )
        tree_path = next((base / "sysdata.xml" for base in bases if (base / "sysdata.xml").is_file()), None)
        # level 1 needs the tree only to tell unknown classes from known ones
        levels = ClassLevel(BUILT_IN_CLASSES if tree_path is None else read_class_tree(tree_path), config.level)
        source = next(iter(lists.values()), None)
        matched = files.match_files(_NAME, source, images, annotations, ".xml", image_ids)
        records, unannotated, unread = [], [], {}
        for image_id, image, annotation in matched.files:
            root_element = files.parse_xml(annotation, "HRSC_Image")
            elements = root_element.findall("HRSC_Objects/HRSC_Object")
            unread[annotation] = files.unread_objects(root_element, elements, _BOX_TAGS)
            if (root_element.findtext("Annotated") or "1").strip() == "0" and not elements:
                unannotated.append(image_id)
                continue
            size = files.xml_size(root_element, "Img_SizeHeight", "Img_SizeWidth")
            records.append(ImageRecord(image_id, image, annotation, _objects(elements, annotation, levels), size))
        angles = [(item.numbers[4], item.place) for record in records for item in record.objects]
        factor = files.angle_factor(angles, "radians", config.angle)
        notes = [*matched.notes, *files.unread_notes(unread, "HRSC_Object", bool(angles))]
        if unannotated:
            notes.append(f"{len(unannotated)} images marked as not annotated are left out: {', '.join(unannotated)}")
        if tree_path is None and config.level > 1:
            notes.append("no sysdata.xml: class names and categories are those of the built-in table")
        super().__init__(
            config,
            name=_NAME,
            split=split,
            classes=levels.classes,
            records=records,
            to_boxes=lambda numbers: canonical(numbers * numbers.new_tensor([1, 1, 1, 1, factor])),
            box_numbers=len(_BOX_TAGS),
            lists=lists if tree_path is None else {**lists, "sysdata.xml": tree_path},
            settings=[f"level {config.level}", *([] if factor == 1 else ["angles in degrees"])],
            notes=notes,
        )

    @staticmethod
    def splits(root: str | Path, names: Sequence[str] = files.SPLITS) -> list[str]:
        """Returns which of some splits there are, sorted; "trainval" may be joined of others.

        Raises:
            DataError: The root is missing or empty, or the dataset lies above or below it.
        """
        return _splits(files.checked_root(root, _NAME, _splits, names), names)


def _splits(root: Path, names: Sequence[str]) -> list[str]:
    places = _list_places(root)
    if _has_lists(places, names):
        return sorted({name for name in names if files.list_of(places, name) is not None})
    found = [name for name, folder in _WITHOUT_LISTS.items() if files.first_below(root, [f"{folder}/Annotations"])]
    return sorted(set(names) & set(found))


def _list_places(root: Path) -> list[Path]:
    names = ("ImageSets", "ImageSets/Main", "FullDataSet/ImageSets", "Train", "Test")
    return [files.below(root, name) or root / name for name in names]


def _has_lists(places: Sequence[Path], names: Sequence[str]) -> bool:
    return any(files.list_of(places, name) is not None for name in (*names, *files.SPLITS))


def _bases(root: Path, split: str) -> list[Path]:
    names = ("FullDataSet", "", "Test" if split == "test" else "Train")
    return [path for name in names if (path := files.below(root, name) if name else root) is not None]


def _split_images(root: Path, split: str) -> tuple[list[str] | None, dict[str, Path]]:
    """Returns the split's image names and the lists they come from; None and none where the folders are the splits."""
    places = _list_places(root)
    if split in _WITHOUT_LISTS and not _has_lists(places, [split]):
        return None, {}
    joined = split == "trainval" and files.list_of(places, split) is None
    lists = {f"{name}.txt": files.find_list(_NAME, places, name) for name in (("train", "val") if joined else (split,))}
    image_ids = list(dict.fromkeys(image_id for path in lists.values() for image_id in files.read_image_list(path)))
    return image_ids, lists


def _objects(elements: Sequence[Element], path: Path, levels: ClassLevel) -> list[ObjectRecord]:
    objects = []
    for number, element in enumerate(elements, 1):
        place = f"{path}, object {number}"
        numbers = [files.xml_number(element, tag, place) for tag in _BOX_TAGS]
        label = levels.label(files.xml_text(element, "Class_ID", place), place)
        difficult = files.parse_flag(element.findtext("difficult"), "<difficult>", place)
        objects.append(ObjectRecord(place, numbers, label, difficult))
    return objects
