"""Images with one class each as the trainer sees them: whole batches, plain or augmented."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import Dataset, get_worker_info

from retable.classification.classifier import Batch
from retable.classification.subject import Image


class ClassifiedPart(Protocol):
    """Images that come from one place, such as a generator or a folder."""

    @property
    def kind(self) -> str:
        """``real`` or ``synthetic``."""

    @property
    def source(self) -> str:
        """What the record calls them."""

    @property
    def in_memory(self) -> bool:
        """Whether `image` costs nothing, so that nobody need keep what it returned."""

    def __len__(self) -> int: ...

    def label(self, index: int) -> int:
        """Returns the class of an image as an index into the classes; -1 - k for kind k of what is of no class."""

    def image(self, index: int) -> Image:
        """Returns an image, uint8 (H, W, 3) RGB, not to be changed."""

    def fingerprint(self) -> str:
        """Fingerprints the images, their classes and how they were read."""


class ClassifiedSamples(Dataset[Batch]):
    """Batches of one split; a subclass augments them in `to_images`.

    Args:
        parts: Where images come from, one after the other.
        seed: What augmentation depends on besides epoch and index.
        cache_megabytes: Memory for generated images of each process that reads; loader workers share it.
    """

    def __init__(self, parts: Sequence[Any], seed: int = 0, cache_megabytes: float = 0) -> None:
        self.parts, self.seed = list(parts), seed
        self._starts = np.cumsum([0, *(len(part) for part in parts)]).tolist()
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
        drawn = [self.drawn(epoch, index) for epoch, index in pairs]
        found = [self._load(index) for index in drawn]
        return {
            "images": self.to_images(np.stack([image for image, _ in found]), pairs),
            "labels": torch.tensor([label for _, label in found]),
            "indices": torch.tensor(drawn),
        }

    def drawn(self, epoch: int, index: int) -> int:
        """Returns the image that stands at a place of an epoch; a subclass may show some more often than others."""
        return index

    def to_images(self, pixels: npt.NDArray[np.uint8], places: Sequence[tuple[int, int]]) -> Tensor:
        """Returns pixels (B, H, W, 3) as images float32 (B, 3, H, W) in [0, 1].

        Args:
            pixels: Those of the batch; a subclass may change them.
            places: Epoch and index of each, which with `seed` are all that an augmentation may depend on.
        """
        turned = torch.from_numpy(pixels).permute(0, 3, 1, 2)
        return turned.to(torch.float32, memory_format=torch.contiguous_format).mul_(1 / 255)

    def _load(self, index: int) -> tuple[Image, int]:
        number = int(np.searchsorted(self._starts, index, side="right")) - 1
        part, inside = self.parts[number], index - self._starts[number]
        if part.in_memory:
            return part.image(inside), part.label(inside)
        image = self._cache.get(index)
        if image is None:
            image = part.image(inside)
            worker = get_worker_info()
            limit = self._cache_bytes / (1 if worker is None else worker.num_workers)
            if (len(self._cache) + 1) * image.nbytes <= limit:
                self._cache[index] = image
        return image, part.label(inside)
