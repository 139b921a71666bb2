"""What generated datasets have in common: the random numbers of an image, checks, and a fingerprint."""

from __future__ import annotations

import hashlib
from typing import ClassVar, Final

from retable.errors import ConfigError
from retable.synthetic.rng import RandomStream

_SPLIT_CODES: Final = {None: 0, "train": 1, "val": 2, "test": 3}


class GeneratedDataset:
    """Square images that are rendered on demand and determined by (seed, split, index).

    Nothing is kept between calls but noise textures, so that images may be made in several threads and the dataset may
    be sent to worker processes. Splits and seeds share no image.

    Args:
        count: Number of images.
        image_size: Side of the images in pixels.
        seed: Seed of the whole dataset.
        split: One of `splits`; None for a dataset without splits.
        options: What else the images depend on: values whose `repr` is the same in every process.

    Attributes:
        title: Of the generator, in messages.
        version: Of the generator; raised with every change that changes a pixel or a label.
        sizes: Least and greatest `image_size`.
        splits: Names of the splits; none where there is one set only.

    Raises:
        ConfigError: A parameter is out of range or unknown.
    """

    title: ClassVar[str]
    version: ClassVar[int]
    sizes: ClassVar[tuple[int, int]]
    splits: ClassVar[tuple[str, ...]] = ()

    def __init__(self, count: int, image_size: int, seed: int, split: str | None = None, *options: object) -> None:
        least, greatest = self.sizes
        if count < 1:
            raise ConfigError(f"count={count} of the {self.title} must be at least 1")
        if not least <= image_size <= greatest:
            raise ConfigError(
                f"image_size={image_size} of the {self.title} is out of range: use {least} to {greatest} pixels"
            )
        if seed < 0:
            raise ConfigError(f"seed={seed} of the {self.title} must not be negative")
        if self.splits and split not in self.splits:
            *others, last = self.splits
            raise ConfigError(f"unknown split '{split}' of the {self.title}: use {', '.join(others)} or {last}")
        self.size = image_size
        self.seed = seed
        self.split = split
        self._count = count
        self._options = options

    def __len__(self) -> int:
        return self._count

    def fingerprint(self) -> str:
        """Returns 64 hexadecimal digits (SHA-256) of the generator's version and of all parameters."""
        parameters = (self.title, self.version, self._count, self.size, self.seed, self.split, *self._options)
        return hashlib.sha256(repr(parameters).encode()).hexdigest()

    def _check(self, index: int) -> None:
        if not 0 <= index < self._count:
            raise IndexError(f"image {index} of {self._count}")

    def _locate(self, index: int) -> tuple[str | None, int]:
        """Returns the split that an image belongs to, and its number there."""
        return self.split, index

    def _stream(self, index: int, *more: int) -> RandomStream:
        """Returns the random numbers of an image; `more` tells streams apart that have the same seed and place.

        Raises:
            IndexError: There is no such image.
        """
        self._check(index)
        split, number = self._locate(index)
        return RandomStream(4 * self.seed + _SPLIT_CODES[split], number, *more)
