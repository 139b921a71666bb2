"""What may be set of photos with barcodes: ``conf/data/barcodes.yaml``."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from omegaconf import II, MISSING

from retable.data.schema import ImageChecks
from retable.errors import ConfigError
from retable.options import Options, option

GRID = 64
"""Sides of batches of photos are multiples of so many pixels, as U-Nets want them."""


@dataclass
class PhotoCounts(Options):
    """Generated photos of each split."""

    train: int = option(8000, least=1)
    val: int = option(500, least=1)
    test: int = option(1000, least=1)


@dataclass
class PhotoFractions(Options):
    """Relative sizes of the splits of real files; only their proportions count. The notebook holds a tenth out."""

    train: float = option(0.8, above=0)
    val: float = option(0.1, above=0)
    test: float = option(0.1, above=0)


@dataclass
class PhotoAugmentation(Options):
    """What varies from one sight of a real training photo to the next; generated ones vary already.

    Attributes:
        enabled: Whether anything does.
        rotation_degrees: The angle is drawn from -rotation_degrees to rotation_degrees.
        scale: The magnification is drawn from this range, even in its logarithm.
        camera: How far light and colours may go to those of a poor camera; 0: not at all.
        defocus: Radius in pixels of the input by which photos are put out of focus at most.
    """

    enabled: bool = True
    rotation_degrees: float = option(15.0, least=0, most=180)
    scale: tuple[float, float] = option((0.8, 1.25), above=0)
    camera: float = option(0.4, least=0, most=1)
    defocus: float = option(2.0, least=0)


@dataclass
class BarcodesConfig(ImageChecks):
    """Photos with barcodes: generated ones, real ones, or both.

    Attributes:
        root: Folder of real photos: the notebook's layout (markup.csv and Images, or Train and Test that hold these),
            or labels.csv with boxes and photos; null takes the generator.
        train_on: What is learnt from: ``generated``, ``real`` or ``both``.
        test_on: What is tested on: ``generated`` or ``real``; null is real where there is a root. All real photos are
            tested where none is learnt from, else their test split.
        group: Of a labels.csv with a column `set` the photos of this set only; null takes all.
        faulty_rows: ``error`` refuses the first row with a fault; ``leave_out`` goes on without such rows and says so.
        upright: Whether corners count pixels of photos as viewers show them, turned as their EXIF tag says, rather than
            as they are stored.
        scenes: Generator, called with split, count, image_size and seed.
        scene_size: Width of the generated photos in pixels.
        scenes_seed: Seed of the generated photos; apart from the run's seed, so that all seeds see one dataset.
        fresh: Whether each epoch has other generated photos to learn from, so that none comes twice.
        counts: Generated photos of each split.
        fractions: Relative sizes of the splits of real photos, cut in runs of their order.
        image_size: Longer side of photos in pixels, to which they are scaled; a multiple of 64.
        batch_size: Photos of a training batch, over all processes.
        eval_batch_size: Photos of a validation or test batch, of one process.
        workers: Loader processes of each process; null: one less than its cores, at least 1, at most 4.
        augment: What varies of real photos.
    """

    task: ClassVar[str] = "photos with barcodes"

    _target_: str = "retable.papers.barcodes.datasets.data_module.BarcodesDataModule"
    _partial_: bool = False  # true where other data cut symbols out of these
    root: str | None = None
    train_on: str = option("generated", choices=("generated", "real", "both"))
    test_on: str | None = option(None, choices=("generated", "real"))
    group: str | None = None
    faulty_rows: str = option("error", choices=("error", "leave_out"))
    upright: bool = False
    scenes: Any = None
    scene_size: int = option(640, least=160, most=1280)
    scenes_seed: int = option(0, least=0)
    fresh: bool = True
    counts: PhotoCounts = field(default_factory=PhotoCounts)
    fractions: PhotoFractions = field(default_factory=PhotoFractions)
    image_size: int = option(512, least=64)
    batch_size: int = option(16, least=1)
    eval_batch_size: int = option(16, least=1)
    workers: int | None = II("budget.workers")
    augment: PhotoAugmentation = field(default_factory=PhotoAugmentation)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.image_size % GRID:
            raise ConfigError(f"data.image_size={self.image_size}: must be a multiple of {GRID}")
        if self.root is None and (self.train_on != "generated" or self.test_on == "real"):
            key = "train_on" if self.train_on != "generated" else "test_on"
            raise ConfigError(f"data.{key}={getattr(self, key)} needs real photos: give data.root=FOLDER")
        if self.root is not None and self.train_on == self.test_on == "generated":
            raise ConfigError("data.root is given, but data.train_on and data.test_on use no real photos")


@dataclass
class BarcodePhotosConfig(Options):
    """Generated photos as files: ``conf/prepare/data/barcode_photos.yaml``.

    Attributes:
        output: Folder for the photos, in the notebook's layout.
        count: How many.
        scenes: Generator, called with split, count, image_size and seed.
        size: Their width in pixels.
        seed: Of all of them. They are those of the test split, which nothing learns from.
    """

    _target_: str = "retable.papers.barcodes.datasets.building.BarcodePhotosBuilder"
    output: str = MISSING
    count: int = option(100, least=1)
    scenes: Any = None
    size: int = option(640, least=160, most=1280)
    seed: int = option(0, least=0)


SCHEMAS: dict[str, Any] = {"data/barcodes": BarcodesConfig, "prepare/barcode_photos": BarcodePhotosConfig}
