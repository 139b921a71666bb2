"""What may be set of detectors and of their datasets."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from omegaconf import MISSING

from retable.data.schema import ImageChecks
from retable.errors import ConfigError
from retable.options import Options, option


@dataclass
class DetectorConfig(Options):
    """What all detectors have; a detector's own config derives from it.

    Attributes:
        num_classes: Classes of the dataset.
        score_threshold: What has a lower score is no detection.
        nms_threshold: Of two boxes of a class with a larger IoU the lower score goes, also across tiles.
        max_detections: Detections of an image (or tile) at most.
        tile_size: Images of a larger side are cut into tiles of this side in pixels for detection.
        tile_overlap: Least overlap of these tiles in pixels.
        tile_batch: Images or tiles that go through the network at once in detection.
    """

    task: ClassVar[str] = "boxes in images"
    inference_options: ClassVar[frozenset[str]] = frozenset(
        {"score_threshold", "nms_threshold", "max_detections", "tile_size", "tile_overlap", "tile_batch"}
    )

    num_classes: int = option(1, least=1)
    score_threshold: float = option(0.05, least=0, most=1)
    nms_threshold: float = option(0.2, least=0, most=1)
    max_detections: int = option(300, least=1)
    tile_size: int = option(1024, least=1)
    tile_overlap: int = option(256, least=0)
    tile_batch: int = option(4, least=1)


@dataclass
class SplitNames(Options):
    """Names that the splits have among the real files.

    A split "test" that is not there has val tested; a split "val" that is not there is every eighth training image. A
    split of any other name must be there.
    """

    train: str = "train"
    val: str = "val"
    test: str = "test"


@dataclass
class SplitCounts(Options):
    """Number of generated images of each split; unused with real files."""

    train: int = 1249
    val: int = 424
    test: int = 824


@dataclass
class AugmentConfig(Options):
    """What varies from one sight of a training image to the next.

    Attributes:
        enabled: Whether anything does.
        horizontal_flip: Probability of mirroring left and right.
        vertical_flip: Probability of mirroring top and bottom.
        rotation_degrees: The angle is drawn from -rotation_degrees to rotation_degrees; 180 covers all headings.
        scale: The magnification is drawn from this range, even in its logarithm.
        brightness: An offset is drawn from -brightness to brightness, as a part of full scale.
        contrast: The contrast is multiplied by 1 - contrast to 1 + contrast, about the mean colour.
        camera: How far colours, sharpness, noise and compression may go to those of a poor camera; 0: not at all.
    """

    enabled: bool = True
    horizontal_flip: float = option(0.5, least=0, most=1)
    vertical_flip: float = option(0.5, least=0, most=1)
    rotation_degrees: float = option(180.0, least=0, most=180)
    scale: tuple[float, float] = option((0.8, 1.25), above=0)
    brightness: float = option(0.0, least=0, most=1)
    contrast: float = option(0.0, least=0, most=1)
    camera: float = option(0.0, least=0, most=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        low, high = self.scale
        if low > high:
            raise ConfigError(f"augment.scale={list(self.scale)}: must be two numbers, the smaller first")


@dataclass
class Scaling(Options):
    """How files are read and images scaled before anything else, in training and in prediction.

    Attributes:
        resize: Factor for every image.
        max_side: Images whose longer side is then larger are shrunk to it, in pixels; null keeps them.
        bands: Which bands of a file become red, green and blue, or the one that becomes grey, counted from 1; null
            takes the colours, and refuses a TIFF that has neither one, three nor four bands.
        range: Values of a file that become black and white, the smaller first, for types and depths that are not
            displayed as they are (float, 12 of 16 bits); null takes 8 bits, the upper 8 of 16, and refuses others.
    """

    resize: float = option(1.0, above=0)
    max_side: int | None = option(None, least=1)
    bands: list[int] | None = option(None, least=1)
    range: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.bands is not None and len(self.bands) not in (1, 3):
            raise ConfigError(f"data.bands={list(self.bands)}: must be three bands, or one")
        if self.range is not None and not self.range[0] < self.range[1]:
            raise ConfigError(f"data.range={list(self.range)}: must be two numbers, the smaller first")

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Returns height and width in pixels of the scaled image."""
        factor = self.resize
        if self.max_side is not None:
            factor = min(factor, self.max_side / max(height, width))
        return max(1, round(height * factor)), max(1, round(width * factor))


