"""Drawings as the trainer sees them: canvases from files or from the generator, as augmented batches.

A sample depends on the seed, the epoch and its index alone (see `retable.papers.emoji.transforms`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from torch import Tensor

from retable.classification.samples import ClassifiedSamples
from retable.data.fingerprint import fingerprint_files
from retable.papers.emoji.classes import CLASSES
from retable.papers.emoji.datasets.canvas import Image, read_canvas, to_canvas
from retable.papers.emoji.datasets.files import Drawing
from retable.papers.emoji.schema import Augmentation
from retable.papers.emoji.transforms import augment


class GeneratedCanvases:
    """Drawings of a generator such as `retable.papers.emoji.drawings.EmojiDrawings`, made on demand."""

    kind = "synthetic"
    source = "generated drawings"
    in_memory = False

    def __init__(self, drawings: Any, crop_to_ink: bool) -> None:
        self._drawings, self._crop_to_ink = drawings, crop_to_ink

    def __len__(self) -> int:
        return len(self._drawings)

    def label(self, index: int) -> int:
        """Returns an index into `CLASSES`."""
        return int(self._drawings.label(index))

    def image(self, index: int) -> Image:
        """Returns a canvas, uint8 (S, S, 3) RGB."""
        image: Image = self._drawings.image(index)
        return to_canvas(image, len(image), True) if self._crop_to_ink else image

    def fingerprint(self) -> str:
        """Returns the generator's fingerprint with the crop."""
        return f"{self._drawings.fingerprint()} crop_to_ink={self._crop_to_ink}"


@dataclass(frozen=True)
class RealCanvases:
    """Drawings from files, in memory.

    Attributes:
        drawings: The files.
        images: Their canvases, uint8 (N, S, S, 3).
        crop_to_ink: Whether the canvases show the drawing rather than the whole image.
    """

    kind: ClassVar[str] = "real"
    source: ClassVar[str] = "own drawings"
    in_memory: ClassVar[bool] = True
    drawings: tuple[Drawing, ...]
    images: Image
    crop_to_ink: bool

    @classmethod
    def read(cls, drawings: Sequence[Drawing], size: int, crop_to_ink: bool) -> "RealCanvases":
        """Reads, and so checks, all files, onto canvases of this side in pixels.

        Raises:
            DataError: A file is missing, damaged, no image, too small or empty.
        """
        images = np.empty((len(drawings), size, size, 3), np.uint8)
        for index, drawing in enumerate(drawings):
            images[index] = read_canvas(drawing.path, size, crop_to_ink)
        return cls(tuple(drawings), images, crop_to_ink)

    def __len__(self) -> int:
        return len(self.drawings)

    def label(self, index: int) -> int:
        """Returns an index into `CLASSES`."""
        return self.drawings[index].label

    def image(self, index: int) -> Image:
        """Returns a canvas, uint8 (S, S, 3) RGB, not to be changed."""
        image: Image = self.images[index]
        return image

    def fingerprint(self) -> str:
        """Fingerprints the files' contents, their classes and hands, and how they were read."""
        said = [f"{drawing.name} {CLASSES[drawing.label]} {drawing.hand}" for drawing in self.drawings]
        files = {drawing.name: drawing.path for drawing in self.drawings}
        return fingerprint_files({}, files, [f"{self.images.shape[1]} {self.crop_to_ink}", *said])


Canvases = GeneratedCanvases | RealCanvases


class EmojiSamples(ClassifiedSamples):
    """Augmented batches for training.

    Args:
        parts: Where drawings come from, one after the other.
        augmentation: What varies; None leaves them as they are.
        seed: As of `ClassifiedSamples`, as is the rest.
    """

    def __init__(
        self, parts: Sequence[Canvases], augmentation: Augmentation | None, seed: int, cache_megabytes: float
    ) -> None:
        super().__init__(parts, seed, cache_megabytes)
        self._augmentation = augmentation

    def to_images(self, pixels: npt.NDArray[np.uint8], places: Sequence[tuple[int, int]]) -> Tensor:
        """Returns augmented images, as of `ClassifiedSamples.to_images`."""
        images = super().to_images(pixels, places)
        if self._augmentation is None:
            return images
        generators = [np.random.default_rng([self.seed, epoch, index]) for epoch, index in places]
        return augment(images, self._augmentation, generators)
