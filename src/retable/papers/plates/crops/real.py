"""Real crops: those of a manifest, plates cut out of its scenes, or a folder for each class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from retable.classification.subject import Image
from retable.data.images import read_shown_image
from retable.data.listing import list_files
from retable.detection.cutting import cut_box
from retable.errors import DataError
from retable.papers.plates.countries import class_parts, country_code
from retable.papers.plates.crops.fitting import fit_into
from retable.papers.plates.datasets.manifest import MANIFEST, ManifestRow, read_manifest


@dataclass(frozen=True)
class Crop:
    """A real plate.

    Attributes:
        path: File of the crop or of the scene.
        name: Its path below the dataset's folder, with slashes.
        class_name: Its class.
        place: File and line, or the file itself, for messages.
        source: Where it comes from, "" where it is not told.
        split: Its split, "" where it is not told.
        box: x, y, w, h of the plate in a scene, in pixels; None where the file is the crop.
    """

    path: Path
    name: str
    class_name: str
    place: str
    source: str = ""
    split: str = ""
    box: tuple[float, float, float, float] | None = None

    @property
    def origin(self) -> str:
        """Source and kind: crops of a collection and plates cut out of its scenes are of two cameras, or two hands."""
        return f"{self.source} {'crops' if self.box is None else 'scenes'}".strip()

    def read(self, width: int, height: int, fit: str, margin: float, smallest: int) -> Image:
        """Reads the plate in the shape that networks see.

        Args:
            width: Of the result, in pixels.
            height: Likewise.
            fit: As of `fit_into`.
            margin: What is cut out around a box, as a part of its sides.
            smallest: Pixels of the shorter side at least.

        Raises:
            DataError: The file cannot be used, or the plate is too small or outside of its scene.
        """
        image = read_shown_image(self.path)
        if self.box is not None:
            image = self._cut(image, margin)
        rows, columns = image.shape[:2]
        if min(rows, columns) < smallest:
            raise DataError(
                f"{self.place}: a plate of {columns} x {rows} pixels shows nothing; leave it out, or set "
                f"data.smallest={max(1, min(rows, columns))}"
            )
        return fit_into(image, width, height, fit)

    def _cut(self, image: Image, margin: float) -> Image:
        assert self.box is not None
        x, y, wide, high = self.box
        if not (wide > 0 and high > 0):
            raise DataError(f"{self.place}: the box has no area (width {wide:g}, height {high:g}); correct the row")
        rows, columns = image.shape[:2]
        if not (0 <= x + wide / 2 <= columns and 0 <= y + high / 2 <= rows):
            raise DataError(
                f"{self.place}: the box's centre ({x + wide / 2:g}, {y + high / 2:g}) lies outside the image of "
                f"{columns} x {rows} pixels; correct the row"
            )
        return cut_box(image, (x, y, x + wide, y + high), margin)


def list_crops(root: Path, classes: Sequence[str], ignore_others: bool) -> tuple[list[Crop], list[str]]:
    """Lists the plates of a folder: those of its manifest.csv where it has one, else of its class folders.

    Returns:
        The plates by name, and notes: what a reader of the numbers must know.

    Raises:
        DataError: There is none, or a class, file or row has a fault; the message names folder or line.
    """
    if not root.is_dir():
        raise DataError(f"data.root={root}: there is no such folder")
    crops, notes = _from_manifest(root) if (root / MANIFEST).is_file() else _from_folders(root)
    others = Counter(crop.class_name for crop in crops if crop.class_name not in classes)
    if others and not ignore_others:
        first = next(crop for crop in crops if crop.class_name not in classes)
        raise DataError(
            f"{first.place}: {first.class_name} is none of data.classes ({', '.join(classes)}); add it, or leave such "
            "plates out by data.ignore_other_classes=true"
        )
    if others:
        notes.append(f"plates of other classes are left out: {', '.join(f'{n} {name}' for name, n in others.items())}")
    kept = [crop for crop in crops if crop.class_name in classes]
    if not kept:
        raise DataError(
            f"data.root={root}: no plates; put images into folders named as the classes are, or write {MANIFEST}"
        )
    return sorted(kept, key=lambda crop: (crop.name, crop.place)), notes


def _from_manifest(root: Path) -> tuple[list[Crop], list[str]]:
    rows = read_manifest(root)
    told = [row for row in rows if row.country and row.lines and (row.box is not None or not row.is_scene)]
    missing = len(rows) - len(told)
    notes = [f"{missing} rows tell no country, no lines or no plate, and were left out"] if missing else []
    return [_crop(row) for row in told], notes


def _crop(row: ManifestRow) -> Crop:
    return Crop(row.path, row.name, f"{row.country}_{row.lines}", row.place, row.source, row.split, row.box)


def _from_folders(root: Path) -> tuple[list[Crop], list[str]]:
    listing = list_files(root)
    crops, outside = [], []
    for name, path in listing.files.items():
        folder, _, rest = name.partition("/")
        if not rest:
            outside.append(name)
            continue
        parts = class_parts(folder.lower().replace("-", "_").replace(" ", "_"))
        if parts is None:
            raise DataError(
                f"{root / folder}: the folder's name is no class; use a country's code, an underscore and 1 or 2 "
                "lines, such as eu_2"
            )
        country, lines = parts
        crops.append(Crop(path, name, f"{country_code(country) or country}_{lines}", str(path)))
    notes = [f"{len(outside)} images lie in no class folder and were left out, first {outside[0]}"] if outside else []
    return crops, [*notes, *listing.notes]
