"""What may be set of the rivals."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from omegaconf import MISSING

from retable.detection.schema import DetectorConfig
from retable.errors import ConfigError
from retable.options import Options, option


@dataclass
class ProposalsConfig(Options):
    """How image processing looks for what could be a plate; set on generated training scenes.

    Attributes:
        sides: Longer sides in pixels to which an image is scaled, one after the other.
        edge_threshold: How many times as strong as around it an edge is that may belong to letters.
        windows: Sides in pixels of what an area's brightness is compared with.
        brightness_threshold: By how many of 255 levels an area is brighter or darker than that.
        aspects: Width by height of a proposal, at least and at most.
        fill: Least part of a proposal that its area fills.
        overlap: Of two proposals with a larger IoU the less plausible goes.
        count: Proposals of an image at most.
    """

    sides: list[int] = option([560, 360, 230, 150], least=16)
    edge_threshold: float = option(3.0, above=0)
    windows: list[int] = option([15, 31], least=3)
    brightness_threshold: int = option(8, least=0, most=255)
    aspects: tuple[float, float] = option((0.9, 8.0), above=0)
    fill: float = option(0.4, least=0, most=1)
    overlap: float = option(0.8, above=0, most=1)
    count: int = option(200, least=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.sides:
            raise ConfigError("model.proposals.sides: name one side at least")
        if not self.aspects[0] < self.aspects[1]:
            raise ConfigError(f"model.proposals.aspects={list(self.aspects)}: must be two numbers, the smaller first")


@dataclass
class RivalConfig(DetectorConfig):
    """A detector of proposals: their boxes stay as they are, and each gets a score.

    Attributes:
        proposals: How they are found.
    """

    inference_options: ClassVar[frozenset[str]] = DetectorConfig.inference_options | {"proposals"}

    _target_: str = "retable.papers.plates.rivals.image_processing.ImageProcessingDetector"
    score_threshold: float = option(0.01, least=0, most=1)
    nms_threshold: float = option(0.3, least=0, most=1)
    proposals: ProposalsConfig = field(default_factory=ProposalsConfig)


@dataclass
class LearntRivalConfig(RivalConfig):
    """A detector that has learnt from cut-out proposals which of them are plates.

    Attributes:
        input_size: Height and width in pixels to which each is stretched.
        margin: What is cut out around it, as a part of its sides.
        positives: Proposals that are plates, of each training image, that are learnt from at most; drawn anew each
            time.
        negatives: Likewise, of those that are none.
    """

    input_size: tuple[int, int] = option((32, 32), least=8)
    margin: float = option(0.25, least=0, most=1)
    positives: int = option(4, least=1)
    negatives: int = option(12, least=1)


@dataclass
class FittedRivalConfig(LearntRivalConfig):
    """A detector that fits once, without gradients.

    Attributes:
        examples: Proposals that are fitted at most, drawn from those of all training images.
    """

    positives: int = option(8, least=1)
    negatives: int = option(24, least=1)
    examples: int = option(10_000, least=2)


@dataclass
class AlexNetSvmConfig(FittedRivalConfig):
    """A linear support vector machine on features of AlexNet.

    Attributes:
        weights: Of AlexNet: ``imagenet`` (random ones, with a warning, where they cannot be had), ``none``, or a file.
            They stay as they are.
        layer: Whose outputs are the features: ``fc7``, ``fc6``, or the last pooling, ``pool5``.
        regularisation: The machine's C.
    """

    _target_: str = "retable.papers.plates.rivals.alexnet_svm.AlexNetSvmDetector"
    input_size: tuple[int, int] = option((224, 224), least=63)
    weights: str = "imagenet"
    layer: str = option("fc7", choices=("pool5", "fc6", "fc7"))
    regularisation: float = option(1.0, above=0)


@dataclass
class VggLstmConfig(LearntRivalConfig):
    """VGG's features of a proposal, read column by column by an LSTM in both directions.

    Attributes:
        network: A VGG of timm, such as ``vgg16``; its layers before the fourth pooling are taken.
        width: Factor of its channels; 1 is the published network.
        weights: ``imagenet`` (from scratch, with a warning, where they cannot be had), ``none``, or a file.
        hidden: Units of the LSTM in each direction.
        optimizer: An optimiser of torch, called with parameters and learning rate.
        lr: Learning rate at the start; it falls to zero by a cosine.
    """

    _target_: str = "retable.papers.plates.rivals.vgg_lstm.VggLstmDetector"
    input_size: tuple[int, int] = option((32, 96), least=8)
    network: str = "vgg16"
    width: float = option(1.0, above=0)
    weights: str = "imagenet"
    hidden: int = option(128, least=1)
    optimizer: Any = MISSING
    lr: float = option(1e-4, above=0)


@dataclass
class NeighboursConfig(FittedRivalConfig):
    """The nearest of the proposals that were learnt from decide, by their histograms of oriented gradients.

    Attributes:
        neighbours: How many.
        cell: Side in pixels of the histograms' cells, of which `input_size` must be two or more.
        bins: Orientations, over half a turn.
    """

    _target_: str = "retable.papers.plates.rivals.neighbours.NeighboursDetector"
    input_size: tuple[int, int] = option((48, 48), least=8)
    neighbours: int = option(31, least=1)
    cell: int = option(8, least=2)
    bins: int = option(9, least=2)


@dataclass
class CascadeConfig(DetectorConfig):
    """OpenCV's cascade for plates of Russia, as it comes.

    Attributes:
        file: The cascade's XML; null: the one that OpenCV 4 brings, haarcascade_russian_plate_number.xml.
        scale: Factor from one size of its window to the next.
        neighbours: More windows than these must agree on a plate.
    """

    inference_options: ClassVar[frozenset[str]] = DetectorConfig.inference_options | {"scale", "neighbours"}

    _target_: str = "retable.papers.plates.rivals.cascade.CascadeDetector"
    score_threshold: float = option(0.0, least=0, most=1)
    file: str | None = None
    scale: float = option(1.1, above=1)
    neighbours: int = option(3, least=0)


SCHEMAS: dict[str, Any] = {
    "model/plate_image_processing": RivalConfig,
    "model/plate_alexnet_svm": AlexNetSvmConfig,
    "model/plate_vgg_lstm": VggLstmConfig,
    "model/plate_neighbours": NeighboursConfig,
    "model/plate_cascade": CascadeConfig,
}
