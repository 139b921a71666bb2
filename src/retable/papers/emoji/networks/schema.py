"""What may be set of the networks: ``conf/model/emoji_{cnn,net,vgg16,...}.yaml``."""

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING


@dataclass
class NetworkConfig:
    """Training of a network.

    Attributes:
        network: The network, called with input size and number of classes.
        input_size: Side in pixels to which canvases are resized.
        optimizer: An optimiser of torch, called with parameters and learning rate.
        lr: Learning rate.
        schedule: ``constant``, or ``cosine``: the rate falls to zero over the whole training.
        warmup: Iterations of linear warm-up.
        label_smoothing: Part of the truth that is spread over all classes.
        weights: Starting weights of a published network: ``imagenet`` (from scratch, with a warning, where they cannot
            be had), ``none``, or a file.
    """

    _target_: str = "retable.classification.network_classifier.NetworkClassifier"
    _convert_: str = "all"
    network: Any = MISSING
    input_size: int = MISSING
    optimizer: Any = MISSING
    lr: float = MISSING
    schedule: str = "constant"
    warmup: int = 0
    label_smoothing: float = 0.0
    weights: str = "none"


@dataclass
class PaperNetworkConfig:
    """The paper's network, see `retable.papers.emoji.networks.cnn.PaperNetwork`."""

    _target_: str = "retable.papers.emoji.networks.cnn.PaperNetwork"
    _partial_: bool = True
    filters: list[int] = field(default_factory=lambda: [16, 32, 64, 128])
    dropout: float = 0.5


@dataclass
class SmallNetworkConfig:
    """Our own network, see `retable.papers.emoji.networks.net.SmallNetwork`."""

    _target_: str = "retable.papers.emoji.networks.net.SmallNetwork"
    _partial_: bool = True
    widths: list[int] = field(default_factory=lambda: [32, 64, 128, 192])
    dropout: float = 0.3


@dataclass
class PublishedNetworkConfig:
    """A network of timm, see `retable.nn.classifiers.PublishedClassifier`."""

    _target_: str = "retable.nn.classifiers.PublishedClassifier"
    _partial_: bool = True
    name: str = MISSING


SCHEMAS: dict[str, Any] = {
    "model/emoji_network": NetworkConfig,
    "model/network/paper": PaperNetworkConfig,
    "model/network/small": SmallNetworkConfig,
    "model/network/published": PublishedNetworkConfig,
}
