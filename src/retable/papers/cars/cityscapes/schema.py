"""What may be set of the cars that are cut from Cityscapes: ``conf/prepare/data/cityscapes_cars.yaml``."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from omegaconf import MISSING


class Form(StrEnum):
    """What is outside a car."""

    rgb = "rgb"  # the background colour
    rgba = "rgba"  # nothing: transparent


@dataclass
class CityscapesCarsConfig:
    """Cars cut from Cityscapes (section 2 of the essay).

    Attributes:
        root: Folder that holds leftImg8bit and gtFine.
        output: Folder for the dataset: a new one, or one that was begun with the same settings.
        splits: Folders below leftImg8bit and gtFine whose cars are taken.
        weights: Weights of the detector: coco downloads the published ones, and goes on without a detector where that
            fails; none does without; or a file.
        detector: Finds a car in a picture, called with weights and accelerator.
        min_confidence: A car is kept when the detector finds it with at least this confidence.
        min_side: Cars whose mask is lower or narrower than this, in pixels, are dropped without asking the detector.
        form: What is outside a car: rgb for the background colour, rgba for transparency.
        crop: Whether pictures are cropped to the box that the detector predicts, or without one to that of the mask.
        background: Colour outside a car, RGB.
        size: Side of square pictures, the car in proportion and in the middle; null keeps the pixels as they are.
        workers: Processes; null: one for each core, at most 4 on a GPU.
        accelerator: auto, cpu or gpu: where the detector runs.
    """

    _target_: str = "retable.papers.cars.cityscapes.builder.CityscapesCars"
    root: str = MISSING
    output: str = MISSING
    splits: list[str] = field(default_factory=lambda: ["train", "val", "test"])
    weights: str = "coco"
    detector: Any = MISSING
    min_confidence: float = 0.9
    min_side: int = 16
    form: Form = Form.rgb
    crop: bool = True
    background: tuple[int, int, int] = (51, 255, 51)
    size: int | None = None
    workers: int | None = None
    accelerator: str = "auto"


SCHEMAS: dict[str, Any] = {"prepare/cityscapes_cars": CityscapesCarsConfig}
