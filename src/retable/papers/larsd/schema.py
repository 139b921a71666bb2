"""What may be set of LARSD: ``conf/model/larsd.yaml``."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class LarsdConfig:
    """LARSD and every row of the paper's Tables II, III and IV; the defaults are LARSD-11.

    "Not in the paper" marks what the paper leaves open and what is our choice.

    Attributes:
        backbone: timm name of the backbone: ``resnet18``, ``resnet50`` or ``resnet101``, or any other with strides 4
            to 32.
        backbone_width: Factor of the stage widths of a ResNet backbone; 1 is the published network.
        weights: ``imagenet`` (from scratch, with a warning, where they cannot be had), ``none``, or a file.
        channels: Channels of P2, P3, P4 and of the subnets. Not in the paper; 256 as in RetinaNet.
        levels: Levels that predict: ``P2``, ``P3`` and ``P4``, finest first.
        anchors: Whether regression is relative to k-means anchors.
        anchors_per_group: Anchors of each of the groups of areas.
        num_classes: Classes of the dataset.
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
        score_threshold: Slots below it are neither candidates nor merged. Not in the paper.
        candidates: Slots of each level of an image at most that are looked at. Not in the paper.
        nms_threshold: Of two boxes with a larger IoU the lower score goes. Not in the paper.
        merge_threshold: Boxes with a larger IoU to a kept one are merged into it, weighted by their scores; 1 is plain
            suppression. The paper says "merge" and gives no number.
        max_detections: Detections of an image at most. Not in the paper.
        tile_size: Larger images are cut into tiles of this side in pixels for detection. Not in the paper.
        tile_overlap: Least overlap of these tiles in pixels. Not in the paper.
        tile_batch: Images or tiles that go through the network at once in detection.
    """

    _target_: str = "retable.papers.larsd.lightning_model.LarsdModule"
    _convert_: str = "all"
    backbone: str = "resnet101"
    backbone_width: float = 1.0
    weights: str = "imagenet"
    channels: int = 256
    levels: list[str] = field(default_factory=lambda: ["P2", "P3", "P4"])
    anchors: bool = True
    anchors_per_group: int = 5
    num_classes: int = 1
    lasa: str = "diamond-9"
    lasa_extent: float = 0.75
    force_match: bool = True
    lambda_d: float = 2.0
    lambda_a: float = 10.0
    focal_alpha: float = 0.25
    focal_gamma: float = 2.0
    optimizer: str = "sgd"
    lr: float = 1e-3
    momentum: float = 0.9
    weight_decay: float = 1e-4
    schedule: str = "step"
    lr_step: int = 10_000
    lr_factor: float = 0.1
    warmup: int = 0
    score_threshold: float = 0.05
    candidates: int = 1000
    nms_threshold: float = 0.2
    merge_threshold: float = 0.5
    max_detections: int = 300
    tile_size: int = 1024
    tile_overlap: int = 256
    tile_batch: int = 4


SCHEMAS: dict[str, Any] = {"model/larsd": LarsdConfig}
