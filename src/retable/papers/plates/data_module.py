"""The cut-out plates of one run: generated ones, real ones, or both, as the trainer's loaders."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
import numpy.typing as npt
from torch import Tensor

from retable.classification.data_module import ClassificationDataModule
from retable.classification.samples import ClassifiedPart, ClassifiedSamples
from retable.classification.subject import Image
from retable.data.checking import check_images
from retable.data.fingerprint import fingerprint_files
from retable.data.images import read_shown_image
from retable.data.splits import ROLES, block_split, share_out
from retable.errors import ConfigError, DataError
from retable.papers.plates.camera import perspective, photograph
from retable.papers.plates.countries import class_list
from retable.papers.plates.crops.backgrounds import Backgrounds
from retable.papers.plates.crops.outliers import OUTLIERS, PlateOutliers
from retable.papers.plates.crops.real import Crop, list_crops
from retable.papers.plates.datasets.schema import CropAugmentation, PlateCropsConfig
from retable.synthetic.rng import RandomStream

log = logging.getLogger(__name__)


class GeneratedCrops:
    """Crops of a generator such as `retable.papers.plates.crops.PlateCrops`, made on demand.

    Args:
        crops: The generator's dataset.
        source: What the record calls them.
    """

    kind = "synthetic"
    in_memory = False

    def __init__(self, crops: Any, source: str = "generated plates") -> None:
        self._crops, self.source = crops, source

    def __len__(self) -> int:
        return len(self._crops)

    def label(self, index: int) -> int:
        """Returns an index into the classes."""
        return int(self._crops.label(index))

    def origin(self, index: int) -> str:
        """Returns where a crop comes from."""
        return "generated"

    def image(self, index: int) -> Image:
        """Returns a crop, uint8 (H, W, 3) RGB."""
        image: Image = self._crops.image(index)
        return image

    def fingerprint(self) -> str:
        """Returns the generator's fingerprint."""
        return str(self._crops.fingerprint())


@dataclass(frozen=True)
class RealCrops:
    """Crops from files, in memory.

    Attributes:
        crops: The plates.
        classes: Names of the classes.
        images: uint8 (N, H, W, 3).
        settings: How they were read.
    """

    kind: ClassVar[str] = "real"
    source: ClassVar[str] = "own plates"
    in_memory: ClassVar[bool] = True
    crops: tuple[Crop, ...]
    classes: tuple[str, ...]
    images: Image
    settings: str

    @classmethod
    def read(cls, crops: Sequence[Crop], config: PlateCropsConfig) -> "RealCrops":
        """Reads, and so checks, all plates.

        Raises:
            DataError: A file is missing, damaged or no image, a plate too small or outside of its scene.
        """
        width, height = config.image_size, config.image_height or config.image_size
        images = np.empty((len(crops), height, width, 3), np.uint8)
        for index, crop in enumerate(crops):
            images[index] = crop.read(width, height, config.fit, config.margin, config.smallest)
        shape = str(width) if width == height else f"{width} x {height}"
        return cls(tuple(crops), tuple(config.classes), images, f"{shape} {config.fit} {config.margin}")

    def __len__(self) -> int:
        return len(self.crops)

    def label(self, index: int) -> int:
        """Returns an index into the classes."""
        return self.classes.index(self.crops[index].class_name)

    def origin(self, index: int) -> str:
        """Returns where a crop comes from."""
        return self.crops[index].origin

    def image(self, index: int) -> Image:
        """Returns a crop, uint8 (H, W, 3) RGB, not to be changed."""
        image: Image = self.images[index]
        return image

    def fingerprint(self) -> str:
        """Fingerprints the files' contents, the plates' boxes and classes, and how they were read."""
        said = [f"{crop.name} {crop.class_name} {crop.box}" for crop in self.crops]
        return fingerprint_files({}, {crop.name: crop.path for crop in self.crops}, [self.settings, *said])


