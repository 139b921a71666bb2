"""What may be set of LARSD, ``conf/model/larsd.yaml``, and of the loaders of its datasets."""

from dataclasses import dataclass
from typing import Any, ClassVar

from retable.detection.schema import DetectorConfig, FilesConfig
from retable.errors import ConfigError
from retable.options import option

DISTRIBUTIONS = ("none", "rectangle-9", "diamond-5", "diamond-9", "diamond-13")


@dataclass
class LarsdConfig(DetectorConfig):
    """LARSD and every row of the paper's Tables II, III and IV; the defaults are LARSD-11.

    "Not in the paper" marks what the paper leaves open and what is our choice; so are the values of
    all options that it shares with other detectors. Slots below the score threshold are neither candidates nor merged.

    Attributes:
        backbone: timm name of the backbone: ``resnet18``, ``resnet50`` or ``resnet101``, or any other with strides 4
            to 32.
        backbone_width: Factor of the stage widths of a ResNet backbone; 1 is the published network.
        weights: ``imagenet`` (from scratch, with a warning, where they cannot be had), ``none``, or a file.
        channels: Channels of P2, P3, P4 and of the subnets. Not in the paper; 256 as in RetinaNet.
        levels: Levels that predict: ``P2``, ``P3`` and ``P4``, finest first.
        anchors: Whether regression is relative to k-means anchors, else to one square a level.
        anchors_per_group: Anchors of each of the groups of areas.
        lasa: Score alignment: ``none``, ``rectangle-9``, ``diamond-5``, ``diamond-9`` or ``diamond-13``.
        lasa_extent: Part of a box's half sides that the outermost sampling points reach. Not in the paper.
        force_match: Whether a ship without any positive gets its best anchor at its centre. Not in the paper.
        lambda_d: Weight of the distance loss. Not in the paper.
        lambda_a: Weight of the angle loss. Not in the paper; 10 as in EAST.
        focal_alpha: Focal loss weight of positives; of the focal loss paper.
        focal_gamma: Focal loss exponent; of the focal loss paper.
        optimizer: ``sgd``, the paper's, or ``adamw``, which gets a network from scratch much further in few iterations.
        lr: Learning rate at the start.
        momentum: Momentum of SGD, or the first beta of AdamW.
        weight_decay: Weight decay, on all parameters.
        schedule: ``step``: the rate is multiplied by `lr_factor` every `lr_step` iterations; ``cosine``: it falls to
            zero over the whole training.
        lr_step: Iterations between the steps.
        lr_factor: Factor of each step.
        warmup: Iterations of linear warm-up; none in the paper.
        candidates: Slots of each level of an image at most that are looked at, the best ones. Not in the paper.
        merge_threshold: Boxes with a larger IoU to a kept one are merged into it, weighted by their scores; 1 is plain
            suppression. The paper says "merge" and gives no number.
    """

    inference_options: ClassVar[frozenset[str]] = DetectorConfig.inference_options | {
        "lasa", "lasa_extent", "candidates", "merge_threshold",
    }  # fmt: skip

    _target_: str = "retable.papers.larsd.lightning_model.LarsdModule"
    backbone: str = "resnet101"
    backbone_width: float = option(1.0, above=0)
    weights: str = "imagenet"
    channels: int = option(256, least=1)
    levels: list[str] = option(["P2", "P3", "P4"], choices=("P2", "P3", "P4"))
    anchors: bool = True
    anchors_per_group: int = option(5, least=1)
    lasa: str = option("diamond-9", choices=DISTRIBUTIONS)
    lasa_extent: float = option(0.75, least=0)
    force_match: bool = True
    lambda_d: float = option(2.0, least=0)
    lambda_a: float = option(10.0, least=0)
    focal_alpha: float = option(0.25, least=0, most=1)
    focal_gamma: float = option(2.0, least=0)
    optimizer: str = option("sgd", choices=("sgd", "adamw"))
    lr: float = option(1e-3, above=0)
    momentum: float = option(0.9, least=0)
    weight_decay: float = option(1e-4, least=0)
    schedule: str = option("step", choices=("step", "cosine"))
    lr_step: int = option(10_000, least=1)
    lr_factor: float = option(0.1, above=0)
    warmup: int = option(0, least=0)
    candidates: int = option(1000, least=1)
    merge_threshold: float = option(0.5, least=0, most=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.levels or sorted(set(self.levels)) != self.levels:
            raise ConfigError(f"model.levels={self.levels}: must be one or more of P2, P3, P4, each once, finest first")


@dataclass
class AngledFilesConfig(FilesConfig):
    """Published files whose boxes have an angle.

    Attributes:
        angle: Unit of the angles, ``radians`` or ``degrees``; null takes the published one, and refuses files whose
            numbers look like the other.
    """

    angle: str | None = option(None, choices=("radians", "degrees"))


@dataclass
class DotaTextConfig(AngledFilesConfig):
    """Own images with annotations as labelling tools write them.

    Attributes:
        format: ``dota``: x1 y1 x2 y2 x3 y3 x4 y4 class difficult, in pixels; ``yolo-obb``: class number and the same
            corners as parts of width and height; ``rolabelimg``: XML with robndbox.
        classes: Names of the labels 0, 1, and so on; a single name may be given without a list.
        ignore_other_classes: Whether objects of other classes are left out, which log and provenance tell; otherwise
            they are errors.
        name: The dataset's name in log and provenance.
    """

    format: str = option("dota", choices=("dota", "yolo-obb", "rolabelimg"))
    classes: Any = option(["ship"])
    ignore_other_classes: bool = False
    name: str = "DOTA text"

    def __post_init__(self) -> None:
        super().__post_init__()
        names = list(self.classes) if isinstance(self.classes, list | tuple) else [self.classes]
        self.classes = [" ".join(str(name).split()) for name in names]  # annotations are read by words
        if not names or not all(self.classes) or len(set(self.classes)) < len(self.classes):
            raise ConfigError(f"data.files.classes={names}: must be one or more names, each once")
        if self.angle is not None and self.format != "rolabelimg":
            raise ConfigError(f"data.files.angle={self.angle}: data.files.format={self.format} has corners, no angles")


@dataclass
class Hrsc2016Config(AngledFilesConfig):
    """HRSC2016.

    Attributes:
        level: Class level: 1 one class "ship", 2 categories, 3 types.
    """

    level: int = option(1, choices=(1, 2, 3))


SCHEMAS: dict[str, Any] = {"model/larsd": LarsdConfig}
