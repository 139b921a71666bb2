"""What may be set of the pictures of cars: ``conf/data/cars.yaml``."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar

from omegaconf import MISSING

from retable.data.schema import ImageChecks
from retable.options import Options, option


class Fit(StrEnum):
    """How an oblong image becomes a square; both show all of it."""

    pad = "pad"  # in proportion, with the background beside it
    stretch = "stretch"


class Background(StrEnum):
    """What is not car."""

    green = "green"  # (51, 255, 51), section 2
    white = "white"


@dataclass
class AugmentConfig(Options):
    """Training augmentation; the essay names none.

    Attributes:
        enabled: Whether training images vary.
        horizontal_flip: Share of the images that are mirrored.
    """

    enabled: bool = False
    horizontal_flip: float = option(0.5, least=0, most=1)


@dataclass
class CarsConfig(ImageChecks):
    """Pictures of cars: generated ones, or those of a folder.

    Attributes:
        root: Folder of images, subfolders too; null takes the generator.
        scenes: Generator, called with count, size and seed.
        count: Generated cars.
        scenes_seed: Seed of the generated cars; apart from the run's seed, so that all seeds see one dataset.
        image_size: Side of the square images in pixels.
        fit: What becomes of oblong images of a folder: pad or stretch.
        background: What shows beside padded images and behind transparent ones: green or white.
        augment: Training augmentation.
        batch_size: Images of a training batch, over all processes.
        eval_batch_size: Images of a validation or test batch, of one process.
    """

    task: ClassVar[str] = "images alone"

    _target_: str = "retable.papers.cars.data_module.CarsDataModule"
    root: str | None = None
    scenes: Any = MISSING
    count: int = option(6700, least=1)
    scenes_seed: int = 0
    image_size: int = option(64, least=8)
    fit: Fit = Fit.pad
    background: Background = Background.green
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    batch_size: int = option(256, least=1)
    eval_batch_size: int = option(256, least=1)


SCHEMAS: dict[str, Any] = {"data/cars": CarsConfig}
