"""HRSC2016 [9]: ships in optical images, as published: XML annotations, BMP images, image lists.

Z. Liu, L. Yuan, L. Weng, Y. Yang, "A High Resolution Optical Satellite Image Dataset for Ship Recognition and
Some New Baselines", ICPRAM 2017. The paper trains on `trainval` (617 images) and tests on `test`.
"""

from pathlib import Path
from xml.etree.ElementTree import Element

from retable.boxes import canonical
from retable.detection import annotation_files as files
from retable.detection.dataset import DetectionDataset, ImageRecord, ObjectRecord
from retable.papers.larsd.datasets.hrsc2016_classes import BUILT_IN_CLASSES, ClassLevel, read_class_tree
from retable.papers.larsd.schema import Hrsc2016Config

_NAME = "HRSC2016"
_BOX_TAGS = ("mbox_cx", "mbox_cy", "mbox_w", "mbox_h", "mbox_ang")


class Hrsc2016(DetectionDataset):
    """A split of HRSC2016.

    Folders may lie as in the published archive (`FullDataSet/Annotations`, `FullDataSet/AllImages`, `ImageSets`; also
    `Train/` and `Test/` of its older form) or directly under the root, with images in `AllImages`, `JPEGImages` or
    `images` in any image format.

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
        folder = files.checked_root(root, _NAME)
        image_ids, lists = _split_images(folder, split)
        bases = _bases(folder, split)
        images, annotations = (
            files.first_folder(_NAME, what, [base / name for base in bases for name in names])
            for what, names in (
                ("images", ("AllImages", "JPEGImages", "images", "Images")),
                ("annotations", ("Annotations", "annotations")),
            )
        )
        tree_path = next((base / "sysdata.xml" for base in bases if (base / "sysdata.xml").is_file()), None)
        # level 1 needs the tree only to tell unknown classes from known ones
        levels = ClassLevel(BUILT_IN_CLASSES if tree_path is None else read_class_tree(tree_path), config.level)
        source = next(iter(lists.values()))
        records, unannotated = [], []
        for image_id, image, annotation in files.match_files(_NAME, image_ids, source, images, annotations, ".xml"):
            root_element = files.parse_xml(annotation, "HRSC_Image")
            objects = _objects(root_element, annotation, levels)
            if (root_element.findtext("Annotated") or "1").strip() == "0" and not objects:
                unannotated.append(image_id)
                continue
            size = files.xml_size(root_element, "Img_SizeHeight", "Img_SizeWidth")
            records.append(ImageRecord(image_id, image, annotation, objects, size))
        notes = []
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
            to_boxes=canonical,
            box_numbers=len(_BOX_TAGS),
            lists=lists if tree_path is None else {**lists, "sysdata.xml": tree_path},
            settings=[f"level {config.level}"],
            notes=notes,
        )

    @staticmethod
    def splits(root: str | Path) -> list[str]:
        """Returns the names of the splits that have a list, sorted.

        Raises:
            DataError: The root is missing or empty.
        """
        return files.listed_splits(_list_places(files.checked_root(root, _NAME)))


def _list_places(root: Path) -> list[Path]:
    tops = [root / "ImageSets", root / "ImageSets" / "Main", root / "FullDataSet" / "ImageSets"]
    return [*tops, root / "Train", root / "Test"]


def _bases(root: Path, split: str) -> list[Path]:
    return [root / "FullDataSet", root, root / ("Test" if split == "test" else "Train")]


def _split_images(root: Path, split: str) -> tuple[list[str], dict[str, Path]]:
    """Returns the split's image names and the lists they come from."""
    places = _list_places(root)
    joined = split == "trainval" and split not in files.listed_splits(places)
    lists = {f"{name}.txt": files.find_list(_NAME, places, name) for name in (("train", "val") if joined else (split,))}
    image_ids = list(dict.fromkeys(image_id for path in lists.values() for image_id in files.read_image_list(path)))
    return image_ids, lists


def _objects(root: Element, path: Path, levels: ClassLevel) -> list[ObjectRecord]:
    objects = []
    for number, element in enumerate(root.findall("HRSC_Objects/HRSC_Object"), 1):
        place = f"{path}, object {number}"
        numbers = [files.xml_number(element, tag, place) for tag in _BOX_TAGS]
        label = levels.label(files.xml_text(element, "Class_ID", place), place)
        difficult = files.parse_flag(element.findtext("difficult"), "<difficult>", place)
        objects.append(ObjectRecord(place, numbers, label, difficult))
    return objects
