"""What lies beside the plates of real scenes, cut out as if it were a plate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from retable.classification.subject import Image
from retable.data.fingerprint import fingerprint_files
from retable.data.images import read_shown_image
from retable.detection.cutting import cut_box
from retable.papers.plates.crops.fitting import fit_into
from retable.papers.plates.crops.outliers import OUTLIERS
from retable.papers.plates.crops.real import Crop
from retable.synthetic.rng import RandomStream

_EACH = 3  # of a scene, where there is room
_TRIES = 20


@dataclass(frozen=True)
class Backgrounds:
    """Cut-outs of the same scenes as real plates are of, in memory: their camera is no sign of a country.

    Attributes:
        scenes: A plate of each scene.
        origins: Of each cut-out, as of `Crop.origin`.
        images: uint8 (N, H, W, 3).
    """

    kind: ClassVar[str] = "real"
    source: ClassVar[str] = "backgrounds of own scenes"
    in_memory: ClassVar[bool] = True
    scenes: tuple[Crop, ...]
    origins: tuple[str, ...]
    images: Image

    @classmethod
    def read(cls, crops: Sequence[Crop], width: int, height: int, fit: str) -> Backgrounds:
        """Cuts places of the size of plates out of the scenes among the crops, clear of all their plates."""
        scenes: dict[str, list[Crop]] = {}
        for crop in crops:
            if crop.box is not None:
                scenes.setdefault(crop.name, []).append(crop)
        images, origins = [], []
        for number, plates in enumerate(scenes.values()):
            image = read_shown_image(plates[0].path)
            for box in _places(image, plates, RandomStream(number)):
                images.append(fit_into(cut_box(image, box, 0.0), width, height, fit))
                origins.append(plates[0].origin)
        stacked = np.stack(images) if images else np.empty((0, height, width, 3), np.uint8)
        return cls(tuple(plates[0] for plates in scenes.values()), tuple(origins), stacked)

    def __len__(self) -> int:
        return len(self.images)

    def label(self, index: int) -> int:
        """Returns the label of backgrounds, which is negative."""
        return -1 - OUTLIERS.index("background")

    def origin(self, index: int) -> str:
        """Returns where a cut-out comes from."""
        return self.origins[index]

    def image(self, index: int) -> Image:
        """Returns a cut-out, uint8 (H, W, 3) RGB, not to be changed."""
        image: Image = self.images[index]
        return image

    def fingerprint(self) -> str:
        """Fingerprints the scenes' contents, and how many cut-outs of which shape there are."""
        return fingerprint_files({}, {crop.name: crop.path for crop in self.scenes}, [str(self.images.shape)])


def _places(image: Image, plates: Sequence[Crop], rng: RandomStream) -> list[tuple[float, float, float, float]]:
    """Returns boxes x1, y1, x2, y2 inside of an image that touch none of the plates."""
    rows, columns = image.shape[:2]
    taken = [crop.box for crop in plates if crop.box is not None]
    found: list[tuple[float, float, float, float]] = []
    for _ in range(_TRIES):
        wide = min(taken[0][2] * rng.uniform(0.7, 1.5), columns - 1.0)
        high = min(wide / rng.uniform(1.2, 5), rows - 1.0)
        x, y = rng.uniform(0, columns - wide), rng.uniform(0, rows - high)
        if min(wide, high) >= 6 and all(
            x > left + across or x + wide < left or y > top + down or y + high < top
            for left, top, across, down in taken
        ):
            found.append((x, y, x + wide, y + high))
        if len(found) == _EACH:
            break
    return found
