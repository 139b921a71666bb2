"""Own images with rotated boxes, as DOTA text, one object a line, or in another format of `own_formats`.

    imagesource:GoogleEarth          (optional)
    gsd:0.5                          (optional)
    x1 y1 x2 y2 x3 y3 x4 y4 class difficult

G.-S. Xia et al., "DOTA: A Large-scale Dataset for Object Detection in Aerial Images", CVPR 2018.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from retable.data.listing import list_files
from retable.detection import annotation_files as files
from retable.detection.dataset import DetectionDataset, ImageRecord
from retable.errors import DataError
from retable.papers.larsd.datasets.own_formats import FORMATS
from retable.papers.larsd.schema import DotaTextConfig

_IMAGES = ("images", "JPEGImages", "AllImages")
# DOTA's archives unpack to labelTxt-v1.0/labelTxt, beside which lie upright boxes under the same names
_LABELS = tuple(
    f"{name}{inner}"
    for name in ("labelTxt", "labels", "annfiles", "labelTxt-v1.0", "labelTxt-v1.5", "Annotations")
    for inner in (("/labelTxt", "") if "-" in name else ("",))
)


class DotaText(DetectionDataset):
    """A split of own images, or of a dataset with DOTA text annotations.

    Splits are folders, `root/<split>/images` and `root/<split>/labelTxt`, also `root/images/<split>` and
    `root/labelTxt/<split>`; or lists, `root/<split>.txt` (or `root/ImageSets/<split>.txt`) over `root/images` and
    `root/labelTxt`. `labels`, `annfiles` and others are understood for `labelTxt`, `valid` for `val`; letter case does
    not matter, and images may lie in subfolders. In folders, each image must have an annotation and each annotation an
    image; an image without objects has an empty file.

    Quadrilaterals that are not rectangles become the rectangle of minimum area around their corners.

    Args:
        split: "train", "val", "test", or any other name of a folder or list.

    Raises:
        DataError: A folder, list, image or annotation is missing or wrong.
    """

    def __init__(self, config: DotaTextConfig, root: str | Path, split: str = "train") -> None:
        name, own = config.name, FORMATS[config.format]
        layout = _find_layout(files.checked_root(root, name, _splits, [split, *files.SPLITS]), split, name)
        _check_endings(layout.labels, config.format)
        ignored: Counter[str] = Counter()
        others = ignored if config.ignore_other_classes else None
        matched = files.match_files(name, layout.list_path, layout.images, layout.labels, own.suffix)
        records = [
            ImageRecord(image_id, image, annotation, own.read(annotation, config.classes, others))
            for image_id, image, annotation in matched.files
        ]
        factors = [1.0] * own.box_numbers
        if own.box_numbers == 5:
            angles = [(item.numbers[4], item.place) for record in records for item in record.objects]
            factors[4] = files.angle_factor(angles, "radians", config.angle)
        counts = ", ".join(f"{count} {other}" for other, count in sorted(ignored.items()))
        super().__init__(
            config,
            name=name,
            split=split,
            classes=config.classes,
            records=records,
            to_boxes=lambda numbers: own.to_boxes(numbers * numbers.new_tensor(factors)),
            box_numbers=own.box_numbers,
            normalised=own.normalised,
            lists={} if layout.list_path is None else {f"{split}.txt": layout.list_path},
            settings=[
                f"ignore_other_classes {config.ignore_other_classes}",
                *(
                    []
                    if config.format == "dota"
                    else [config.format, *(["angles in degrees"] if factors[-1] != 1 else [])]
                ),
            ],
            notes=[*matched.notes, *([f"objects of other classes are left out: {counts}"] if ignored else [])],
        )

    @staticmethod
    def splits(root: str | Path, names: Sequence[str] = files.SPLITS) -> list[str]:
        """Returns which of some splits there are with annotations, sorted.

        Raises:
            DataError: The root is missing or empty, or the dataset lies above or below it.
        """
        return _splits(files.checked_root(root, DotaTextConfig.name, _splits, names), names)


@dataclass(frozen=True)
class _Layout:
    images: Path
    labels: Path
    list_path: Path | None = None


def _layouts(root: Path, split: str) -> list[_Layout]:
    """Returns the layouts in which the split is present, the preferred first; folders may still be missing."""
    found = []
    for name in files.split_names(split):
        if (place := files.first_below(root, [name])) and (images := files.first_below(place, _IMAGES)):
            found.append(_Layout(images, files.first_below(place, _LABELS) or place / _LABELS[0]))
        if images := files.first_below(root, [f"{sub}/{name}" for sub in _IMAGES]):
            labels = [f"{sub}/{name}" for sub in _LABELS]
            found.append(_Layout(images, files.first_below(root, labels) or root / labels[0]))
    lists = [files.below(root, name) for name in ("ImageSets", "ImageSets/Main")]
    if list_path := files.list_of([root, *filter(None, lists)], split):
        images, labels_found = (files.first_below(root, names) or root / names[0] for names in (_IMAGES, _LABELS))
        found.append(_Layout(images, labels_found, list_path))
    return found


def _splits(root: Path, names: Sequence[str]) -> list[str]:
    return sorted({name for name in names if any(layout.labels.is_dir() for layout in _layouts(root, name)[:1])})


def _find_layout(root: Path, split: str, name: str) -> _Layout:
    layouts = _layouts(root, split)
    if not layouts:
        found = ", ".join(_splits(root, files.SPLITS)) or "none"
        raise DataError(
            f"{name}: no split {split!r} in {root}: neither the folder {split}/images nor the list {split}.txt; "
            f"found {found}"
        )
    for what, folder, names in (("images", layouts[0].images, _IMAGES), ("annotations", layouts[0].labels, _LABELS)):
        if not folder.is_dir():
            raise DataError(f"{name}: no folder with {what}, such as {folder}; it may be called {', '.join(names)}")
    return layouts[0]


def _check_endings(labels: Path, form: str) -> None:
    """Raises where a folder holds annotations, but none of this format."""
    found = {path.suffix.lower() for path in list_files(labels, (".txt", ".xml")).files.values()}
    if found and FORMATS[form].suffix not in found:
        others = " or ".join(f"data.files.format={key}" for key, own in FORMATS.items() if own.suffix in found)
        raise DataError(
            f"{labels}: the annotations are {', '.join(found)} files, data.files.format={form} reads "
            f"{FORMATS[form].suffix}; give {others}"
        )
