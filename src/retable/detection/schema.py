"""What may be set of a ship dataset: ``conf/data/{hrsd,hrsc2016,ssdd,dota}.yaml``."""

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING

from retable.options import Options, option


@dataclass
class SplitNames:
    """Names that the splits have among the real files; a test split that is not there has the val split tested."""

    train: str = "train"
    val: str = "val"
    test: str = "test"


@dataclass
class SplitCounts:
    """Number of generated images of each split; unused with real files."""

    train: int = 1249
    val: int = 424
    test: int = 824


@dataclass
class AugmentConfig:
    """Training augmentation, see `retable.detection.transforms.Augmentation`."""

    enabled: bool = True
    horizontal_flip: float = 0.5
    vertical_flip: float = 0.5
    rotation_degrees: float = 180.0
    scale: tuple[float, float] = (0.8, 1.25)
    brightness: float = 0.0
    contrast: float = 0.0


@dataclass
class ShipsConfig:
    """A ship dataset: published files below ``root``, or generated scenes.

    Attributes:
        root: Folder of the real files; null takes the generator.
        files: Loader of the real files, called with root and split; null where there is none.
        scenes: Generator, called with split, count, image_size and seed; null where there is none.
        splits: Names of the splits among the real files.
        counts: Generated images of each split.
        scene_size: Side of the generated images in pixels.
        scenes_seed: Seed of the generated images; apart from the run's seed, so that all seeds see one dataset.
        image_size: Side of the training squares in pixels.
        resize: Factor by which images are scaled before anything else.
        max_side: Images whose longer side is larger are shrunk to it; null keeps them.
        batch_size: Images of a training batch, over all processes.
        eval_batch_size: Images of a validation or test batch, of one process.
        workers: Loader processes of each process; null: one less than its cores, at least 1, at most 4.
        cache_megabytes: Memory for decoded images, shared among the loader processes.
        tile_overlap: Least overlap, in pixels, of the training tiles of images larger than image_size.
        empty_tiles: Share of the training tiles without any ship that are kept.
        augment: Training augmentation.
    """

    _target_: str = "retable.detection.data_module.ShipDataModule"
    root: str | None = None
    files: Any = None
    scenes: Any = None
    splits: SplitNames = field(default_factory=SplitNames)
    counts: SplitCounts = field(default_factory=SplitCounts)
    scene_size: int = 512
    scenes_seed: int = 0
    image_size: int = 512
    resize: float = 1.0
    max_side: int | None = None
    batch_size: int = 8
    eval_batch_size: int = 8
    workers: int | None = None
    cache_megabytes: int = 1024
    tile_overlap: int = 128
    empty_tiles: float = 1.0
    augment: AugmentConfig = field(default_factory=AugmentConfig)


@dataclass
class RealShipsConfig(ShipsConfig):
    """A ship dataset that has no generator: ``root`` must be given."""

    root: str = MISSING


@dataclass
class PredictionOptions(Options):
    """What ``predict.py`` may be asked of a detector.

    Attributes:
        input: An image or a folder of images.
        score_threshold: Detections below it are left out.
    """

    input: str = MISSING
    score_threshold: float = option(0.3, least=0, most=1)


SCHEMAS: dict[str, Any] = {"data/ships": ShipsConfig, "data/real_ships": RealShipsConfig}
