"""Drawings as the trainer sees them: canvases from files or from the generator, as augmented batches.

A sample depends on the seed, the epoch and its index alone (see `retable.papers.emoji.transforms`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch.utils.data import Dataset, get_worker_info

from retable.classification.classifier import Batch
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


class EmojiSamples(Dataset[Batch]):
    """Batches of one split: plain ones, or augmented ones for training.

    Args:
        parts: Where drawings come from, one after the other.
        augmentation: What varies; None leaves them as they are.
        seed: What augmentation depends on besides epoch and index.
        cache_megabytes: Memory for generated drawings of each process that reads; loader workers share it.
    """

    def __init__(
        self,
        parts: Sequence[Canvases],
        augmentation: Augmentation | None = None,
        seed: int = 0,
        cache_megabytes: float = 0,
    ) -> None:
        self.parts = list(parts)
        self._starts = np.cumsum([0, *(len(part) for part in parts)]).tolist()
        self._augmentation, self._seed = augmentation, seed
        self._cache: dict[int, Image] = {}
        self._cache_bytes = cache_megabytes * 1e6

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __getitems__(self, keys: Sequence[tuple[int, int] | int]) -> Batch:
        """Makes a batch.

        Args:
            keys: (epoch, index) each, as of `EpochSampler`; a bare index means epoch 0.
        """
        pairs = [(0, key) if isinstance(key, int) else key for key in keys]
        found = [self._load(index) for _, index in pairs]
        pixels = torch.from_numpy(np.stack([image for image, _ in found])).permute(0, 3, 1, 2)
        images = pixels.to(torch.float32, memory_format=torch.contiguous_format).mul_(1 / 255)
        if self._augmentation is not None:
            generators = [np.random.default_rng([self._seed, epoch, index]) for epoch, index in pairs]
            images = augment(images, self._augmentation, generators)
        return {
            "images": images,
            "labels": torch.tensor([label for _, label in found]),
            "indices": torch.tensor([index for _, index in pairs]),
        }

    def _load(self, index: int) -> tuple[Image, int]:
        number = int(np.searchsorted(self._starts, index, side="right")) - 1
        part, inside = self.parts[number], index - self._starts[number]
        if isinstance(part, RealCanvases):  # in memory already
            return part.image(inside), part.label(inside)
        image = self._cache.get(index)
        if image is None:
            image = part.image(inside)
            worker = get_worker_info()
            limit = self._cache_bytes / (1 if worker is None else worker.num_workers)
            if (len(self._cache) + 1) * image.nbytes <= limit:
                self._cache[index] = image
        return image, part.label(inside)


def as_it_is(batch: Any) -> Any:
    """Hands on the batch that `EmojiSamples` made, where a loader would collate samples."""
    return batch
