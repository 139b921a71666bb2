"""What may be set of the detector, ``conf/model/yolov2_resnet40.yaml``, and of its anchors."""

from dataclasses import dataclass
from typing import Any, ClassVar

from omegaconf import MISSING

from retable.detection.schema import DetectorConfig
from retable.errors import ConfigError
from retable.options import Options, option


@dataclass
class PyramidAnchorsConfig(Options):
    """Anchors that are multiples of some smallest ones.

    Attributes:
        minimum: Height and width in pixels of the smallest ones.
        levels: Sizes of each.
        scale: Factor from one level to the next.
    """

    _target_: str = "retable.papers.plates.anchors.PyramidAnchors"
    minimum: list[list[int]] = option([[10, 10], [10, 20], [10, 30], [10, 40], [10, 50], [30, 14]])
    levels: int = option(15, least=1)
    scale: float = option(1.3, above=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.minimum or any(len(size) != 2 or not min(size) > 0 for size in self.minimum):
            raise ConfigError(f"model.anchors.minimum={self.minimum}: must be pairs of height and width, above 0")


@dataclass
class ClusteredAnchorsConfig(Options):
    """Anchors by k-means on the training boxes.

    Attributes:
        count: Number of anchors.
    """

    _target_: str = "retable.papers.plates.anchors.ClusteredAnchors"
    count: int = option(5, least=1)


@dataclass
class Yolov2Config(DetectorConfig):
    """YOLOv2 with a ResNet backbone of stride 16.

    "Not in the paper" marks what it leaves open and what is as in YOLOv2's own paper and code (Darknet).

    Attributes:
        backbone: timm name of the backbone, which is cut after its map of stride 16.
        backbone_width: Factor of the stage widths of a ResNet backbone; 1 is the published network.
        weights: ``imagenet`` (from scratch, with a warning, where they cannot be had), ``none``, or a file.
        head_layers: 3 x 3 convolutions between the backbone and the last layer. Not in the paper; two in the library
            that it used.
        anchors: The anchors; ``model/anchors=pyramid`` or ``clustered``.
        ignore_threshold: A predicted box with a larger IoU with a plate is not taught to be none. Not in the paper.
        object_weight: Weight of the objectness of the anchors that predict a plate. Not in the paper.
        no_object_weight: Weight of the objectness of the others. Not in the paper.
        coordinate_weight: Weight of the boxes. Not in the paper.
        class_weight: Weight of the classes. Not in the paper.
        phases: The phases of the training, see `retable.nn.phases`.
        candidates: Predicted boxes of an image at most that suppression looks at, the best ones. Not in the paper.
    """

    inference_options: ClassVar[frozenset[str]] = DetectorConfig.inference_options | {"candidates"}

    _target_: str = "retable.papers.plates.detector.lightning_model.Yolov2Module"
    backbone: str = "resnet50"
    backbone_width: float = option(1.0, above=0)
    weights: str = "imagenet"
    head_layers: int = option(2, least=0)
    anchors: Any = MISSING
    ignore_threshold: float = option(0.6, above=0, most=1)
    object_weight: float = option(5.0, least=0)
    no_object_weight: float = option(1.0, least=0)
    coordinate_weight: float = option(1.0, least=0)
    class_weight: float = option(1.0, least=0)
    phases: Any = MISSING
    candidates: int = option(1000, least=1)


SCHEMAS: dict[str, Any] = {
    "model/yolov2": Yolov2Config,
    "model/anchors/pyramid": PyramidAnchorsConfig,
    "model/anchors/clustered": ClusteredAnchorsConfig,
}