class CropSamples(ClassifiedSamples):
    """Augmented batches for training, drawn evenly where that is asked for.

    Args:
        parts: Where crops come from, one after the other.
        config: Tells augmentation, sampling and cache.
        seed: As of `ClassifiedSamples`.
    """

    def __init__(self, parts: Sequence[Any], config: PlateCropsConfig, seed: int) -> None:
        super().__init__(parts, seed, config.cache_megabytes)
        self._augmentation = config.augment
        self._varies = np.concatenate(
            [np.full(len(part), config.augment.generated or part.kind == "real") for part in parts]
        )
        self._groups = _groups(parts) if config.sampling == "even" else []

    def drawn(self, epoch: int, index: int) -> int:
        """Returns the image that a draw shows: classes take turns, in each its sources, of which it is any image."""
        if not self._groups:
            return index
        turn, label = divmod(index, len(self._groups))
        sources = self._groups[label]
        members = sources[turn % len(sources)]
        return members[RandomStream(self.seed, epoch, index, 1).integer(0, len(members) - 1)]

    def to_images(self, pixels: npt.NDArray[np.uint8], places: Sequence[tuple[int, int]]) -> Tensor:
        """Returns augmented images, as of `ClassifiedSamples.to_images`."""
        if self._augmentation.enabled:
            for number, (epoch, index) in enumerate(places):
                if self._varies[self.drawn(epoch, index)]:
                    pixels[number] = augment(pixels[number], self._augmentation, RandomStream(self.seed, epoch, index))
        return super().to_images(pixels, places)


def _groups(parts: Sequence[Any]) -> list[list[list[int]]]:
    """Returns the places of the images, by class or kind of outliers, and in each by source."""
    found: dict[int, dict[str, list[int]]] = {}
    place = 0
    for part in parts:
        for index in range(len(part)):
            found.setdefault(part.label(index), {}).setdefault(part.origin(index), []).append(place)
            place += 1
    return [list(found[label].values()) for label in sorted(found)]


