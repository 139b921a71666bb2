"""A Cityscapes of a few small photographs, and a detector that reads its confidence off the colour of a car."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from retable.papers.cars.cityscapes.process_image import Detection

GREEN = (51, 255, 51)
HEIGHT, WIDTH = 48, 96

# of each car: its number, left, top, width, height, and what the detector will make of it
CARS: dict[str, list[tuple[int, int, int, int, int, str]]] = {
    "train/aachen/aachen_000000_000019": [
        (0, 4, 4, 20, 12, "sure"), (1, 40, 8, 24, 16, "unsure"), (3, 70, 30, 20, 14, "none"), (12, 2, 40, 4, 3, "sure"),
    ],
    "train/aachen/aachen_000001_000019": [],
    "train/bochum/bochum_000000_000313": [(0, 10, 10, 30, 20, "sure"), (1, 60, 10, 30, 20, "elsewhere")],
    "val/munster/munster_000000_000019": [(7, 30, 16, 40, 24, "sure")],
}  # fmt: skip
_RED = {"sure": 250, "unsure": 120, "none": 0, "elsewhere": 200}


class ColourDetector:
    """Finds what is not green: its red tells how sure it is, its blue whether the box lies elsewhere."""

    batch_size = 2

    def __init__(self, weights: Path, accelerator: str, inset: float = 0.5) -> None:
        assert weights.is_file()
        self.inset, self.settings = inset, {"inset": inset}

    def detect(self, images: Sequence[npt.NDArray[np.uint8]]) -> list[Detection | None]:
        assert len(images) <= self.batch_size
        return [self._find(image) for image in images]

    def _find(self, image: npt.NDArray[np.uint8]) -> Detection | None:
        assert image.shape == (HEIGHT, WIDTH, 3)
        rows, columns = np.nonzero((image != GREEN).any(axis=2))
        red = int(image[rows[0], columns[0], 0])
        if red == _RED["none"]:
            return None
        if red == _RED["elsewhere"]:
            return Detection(0.95, (0.0, 40.0, 5.0, 48.0))
        inset = self.inset
        return Detection(
            red / 255,
            (columns.min() + 1 + inset, rows.min() + inset, columns.max() + 1 + inset, rows.max() + 1 - inset),
        )


def die() -> Any:
    """Makes no detector, and ends the process as the system does that has no memory left."""
    os._exit(1)


def write(root: Path) -> Path:
    """Writes photographs and masks; the first has a group of cars as well, and a truck."""
    for name, cars in CARS.items():
        photo = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
        ids = np.full((HEIGHT, WIDTH), 7, np.uint16)
        if name.endswith("aachen_000000_000019"):
            ids[20:30, 4:14] = 26  # a group
            ids[32:38, 20:40] = 27001  # a truck
        for number, left, top, width, height, way in cars:
            box = np.s_[top : top + height, left : left + width]
            photo[box] = (_RED[way], 10 * number, 30)
            ids[box] = 26000 + number
            ids[top, left] = 7  # one pixel of the corner is not the car's
        _write(root / "leftImg8bit" / f"{name}_leftImg8bit.png", cv2.cvtColor(photo, cv2.COLOR_RGB2BGR))
        _write(root / "gtFine" / f"{name}_gtFine_instanceIds.png", ids)
    return root


def _write(path: Path, image: npt.NDArray[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)
