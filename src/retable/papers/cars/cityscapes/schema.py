"""What may be set of the cars that are cut from Cityscapes: ``conf/prepare/data/cityscapes_cars.yaml``."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from omegaconf import MISSING

from retable.errors import ConfigError
from retable.options import Options, option


class Form(StrEnum):
    """What is outside a car."""

    rgb = "rgb"  # the background colour
    rgba = "rgba"  # nothing: transparent


@dataclass
class MaskRCNNConfig(Options):
    """torchvision's Mask R-CNN with ResNet-50 and FPN (section 3.1 of the essay).

    Attributes:
        batch_size: Pictures at a time; null is 1 on a CPU, where more are no faster, and 8 on a GPU.
        min_size: Pictures are scaled until their shorter side has so many pixels,
        max_size: but the longer one no more than these.
    """

    _target_: str = "retable.papers.cars.cityscapes.detector.MaskRCNN"
    _partial_: bool = True
    batch_size: int | None = option(None, least=1)
    min_size: int = option(800, least=1)
    max_size: int = option(1333, least=1)


@dataclass
class CityscapesCarsConfig(Options):
    """Cars cut from Cityscapes (section 2 of the essay).

    Attributes:
        root: Folder that holds leftImg8bit and gtFine.
        output: Folder for the dataset: a new one, or one that was begun with the same settings.
        splits: Folders below leftImg8bit and gtFine whose cars are taken.
        weights: Weights of the detector: coco downloads the published ones, and goes on without a detector where that
            fails; none does without; or a file.
        detector: A `Detector`, called with weights and accelerator.
        min_confidence: A car is kept when the detector finds it with at least this confidence.
        min_side: Cars whose mask is lower or narrower than this, in pixels, are dropped without asking the detector.
        form: What is outside a car: rgb for the background colour, rgba for transparency.
        crop: Whether pictures are cropped to the box that the detector predicts, or without one to that of the mask.
        background: Colour outside a car, RGB; of transparent pixels the colour that is left below.
        size: Side of square pictures, the car in proportion and in the middle; null keeps the pixels as they are.
        workers: Processes; null: one for each core, at most 4 on a GPU.
        accelerator: auto, cpu or gpu: where the detector runs.
    """

    _target_: str = "retable.papers.cars.cityscapes.builder.CityscapesCars"
    root: str = MISSING
    output: str = MISSING
    splits: list[str] = field(default_factory=lambda: ["train", "val", "test"])
    weights: str = "coco"
    detector: Any = field(default_factory=MaskRCNNConfig)
    min_confidence: float = option(0.9, least=0, most=1)
    min_side: int = option(16, least=1)
    form: Form = Form.rgb
    crop: bool = True
    background: tuple[int, int, int] = option((51, 255, 51), least=0, most=255)
    size: int | None = option(None, least=1)
    workers: int | None = option(None, least=1)
    accelerator: str = option("auto", choices=("auto", "cpu", "gpu"))

    def __post_init__(self) -> None:
        """Checks the lists as well."""
        super().__post_init__()
        if len(self.background) != 3:
            raise ConfigError(f"background={list(self.background)}: must be three numbers, red, green and blue")
        if not self.splits or len(set(self.splits)) < len(self.splits):
            raise ConfigError(f"splits={list(self.splits)}: must name at least one split, and none twice")


SCHEMAS: dict[str, Any] = {"prepare/cityscapes_cars": CityscapesCarsConfig}
