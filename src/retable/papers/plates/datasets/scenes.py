"""Real scenes with boxes of number plates, from a manifest or as labelling tools write them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from retable.data.splits import block_split
from retable.detection import annotation_files as files
from retable.detection.dataset import DetectionDataset, ImageRecord, ObjectRecord
from retable.detection.layouts import check_endings, find_layout, layout_splits, whole_layout
from retable.detection.upright_formats import FORMATS
from retable.errors import ConfigError, DataError
from retable.papers.plates.datasets.manifest import MANIFEST, ManifestRow, country_of, read_manifest
from retable.papers.plates.datasets.schema import PlateFilesConfig

_NAME = "plates"
_SHARES = {"train": 3.0, "val": 1.0}  # of files that are not split


@dataclass(frozen=True)
class PlateRecord:
    """What is known of a plate in a real scene: country code, lines (0: unknown) and text ("": unknown)."""

    country: str
    lines: int = 0
    text: str = ""


class PlateFiles(DetectionDataset):
    """A split of real scenes with the boxes of number plates.

    A manifest is ``root/manifest.csv`` (see `retable.papers.plates.datasets.manifest`), of which the scenes count. The
    other formats have folders or lists of the splits as `retable.detection.layouts` finds them, or one folder with all
    images. Where there are no splits, scenes are split by `retable.data.splits.block_split`: in each source, country
    and layout a quarter is ``val``, in runs of the files' order.

    Raises:
        DataError: A folder, list, image, row or annotation is missing or wrong.
    """

    def __init__(self, config: PlateFilesConfig, root: str | Path, split: str = "train") -> None:
        self._country = "" if config.country is None else country_of(config.country, "data.files.country")
        checked = files.checked_root(root, _NAME, _splits, [split, *files.SPLITS])
        if config.format == "manifest":
            found = _from_manifest(checked, split, self._country)
        else:
            found = _from_annotations(checked, split, config, self._country)
        self._plates = found.plates
        super().__init__(
            config,
            name=_NAME,
            split=split,
            classes=["plate"],
            records=found.records,
            to_boxes=found.to_boxes,
            box_numbers=4,
            normalised=found.normalised,
            lists=found.lists,
            settings=[config.format],
            notes=found.notes,
        )

    @staticmethod
    def splits(root: str | Path, names: Sequence[str] = files.SPLITS) -> list[str]:
        """Returns which of some splits there are, sorted.

        Raises:
            DataError: The root is missing or empty, or the dataset lies above or below it.
        """
        return _splits(files.checked_root(root, _NAME, _splits, names), names)

    def plates(self, index: int) -> list[PlateRecord]:
        """Returns what is known of the plates of a scene, in the file's order."""
        return list(self._plates[self.image_ids[index]])

    def country(self, index: int) -> str:
        """Returns the code of the country of a scene's plates, "" where it is unknown or there are none."""
        return next((plate.country for plate in self.plates(index)), "")


@dataclass(frozen=True)
class _Found:
    """What `PlateFiles` hands to `DetectionDataset`."""

    records: list[ImageRecord]
    plates: dict[str, list[PlateRecord]]
    to_boxes: Callable[[Tensor], Tensor]
    normalised: bool
    lists: dict[str, Path]
    notes: list[str]


def _splits(root: Path, names: Sequence[str]) -> list[str]:
    if (root / MANIFEST).is_file():
        told = {row.split for row in read_manifest(root) if row.is_scene} - {""}
    else:
        told = set(layout_splits(root, names))
        if not told and whole_layout(root) is None:
            return []
    return sorted(set(names) & (told or set(_SHARES)))


def _from_manifest(root: Path, split: str, country: str) -> _Found:
    rows: dict[str, list[ManifestRow]] = {}
    for row in read_manifest(root):
        if row.is_scene:
            rows.setdefault(row.name, []).append(row)
    if not rows:
        raise DataError(f"{root / MANIFEST}: the list has no scenes, only crops; data=plate_crops reads these")
    ordered = [rows[name] for name in sorted(rows)]
    if any(row.split for scene in ordered for row in scene):
        chosen = [scene for scene in ordered if any(row.split == split for row in scene)]
        notes = []
    else:
        groups = [(scene[0].source, scene[0].country, scene[0].lines) for scene in ordered]
        chosen = [ordered[index] for index in _block(groups, split)]
        notes = [_block_note(split, len(chosen), len(ordered))]
    records, plates = [], {}
    for scene in chosen:
        shown = [row for row in scene if row.box is not None]
        image_id = scene[0].name
        objects = [ObjectRecord(row.place, row.box or (), 0, False) for row in shown]
        records.append(ImageRecord(image_id, scene[0].path, root / MANIFEST, objects))
        plates[image_id] = [PlateRecord(row.country or country, row.lines, row.text) for row in shown]
    return _Found(records, plates, _from_corner, False, {MANIFEST: root / MANIFEST}, notes)


def _from_annotations(root: Path, split: str, config: PlateFilesConfig, country: str) -> _Found:
    own = FORMATS[config.format]
    whole = None if layout_splits(root, [split, *files.SPLITS]) else whole_layout(root)
    layout = whole or find_layout(root, split, _NAME)
    check_endings(layout.labels, config.format, {key: form.suffix for key, form in FORMATS.items()})
    matched = files.match_files(_NAME, layout.list_path, layout.images, layout.labels, own.suffix)
    notes, listed = list(matched.notes), matched.files
    if whole is not None:
        listed = [listed[index] for index in _block([str(image.parent) for _, image, _ in listed], split)]
        notes.append(_block_note(split, len(listed), len(matched.files)))
    records, names = [], Counter[str]()
    for image_id, image, annotation in listed:
        objects = own.read(annotation)
        names.update(name for name, _ in objects)
        kept = [item for name, item in objects if config.plate_class in (None, name)]
        records.append(ImageRecord(image_id, image, annotation, kept))
    if config.plate_class is None and len(names) > 1:
        raise DataError(
            f"{layout.labels}: the annotations have several classes, {', '.join(sorted(names))}; say which of them is "
            "the plate, data.files.plate_class=NAME"
        )
    if config.plate_class is not None:
        if config.plate_class not in names:
            raise ConfigError(
                f"data.files.plate_class={config.plate_class}: there is no such class; there are "
                f"{', '.join(sorted(names)) or 'none'}"
            )
        left = sum(names.values()) - names[config.plate_class]
        notes += [f"{left} objects of other classes are left out"] if left else []
    plates = {record.image_id: [PlateRecord(country)] * len(record.objects) for record in records}
    lists = {} if layout.list_path is None else {f"{split}.txt": layout.list_path}
    return _Found(records, plates, own.to_boxes, own.normalised, lists, notes)


def _block(groups: Sequence[Hashable], split: str) -> list[int]:
    parts = block_split(groups, _SHARES)
    if split not in parts:
        raise DataError(f"{_NAME}: files without splits have only {', '.join(parts)}; there is no split {split!r}")
    return parts[split]


def _block_note(split: str, count: int, total: int) -> str:
    return f"the files have no splits: {split} is {count} of {total}, in runs of their order"


def _from_corner(numbers: Tensor) -> Tensor:
    """Turns x, y, width, height into x1, y1, x2, y2."""
    return torch.cat([numbers[:, :2], numbers[:, :2] + numbers[:, 2:]], dim=1)
