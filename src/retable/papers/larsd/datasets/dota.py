"""DOTA text: own images with rotated boxes, one object a line as four corners, a class and `difficult`.

    imagesource:GoogleEarth          (optional)
    gsd:0.5                          (optional)
    x1 y1 x2 y2 x3 y3 x4 y4 class difficult

G.-S. Xia et al., "DOTA: A Large-scale Dataset for Object Detection in Aerial Images", CVPR 2018.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from retable.boxes import corners_to_box
from retable.data import list_files
from retable.detection import annotation_files as files
from retable.detection.dataset import DetectionDataset, ImageRecord, ObjectRecord
from retable.errors import DataError
from retable.papers.larsd.schema import DotaTextConfig

_HEADERS = ("imagesource:", "gsd:", "acquisition dates:")  # what DOTA's own tools write before the objects
_IMAGES = ("images", "JPEGImages", "AllImages")
_LABELS = ("labelTxt", "labels", "annfiles", "labelTxt-v1.0", "labelTxt-v1.5")


class DotaText(DetectionDataset):
    """A split of a dataset with DOTA text annotations.

    Splits are folders, `root/<split>/images` and `root/<split>/labelTxt`, also `root/images/<split>` and
    `root/labelTxt/<split>`; or lists, `root/<split>.txt` (or `root/ImageSets/<split>.txt`) over `root/images` and
    `root/labelTxt`. `labels` and `annfiles` are understood for `labelTxt`. Images may be PNG, JPEG, BMP or TIFF. In
    folders, each image must have an annotation and each annotation an image; an image without objects has an empty
    file.

    Quadrilaterals that are not rectangles become the rectangle of minimum area around their corners.

    Args:
        split: "train", "val", "test", or any other name of a folder or list.

    Raises:
        DataError: A folder, list, image or annotation is missing or wrong.
    """

    def __init__(self, config: DotaTextConfig, root: str | Path, split: str = "train") -> None:
        name = config.name
        layout = _find_layout(files.checked_root(root, name), split, name)
        if layout.list_path is None:
            image_ids = list(files.files_by_stem(list_files(layout.images), layout.images))
            _check_orphans(name, image_ids, layout)
        else:
            image_ids = files.read_image_list(layout.list_path)
        ignored: Counter[str] = Counter()
        others = ignored if config.ignore_other_classes else None
        found = files.match_files(name, image_ids, layout.list_path, layout.images, layout.labels, ".txt")
        records = [
            ImageRecord(image_id, image, annotation, _objects(annotation, config.classes, others))
            for image_id, image, annotation in found
        ]
        counts = ", ".join(f"{count} {other}" for other, count in sorted(ignored.items()))
        super().__init__(
            config,
            name=name,
            split=split,
            classes=config.classes,
            records=records,
            to_boxes=lambda numbers: corners_to_box(numbers.reshape(-1, 4, 2)),
            box_numbers=8,
            lists={} if layout.list_path is None else {f"{split}.txt": layout.list_path},
            settings=[f"ignore_other_classes {config.ignore_other_classes}"],
            notes=[f"objects of other classes are left out: {counts}"] if ignored else [],
        )

    @staticmethod
    def splits(root: str | Path) -> list[str]:
        """Returns the names of the splits among "train", "val", "trainval" and "test" that there are, sorted.

        Raises:
            DataError: The root is missing or empty.
        """
        return _found_splits(files.checked_root(root, DotaTextConfig.name))


@dataclass(frozen=True)
class _Layout:
    images: Path
    labels: Path
    list_path: Path | None = None


def _layouts(root: Path, split: str) -> list[_Layout]:
    """Returns the layouts in which the split is present, the preferred first; label folders may still be missing."""
    found = []
    for images in (*(root / split / sub for sub in _IMAGES), *(root / sub / split for sub in _IMAGES)):
        if images.is_dir():
            in_split = images.parent.name == split
            places = [root / split / sub if in_split else root / sub / split for sub in _LABELS]
            found.append(_Layout(images, next((place for place in places if place.is_dir()), places[0])))
    for folder in (root, root / "ImageSets", root / "ImageSets" / "Main"):
        list_path = folder / f"{split}.txt"
        if list_path.is_file():
            images = next((root / sub for sub in _IMAGES if (root / sub).is_dir()), root / _IMAGES[0])
            labels = next((root / sub for sub in _LABELS if (root / sub).is_dir()), root / _LABELS[0])
            found.append(_Layout(images, labels, list_path))
    return found


def _found_splits(root: Path) -> list[str]:
    return [split for split in ("test", "train", "trainval", "val") if _layouts(root, split)]


def _find_layout(root: Path, split: str, name: str) -> _Layout:
    layouts = _layouts(root, split)
    if not layouts:
        found = ", ".join(_found_splits(root)) or "none"
        raise DataError(
            f"{name}: no split {split!r} in {root}: neither the folder {split}/images nor the list {split}.txt; "
            f"found {found}"
        )
    layout = layouts[0]
    files.first_folder(name, "images", [layout.images])
    files.first_folder(name, "annotations", [layout.labels])
    return layout


def _check_orphans(name: str, image_ids: Sequence[str], layout: _Layout) -> None:
    """Raises for annotations without image, where the folders themselves are the split."""
    known = set(image_ids)
    orphans = sorted(
        path.name
        for path in layout.labels.iterdir()
        if path.suffix.lower() == ".txt" and files.stem_of(path) not in known
    )
    if orphans:
        raise DataError(
            f"{name}: {len(orphans)} annotations in {layout.labels} have no image in {layout.images}, "
            f"first {orphans[0]}; add the image or delete the annotation"
        )


def _objects(path: Path, classes: Sequence[str], ignored: Counter[str] | None) -> list[ObjectRecord]:
    objects = []
    for number, line in enumerate(files.read_text(path).splitlines(), 1):
        place = f"{path}:{number}"
        fields = line.split()
        if not fields or line.strip().lower().startswith(_HEADERS):
            continue
        if len(fields) not in (9, 10):
            raise DataError(
                f"{place}: {len(fields)} fields, expected x1 y1 x2 y2 x3 y3 x4 y4 class difficult, separated by blanks"
            )
        numbers = [files.parse_number(text, f"coordinate {i}", place) for i, text in enumerate(fields[:8], 1)]
        if ignored is not None and fields[8] not in classes:
            ignored[fields[8]] += 1
            continue
        # DOTA's own tiling tool writes 2 for objects that a tile's border cuts; for a metric they are difficult
        flag = "1" if fields[9:] == ["2"] else "".join(fields[9:])
        label = files.class_index(fields[8], classes, place)
        objects.append(ObjectRecord(place, numbers, label, files.parse_flag(flag, "difficult", place)))
    return objects
