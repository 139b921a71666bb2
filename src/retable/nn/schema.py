"""What may be set of networks that papers share."""

from dataclasses import dataclass

from omegaconf import MISSING

from retable.options import Options


@dataclass
class PublishedNetworkConfig(Options):
    """A network of timm with a last layer of one's own.

    Attributes:
        name: A timm architecture, such as ``vgg16``, ``resnet50`` or ``inception_v3``.
    """

    _target_: str = "retable.nn.classifiers.PublishedClassifier"
    _partial_: bool = True
    name: str = MISSING


SCHEMAS: dict[str, type] = {"model/network/published": PublishedNetworkConfig}