@dataclass
class DetectionDataConfig(Scaling, ImageChecks):
    """A detection dataset: published files below ``root``, or generated scenes.

    Attributes:
        root: Folder of the real files; null takes the generator.
        files: Loader of the real files, called with root and split; null where there is none.
        scenes: Generator, called with split, count, image_size and seed; null where there is none.
        splits: Names of the splits among the real files.
        duplicates: What becomes of real objects that repeat another one of their image, and of training images that
            are in another split as well: ``keep`` tells them, ``remove`` leaves them out.
        add_generated: Whether generated images are learnt from as well as real ones; val and test stay real.
        counts: Generated images of each split.
        scene_size: Side of the generated images in pixels.
        scenes_seed: Seed of the generated images; apart from the run's seed, so that all seeds see one dataset.
        image_size: Side of the training squares in pixels.
        batch_size: Images of a training batch, over all processes.
        eval_batch_size: Images of a validation or test batch, of one process.
        workers: Loader processes of each process; null: one less than its cores, at least 1, at most 4.
        cache_megabytes: Memory for decoded and scaled images, shared among the loader processes; images beyond it are
            read again each time, 0 keeps none.
        tiles: Whether training images larger than image_size are cut into tiles, each of which is a sample; otherwise
            each image is one, seen in a random place at the scale that augment.scale draws.
        tile_overlap: Least overlap, in pixels, of these tiles.
        empty_tiles: Share of the training tiles without any object that are kept, evenly spread; large images of few
            objects are mostly empty, and most of a training would be spent on that.
        augment: Training augmentation.
    """

    task: ClassVar[str] = "boxes in images"

    _target_: str = "retable.detection.data_module.DetectionDataModule"
    root: str | None = None
    files: Any = None
    scenes: Any = None
    splits: SplitNames = field(default_factory=SplitNames)
    duplicates: str = option("keep", choices=("keep", "remove"))
    add_generated: bool = False
    counts: SplitCounts = field(default_factory=SplitCounts)
    scene_size: int = 512
    scenes_seed: int = 0
    image_size: int = option(512, least=1)
    batch_size: int = option(8, least=1)
    eval_batch_size: int = option(8, least=1)
    workers: int | None = option(None, least=0)
    cache_megabytes: int = option(1024, least=0)
    tiles: bool = True
    tile_overlap: int = option(128, least=0)
    empty_tiles: float = option(1.0, least=0, most=1)
    augment: AugmentConfig = field(default_factory=AugmentConfig)


@dataclass
class RealDetectionDataConfig(DetectionDataConfig):
    """A detection dataset that has no generator: ``root`` must be given."""

    root: str = MISSING


@dataclass
class FilesConfig(Options):
    """What the loaders of published files have in common.

    Attributes:
        outside: What becomes of a box whose centre lies outside its image: ``error`` ends the run, ``difficult`` keeps
            it, neither demanded nor punished.
    """

    _target_: str = MISSING
    _partial_: bool = True
    outside: str = option("error", choices=("error", "difficult"))


@dataclass
class PredictionOptions(Options):
    """What ``predict.py`` may be asked of a detector.

    Attributes:
        input: An image, a video, a folder of them, or a pattern such as ``photos/*.jpg``.
        score_threshold: Detections below it are left out.
        classifier: Folder of a classifier's run, whose classes are told of each detection; null: of none.
        unknown_below: Probability below which the classifier's answer is ``unknown``; null: its own threshold.
        every: Of videos, every so many frames is looked at.
    """

    input: str = MISSING
    score_threshold: float = option(0.3, least=0, most=1)
    classifier: str | None = None
    unknown_below: float | None = option(None, least=0, most=1)
    every: int = option(1, least=1)


SCHEMAS: dict[str, Any] = {
    "data/detection": DetectionDataConfig,
    "data/real_detection": RealDetectionDataConfig,
}
