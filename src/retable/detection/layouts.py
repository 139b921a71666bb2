"""Where images and annotations of own datasets lie: folders of a split, lists of its images, or one folder of all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from retable.data.listing import list_files
from retable.detection import annotation_files as files
from retable.errors import DataError

_IMAGES = ("images", "JPEGImages", "AllImages")
# DOTA's archives unpack to labelTxt-v1.0/labelTxt, beside which lie upright boxes under the same names
_LABELS = tuple(
    f"{name}{inner}"
    for name in ("labelTxt", "labels", "annfiles", "labelTxt-v1.0", "labelTxt-v1.5", "Annotations")
    for inner in (("/labelTxt", "") if "-" in name else ("",))
)


@dataclass(frozen=True)
class Layout:
    """The folders of a split, and the list of its images where it has one."""

    images: Path
    labels: Path
    list_path: Path | None = None


def _layouts(root: Path, split: str) -> list[Layout]:
    """Returns the layouts in which the split is present, the preferred first; folders may still be missing."""
    found = []
    for name in files.split_names(split):
        if (place := files.first_below(root, [name])) and (images := files.first_below(place, _IMAGES)):
            found.append(Layout(images, files.first_below(place, _LABELS) or place / _LABELS[0]))
        if images := files.first_below(root, [f"{sub}/{name}" for sub in _IMAGES]):
            labels = [f"{sub}/{name}" for sub in _LABELS]
            found.append(Layout(images, files.first_below(root, labels) or root / labels[0]))
    lists = [files.below(root, name) for name in ("ImageSets", "ImageSets/Main")]
    if list_path := files.list_of([root, *filter(None, lists)], split):
        images, labels_found = (files.first_below(root, names) or root / names[0] for names in (_IMAGES, _LABELS))
        found.append(Layout(images, labels_found, list_path))
    return found


def layout_splits(root: Path, names: Sequence[str]) -> list[str]:
    """Returns which of some splits there are with annotations, sorted."""
    return sorted({name for name in names if any(layout.labels.is_dir() for layout in _layouts(root, name)[:1])})


def whole_layout(root: Path) -> Layout | None:
    """Returns the folders of a dataset without splits, None where there are none."""
    images, labels = files.first_below(root, _IMAGES), files.first_below(root, _LABELS)
    return Layout(images, labels) if images and labels else None


def find_layout(root: Path, split: str, name: str) -> Layout:
    """Returns the folders of a split of the dataset of this name.

    Raises:
        DataError: There are none. The message says which splits there are, or what the folders may be called.
    """
    layouts = _layouts(root, split)
    if not layouts:
        found = ", ".join(layout_splits(root, files.SPLITS)) or "none"
        raise DataError(
            f"{name}: no split {split!r} in {root}: neither the folder {split}/images nor the list {split}.txt; "
            f"found {found}"
        )
    for what, folder, names in (("images", layouts[0].images, _IMAGES), ("annotations", layouts[0].labels, _LABELS)):
        if not folder.is_dir():
            raise DataError(f"{name}: no folder with {what}, such as {folder}; it may be called {', '.join(names)}")
    return layouts[0]


def check_endings(labels: Path, form: str, suffixes: Mapping[str, str]) -> None:
    """Refuses a folder that holds annotations, but none of this format.

    Args:
        labels: The folder.
        form: Value of `data.files.format`.
        suffixes: Endings of the annotations by the values that there are.

    Raises:
        DataError: It does. The message says which formats they may be.
    """
    found = {path.suffix.lower() for path in list_files(labels, (".txt", ".xml")).files.values()}
    if found and suffixes[form] not in found:
        others = " or ".join(f"data.files.format={key}" for key, suffix in suffixes.items() if suffix in found)
        raise DataError(
            f"{labels}: the annotations are {', '.join(found)} files, data.files.format={form} reads "
            f"{suffixes[form]}; give {others}"
        )
