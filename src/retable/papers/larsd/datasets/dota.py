"""Own images with rotated boxes, as DOTA text, one object a line, or in another format of `own_formats`.

    imagesource:GoogleEarth          (optional)
    gsd:0.5                          (optional)
    x1 y1 x2 y2 x3 y3 x4 y4 class difficult

G.-S. Xia et al., "DOTA: A Large-scale Dataset for Object Detection in Aerial Images", CVPR 2018.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from retable.detection import annotation_files as files
from retable.detection.dataset import DetectionDataset, ImageRecord
from retable.detection.layouts import check_endings, find_layout, layout_splits
from retable.detection.own_formats import FORMATS
from retable.papers.larsd.schema import DotaTextConfig


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
        layout = find_layout(files.checked_root(root, name, layout_splits, [split, *files.SPLITS]), split, name)
        check_endings(layout.labels, config.format, {key: form.suffix for key, form in FORMATS.items()})
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
        return layout_splits(files.checked_root(root, DotaTextConfig.name, layout_splits, names), names)
