"""The generated ship scenes as a detection dataset."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import asdict
from typing import Any

from retable.errors import ConfigError
from retable.papers.larsd.scenes.geometry import Image
from retable.papers.larsd.scenes.layout import SceneLayout, draw_layout
from retable.papers.larsd.scenes.profiles import Profile, find_profile
from retable.papers.larsd.scenes.scene import Target, labels, render

GENERATOR_VERSION = 1  # raised with every change that changes a pixel or a box
SMALLEST, LARGEST = 96, 1536

_SPLIT_CODES = {"train": 1, "val": 2, "test": 3}


class ShipScenes:
    """Synthetic satellite images of ships, rendered on demand and determined by (seed, split, index).

    Nothing is kept between calls but the noise banks, so that `load` may be called from several threads and the
    dataset may be sent to worker processes. `trainval` is the train split followed by the val split; train, val
    and test share no scene.

    Args:
        split: `train`, `val`, `trainval` or `test`.
        count: Number of images; None takes the published dataset's.
        image_size: Side of the square images in pixels, 96 to 1536.
        profile: Name of a profile (`hrsd`, `hrsc2016`) or a `Profile`.
        seed: Seed of the whole dataset.
        scale: Pixels for each pixel of the profile's reference size: 0.5 shows ships at half the size, never under 10
            pixels long. None takes image_size / reference size, at most 1.

    Raises:
        ConfigError: A parameter is out of range or unknown.
    """

    def __init__(
        self,
        split: str,
        count: int | None = None,
        image_size: int = 512,
        profile: str | Profile = "hrsd",
        seed: int = 0,
        scale: float | None = None,
    ) -> None:
        self.profile = find_profile(profile) if isinstance(profile, str) else profile
        if split not in (*_SPLIT_CODES, "trainval"):
            raise ConfigError(f"unknown split '{split}' of the ship scenes: use train, val, trainval or test")
        if not SMALLEST <= image_size <= LARGEST:
            raise ConfigError(
                f"image_size={image_size} of the ship scenes is out of range: use {SMALLEST} to {LARGEST} pixels"
            )
        if count is not None and count < 1:
            raise ConfigError(f"count={count} of the ship scenes must be at least 1")
        if seed < 0:
            raise ConfigError(f"seed={seed} of the ship scenes must not be negative")
        if scale is not None and not 0.05 <= scale <= 4.0:
            raise ConfigError(f"scale={scale} of the ship scenes is out of range: use 0.05 to 4")
        self.split = split
        self.seed = seed
        self.size = image_size
        self.scale = scale if scale is not None else min(1.0, image_size / self.profile.reference_size)
        self._entries = self._list_entries(count)
        self.classes = ["ship"]
        self.image_ids = [f"{name}-{index:05d}" for name, _, index in self._entries]

    def _list_entries(self, count: int | None) -> list[tuple[str, int, int]]:
        """Return (split name, split code, index) of every image."""
        if self.split != "trainval":
            number = count if count is not None else self.profile.image_count(self.split)
            return [(self.split, _SPLIT_CODES[self.split], index) for index in range(number)]
        train, val = self.profile.image_count("train"), self.profile.image_count("val")
        if count is not None:
            val = max(round(count * val / (train + val)), 1) if count > 1 else 0
            train = count - val
        return [
            (name, _SPLIT_CODES[name], index)
            for name, number in (("train", train), ("val", val))
            for index in range(number)
        ]

    def __len__(self) -> int:
        return len(self._entries)

    def layout(self, index: int) -> SceneLayout:
        """Return what stands where in a scene, without rendering it."""
        _, code, number = self._entries[index]
        # the profile's name counts too, or two profiles would show the same coast lines
        entropy = [self.seed, code, number, zlib.crc32(self.profile.name.encode())]
        return draw_layout(self.profile, self.size, self.scale, entropy)

    def load(self, index: int) -> tuple[Image, Target]:
        """Render a scene.

        Args:
            index: Number of the image, 0 to len - 1.

        Returns:
            uint8 RGB (size, size, 3), and the target: boxes float32 (N, 5) canonical, labels int64 (N,), difficult
            bool (N,). Difficult are ships of which the image's edge hides more than a quarter.
            A ship's box encloses its hull exactly and may reach over the image's edge when the ship does.
        """
        layout = self.layout(index)
        return render(layout), labels(layout)

    def target(self, index: int) -> Target:
        """Return the target of a scene, as of `load`, without rendering the image."""
        return labels(self.layout(index))

    def image_size(self, index: int) -> tuple[int, int]:
        """Return (height, width) of an image in pixels."""
        return (self.size, self.size)

    @property
    def provenance(self) -> dict[str, Any]:
        """Where the images come from: kind, source, and a fingerprint of the generator's version and parameters."""
        parameters = repr(
            (GENERATOR_VERSION, asdict(self.profile), self.split, len(self), self.size, self.scale, self.seed)
        )
        return {
            "kind": "synthetic",
            "source": f"ship scenes, profile {self.profile.name}, generator version {GENERATOR_VERSION}",
            "fingerprint": hashlib.sha256(parameters.encode()).hexdigest()[:16],
        }
