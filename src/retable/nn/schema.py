"""What may be set of networks and trainings that papers share."""

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING

from retable.options import Options, option


@dataclass
class PublishedNetworkConfig(Options):
    """A network of timm with a last layer of one's own.

    Attributes:
        name: A timm architecture, such as ``vgg16``, ``resnet50`` or ``inception_v3``.
    """

    _target_: str = "retable.nn.classifiers.PublishedClassifier"
    _partial_: bool = True
    name: str = MISSING


@dataclass
class PhaseConfig(Options):
    """One phase of a training.

    Attributes:
        optimizer: An optimiser of torch, called with parameters and learning rate.
        lr: Learning rate at the start.
        every: Epochs of a stage, after which rate and batch change.
        lr_factor: What the rate is multiplied by after each stage.
        batch_factor: What the batch is multiplied by after each stage.
        epochs: Epochs of the phase at most; null sets no limit.
        while_improving: Whether the phase ends with the first stage whose validations are no better than all before.
    """

    optimizer: Any = MISSING
    lr: float = option(above=0)
    every: int = option(1, least=1)
    lr_factor: float = option(1.0, above=0)
    batch_factor: int = option(1, least=1)
    epochs: int | None = option(None, least=1)
    while_improving: bool = False


@dataclass
class TwoPhasesConfig(Options):
    """A training in two phases, one after the other; ``trainer.max_epochs`` limits both together."""

    _target_: str = "retable.nn.phases.TwoPhases"
    first: PhaseConfig = field(default_factory=PhaseConfig)
    second: PhaseConfig = field(default_factory=PhaseConfig)


SCHEMAS: dict[str, type] = {
    "model/network/published": PublishedNetworkConfig,
    "model/phases/two": TwoPhasesConfig,
}
