"""The generated ship scenes as a detection dataset."""

from __future__ import annotations

import zlib
from dataclasses import asdict

from retable.detection.generated import GeneratedScenes
from retable.errors import ConfigError
from retable.papers.larsd.scenes.layout import SceneLayout, draw_layout
from retable.papers.larsd.scenes.profiles import PROFILES, Profile
from retable.papers.larsd.scenes.scene import Target, labels, render
from retable.synthetic.raster import Image


class ShipScenes(GeneratedScenes):
    """Synthetic satellite images of ships; see `retable.synthetic.dataset.GeneratedDataset`.

    `trainval` is the train split followed by the val split; train, val and test share no scene.

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

    title = "ship scenes"
    version = 2
    sizes = (96, 1536)
    splits = ("train", "val", "trainval", "test")

    def __init__(
        self,
        split: str,
        count: int | None = None,
        image_size: int = 512,
        profile: str | Profile = "hrsd",
        seed: int = 0,
        scale: float | None = None,
    ) -> None:
        if isinstance(profile, str):
            if profile not in PROFILES:
                raise ConfigError(f"unknown scene profile '{profile}': use one of {', '.join(PROFILES)}")
            profile = PROFILES[profile]
        self.profile = profile
        if scale is not None and not 0.05 <= scale <= 4.0:
            raise ConfigError(f"scale={scale} of the ship scenes is out of range: use 0.05 to 4")
        self.scale = scale if scale is not None else min(1.0, image_size / self.profile.reference_size)
        train, val = self.profile.image_count("train"), self.profile.image_count("val")
        if split == "trainval":
            if count is not None:
                val = max(round(count * val / (train + val)), 1) if count > 1 else 0
                train = count - val
            count = train + val
        elif count is None:
            count = self.profile.image_count(split)
        self._train_count = train
        super().__init__(count, image_size, seed, split, self.scale, asdict(self.profile))
        self.classes = ["ship"]
        self.image_ids = ["{}-{:05d}".format(*self._locate(index)) for index in range(count)]

    @property
    def described(self) -> str:
        """What the provenance calls the scenes."""
        return f"{self.title}, profile {self.profile.name}"

    def layout(self, index: int) -> SceneLayout:
        """Returns what stands where in a scene, without rendering it."""
        # the profile's name counts too, or two profiles would show the same coast lines
        rng = self._stream(index, zlib.crc32(self.profile.name.encode()))
        return draw_layout(rng, self.profile, self.size, self.scale)

    def load(self, index: int) -> tuple[Image, Target]:
        """Renders a scene.

        Returns:
            uint8 RGB (size, size, 3), and the target: boxes float32 (N, 5) canonical, labels int64 (N,), difficult
            bool (N,). Difficult are ships of which the image's edge hides more than a quarter.
            A ship's box encloses its hull exactly and may reach over the image's edge when the ship does.

        Raises:
            IndexError: There is no such image.
        """
        layout = self.layout(index)
        return render(layout), labels(layout)

    def target(self, index: int) -> Target:
        """Returns the target of a scene, as of `load`, without rendering the image."""
        return labels(self.layout(index))

    def _locate(self, index: int) -> tuple[str | None, int]:
        if self.split != "trainval":
            return self.split, index
        return ("train", index) if index < self._train_count else ("val", index - self._train_count)
