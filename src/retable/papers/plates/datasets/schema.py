"""What may be set of plates' data: ``conf/data/plates.yaml`` and ``conf/data/plate_crops.yaml``."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from omegaconf import II

from retable.classification.schema import check_sources
from retable.data.schema import ImageChecks
from retable.detection.schema import FilesConfig
from retable.errors import ConfigError
from retable.options import Options, option

MARGIN = 0.06
"""What is cut out around a plate, as a part of its sides."""

SMALLEST = 6
"""Pixels of a plate's shorter side below which nobody could tell what it is."""


@dataclass
class PlateFilesConfig(FilesConfig):
    """Real scenes with plates.

    Attributes:
        format: ``manifest``: root/manifest.csv; ``voc``: XML with bndbox; ``yolo``: text with class number, centre and
            size as parts of width and height.
        plate_class: Name (voc) or number (yolo) of the class that is the plate; null where there is only one.
        country: The plates' country where the files do not tell it; null for unknown.
    """

    _target_: str = "retable.papers.plates.datasets.scenes.PlateFiles"
    format: str = option("manifest", choices=("manifest", "voc", "yolo"))
    plate_class: str | None = None
    country: str | None = None


@dataclass
class CropFractions(Options):
    """Relative sizes of the splits; only their proportions count."""

    train: float = option(0.6, above=0)
    val: float = option(0.2, above=0)
    test: float = option(0.2, above=0)


@dataclass
class CropAugmentation(Options):
    """What varies from one sight of a crop to the next.

    Generated crops vary already. Real ones come from few sources, which differ in blur, noise, colours and JPEG: a
    network must not learn these.

    Attributes:
        enabled: Whether anything varies at all.
        camera: How strongly light, colours, blur, resolution, noise and JPEG do; 0 to 1.
        view: By up to which part of the side each corner moves.
        generated: Whether generated crops vary further.
    """

    enabled: bool = False
    camera: float = option(0.6, least=0, most=1)
    view: float = option(0.06, least=0, most=0.3)
    generated: bool = False


@dataclass
class PlateCropsConfig(ImageChecks):
    """Cut-out plates by country and layout: generated ones, real ones, or both.

    Attributes:
        root: Folder of real plates: manifest.csv with crops and scenes, whose boxes are cut out, or one folder a class;
            null takes the generator.
        train_on: What is learnt from: ``generated``, ``real`` or ``both``; null is real where there is a root, else
            generated.
        test_on: What is tested on: ``generated`` or ``real``; null as of train_on, and real for both.
        classes: Names of the classes: a country's code, an underscore, 1 or 2 lines. What real files have of others is
            an error, unless `ignore_other_classes`.
        ignore_other_classes: Whether plates of other classes are left out, which log and provenance tell.
        crops: Generator, called with count, image_size, seed, split, classes and fit.
        per_class: Generated crops of each class, over all splits.
        crops_seed: Seed of the generated crops; apart from the run's seed, so that all seeds see one dataset.
        fractions: Relative sizes of the splits. Real files are split in runs of their order in each source, country and
            layout, the same whatever they are used for; a generated crop is drawn for its split.
        test_sources: Sources, as the manifest names them, whose plates are tested and never learnt from; ``NAME crops``
            or ``NAME scenes`` is a part of one. Null shares out each source.
        image_size: Width of the crops in pixels; models resize them to their own.
        image_height: Height of the crops in pixels; null makes squares.
        fit: ``stretch`` changes a crop's proportions to these; ``pad`` keeps them.
        margin: What is cut out around the box of a scene, as a part of its sides.
        smallest: Pixels of a plate's shorter side below which it is an error: nobody could tell what it is.
        outliers: Generated images of no class, of each kind (`retable.papers.plates.crops.outliers`), over all splits,
            for models that answer ``unknown``; with real scenes also backgrounds cut out of them.
        sampling: ``all`` shows each image once an epoch. ``even`` draws as many, each class as often as another, in it
            each source, and each kind of outliers as often as a class.
        batch_size: Images of a training batch, over all processes.
        eval_batch_size: Images of a validation or test batch, of one process.
        workers: Loader processes of each process; null: one less than its cores, at least 1, at most 4.
        cache_megabytes: Memory for generated crops of each process and each of its loaders (training, validation),
            shared among the loader's workers; beyond it they are drawn anew in each epoch.
        augment: Training augmentation.
    """

    task: ClassVar[str] = "images of one class each"

    _target_: str = "retable.papers.plates.data_module.PlateCropsDataModule"
    root: str | None = None
    train_on: str | None = option(None, choices=("generated", "real", "both"))
    test_on: str | None = option(None, choices=("generated", "real"))
    classes: list[str] = field(default_factory=list)
    ignore_other_classes: bool = False
    crops: Any = None
    per_class: int = option(1000, least=3)
    crops_seed: int = 0
    fractions: CropFractions = field(default_factory=CropFractions)
    test_sources: list[str] | None = None
    image_size: int = option(64, least=16, most=512)
    image_height: int | None = option(None, least=16, most=512)
    fit: str = option("stretch", choices=("stretch", "pad"))
    margin: float = option(MARGIN, least=0, most=1)
    smallest: int = option(SMALLEST, least=1)
    outliers: int = option(0, least=0)
    sampling: str = option("all", choices=("all", "even"))
    batch_size: int = option(120, least=1)
    eval_batch_size: int = option(100, least=1)
    workers: int | None = None
    cache_megabytes: int = 1024
    augment: CropAugmentation = field(default_factory=CropAugmentation)

    def __post_init__(self) -> None:
        super().__post_init__()
        default = "generated" if self.root is None else "real"
        self.train_on = self.train_on or default
        self.test_on = self.test_on or ("real" if self.train_on == "both" else self.train_on)
        check_sources(self.root, self.train_on, self.test_on, "plates")
        if self.test_sources is not None and self.test_on == "generated":
            raise ConfigError("data.test_sources: the test is on generated plates; drop it, or set data.test_on=real")
        if 0 < self.outliers < 3:
            raise ConfigError(f"data.outliers={self.outliers}: must be 3 or more, one for each split, or 0 for none")


@dataclass
class PlateClassesConfig(Options):
    """What classifiers of plates tell apart, and how they read a user's files: as they were trained.

    Attributes:
        classes: Names of the classes, as of the data.
        image_size: Width of the crops in pixels.
        image_height: Height of the crops in pixels; null makes squares.
        fit: How crops are brought into that shape, as of the data.
        margin: What is cut out around a plate that was found in a scene, as a part of its sides.
    """

    _target_: str = "retable.papers.plates.subject.PlateClasses"
    classes: list[str] = field(default_factory=lambda: II("data.classes"))
    image_size: int = II("data.image_size")
    image_height: int | None = None
    fit: str = II("data.fit")
    margin: float = option(MARGIN, least=0, most=1)


SCHEMAS: dict[str, Any] = {"data/plate_crops": PlateCropsConfig}