def augment(image: Image, config: CropAugmentation, rng: RandomStream) -> Image:
    """Shows a crop (H, W, 3) from another side, through another camera."""
    height, width = image.shape[:2]
    corners = np.array([(0.0, 0.0), (width, 0.0), (width, height), (0.0, height)])
    moved = corners + [[rng.triangular(config.view * side) for side in (width, height)] for _ in range(4)]
    matrix = perspective(corners, moved)
    seen = cv2.warpPerspective(image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return photograph(np.asarray(seen, np.uint8), rng, config.camera)


class PlateCropsDataModule(ClassificationDataModule):
    """Loaders of crops.

    Raises:
        ConfigError: A class has no such name.
    """

    config: PlateCropsConfig

    def __init__(self, config: PlateCropsConfig, seed: int) -> None:
        super().__init__(config, seed)
        self.classes = class_list(list(config.classes)).names
        self._fractions = {role: getattr(config.fractions, role) for role in ROLES}
        self.outlier_kinds = OUTLIERS if config.outliers else ()

    @cached_property
    def parts(self) -> dict[str, list[ClassifiedPart]]:
        """Where the crops of each split come from.

        Raises:
            ConfigError: The generator does not know a class.
            DataError: The files have a fault, or do not suffice for the splits.
        """
        sources = self._sources
        return {
            role: [self._real[role] if name == "real" else self._generated(role) for name in sources[role]]
            for role in self.roles
        }

    @cached_property
    def outliers(self) -> dict[str, list[ClassifiedPart]]:
        """Where the images of no class come from, of each split; the backgrounds are of the scenes of its plates.

        Raises:
            DataError: As of `parts`.
        """
        config = self.config
        if not config.outliers:
            return {}
        found: dict[str, list[ClassifiedPart]] = {}
        width, height = config.image_size, config.image_height or config.image_size
        for role in self.roles:
            count = len(OUTLIERS) * self._share(config.outliers, role)
            made = PlateOutliers(count, width, height, config.crops_seed, role, config.fit)
            found[role] = [GeneratedCrops(made, "generated outliers")]
            if "real" in self._sources[role]:
                cut = Backgrounds.read(self._real[role].crops, width, height, config.fit)
                found[role] += [cut] if len(cut) else []
        return found

    @property
    def _sources(self) -> dict[str, tuple[str, ...]]:
        """What the plates of each split are: ``generated``, ``real`` or both."""
        config = self.config
        learnt = ("generated", "real") if config.train_on == "both" else (str(config.train_on),)
        # the best epoch is chosen on what is tested, where that may be
        chosen = ("real",) if config.train_on == "both" else learnt
        return {"train": learnt, "val": chosen, "test": (str(config.test_on),)}

    @cached_property
    def _real(self) -> dict[str, RealCrops]:
        wanted = [role for role in self.roles if "real" in self._sources[role]]
        return self._real_parts(wanted) if wanted else {}

    def _share(self, count: int, role: str) -> int:
        return share_out(count, list(self._fractions.values()))[ROLES.index(role)]

    def _generated(self, role: str) -> ClassifiedPart:
        crops = self.config.crops(
            count=self._share(self.config.per_class, role) * len(self.classes),
            image_size=self.config.image_size,
            seed=self.config.crops_seed,
            split=role,
            classes=self.classes,
            fit=self.config.fit,
            image_height=self.config.image_height,
        )
        return GeneratedCrops(crops)

    def _real_parts(self, roles: Sequence[str]) -> dict[str, RealCrops]:
        config = self.config
        crops, notes = list_crops(Path(str(config.root)).expanduser(), self.classes, config.ignore_other_classes)
        chosen = self._split(crops)
        for role in roles:
            if not chosen[role]:
                raise DataError(
                    f"data.root={config.root}: no plates are left for {role}; add some, or change data.fractions"
                )
            shown = {crops[index].class_name for index in chosen[role]}
            if absent := [name for name in self.classes if name not in shown]:
                notes.append(f"the real plates of {role} show no {', '.join(absent)}")
        sources: dict[str, set[str]] = {}
        for crop in crops:
            if crop.source:
                sources.setdefault(crop.class_name, set()).add(crop.origin)
        if alone := [name for name, found in sorted(sources.items()) if len(found) == 1]:
            notes.append(f"{', '.join(alone)} are of one source each: a network may tell the source, not the country")
        self._notes += notes
        for note in notes:
            log.warning("%s", note)
        if config.check == "decode":
            files = dict.fromkeys(crops[index].path for role in roles for index in chosen[role])
            check_images(list(files), read_shown_image, "shown")
        return {role: RealCrops.read([crops[index] for index in chosen[role]], config) for role in roles}

    def _split(self, crops: Sequence[Crop]) -> dict[str, list[int]]:
        """Returns the plates of each split: as their list or `test_sources` tell, else by blocks.

        The plates of a scene stay together.
        """
        told = {crop.split for crop in crops} - {""}
        tested = set(self.config.test_sources or ())
        names = {name for crop in crops for name in (crop.source, crop.origin)}
        if unknown := sorted(tested - names):
            known = ", ".join(sorted({crop.source for crop in crops} - {""})) or "none"
            raise ConfigError(f"data.test_sources: there is no source {unknown[0]!r}; there are {known}")
        if told and not tested:
            if strange := sorted(told - set(ROLES)):
                raise ConfigError(f"data.root={self.config.root}: unknown split {strange[0]!r}; use {', '.join(ROLES)}")
            return {role: [index for index, crop in enumerate(crops) if crop.split == role] for role in ROLES}
        files: dict[str, list[int]] = {}
        for index, crop in enumerate(crops):
            if not tested & {crop.source, crop.origin}:
                files.setdefault(crop.name, []).append(index)
        members = list(files.values())
        groups = [(crops[first].source, crops[first].class_name) for first, *_ in members]
        parts = block_split(groups, {**self._fractions, "test": 0.0} if tested else self._fractions)
        found = {role: sorted(index for number in parts[role] for index in members[number]) for role in parts}
        left_out = [index for index, crop in enumerate(crops) if tested & {crop.source, crop.origin}]
        return {"test": left_out, **found}

    @cached_property
    def training_set(self) -> CropSamples:
        """The training samples."""
        return CropSamples([*self.parts["train"], *self.outliers.get("train", ())], self.config, self.seed)
