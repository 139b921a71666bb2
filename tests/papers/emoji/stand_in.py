"""Drawings that cost nothing and can be told apart: stripes, of another width and direction for each class."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from retable.papers.emoji.classes import CLASSES


class Stripes:
    """Takes the place of `retable.papers.emoji.drawings.EmojiDrawings`."""

    def __init__(self, count: int, image_size: int = 32, seed: int = 0, split: str = "train") -> None:
        self._count, self._size, self._key = count, image_size, [seed, len(split)]

    def __len__(self) -> int:
        return self._count

    def label(self, index: int) -> int:
        return index % 8

    def image(self, index: int) -> npt.NDArray[np.uint8]:
        generator = np.random.default_rng([*self._key, index])
        image = generator.integers(235, 256, (self._size, self._size, 3), dtype=np.uint8)
        width = 1 + self.label(index) % 4
        dark = np.arange(self._size) // width % 2 == 0
        image[dark if self.label(index) < 4 else (slice(None), dark)] = 30
        return image

    def fingerprint(self) -> str:
        return f"stripes {self._count} {self._size} {self._key}"


def write_image(path: Path, seed: int = 0, side: int = 24) -> Path:
    """A dark ring on white, somewhere."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = np.full((side, side, 3), 255, np.uint8)
    x, y = np.random.default_rng(seed).integers(side // 3, side - side // 3, 2)
    cv2.circle(image, (int(x), int(y)), side // 4, (20, 20, 20), 1 + seed % 2)
    cv2.imwrite(str(path), image)
    return path


def write_classes(root: Path, counts: dict[str, int]) -> Path:
    """One folder a class."""
    for name, count in counts.items():
        for index in range(count):
            write_image(root / name / f"{index}.png", seed=100 * CLASSES.index(name) + index)
    return root


def write_hands(root: Path, classes: tuple[str, ...], hands: tuple[str, ...], each: int) -> Path:
    """A labels.csv with so many drawings of each class by each hand."""
    lines = ["path,class,hand"]
    for name in classes:
        for hand in hands:
            for index in range(each):
                path = f"{name}/{hand}_{index}.png"
                write_image(root / path, seed=hash_of(path))
                lines.append(f"{path},{name},{hand}")
    (root / "labels.csv").write_text("\n".join(lines) + "\n")
    return root


def hash_of(text: str) -> int:
    """A number that is the same in every process."""
    return sum(ord(letter) * 31**place for place, letter in enumerate(text)) % 100_000
