"""What may be set of the classifiers: ``conf/model/plate_cnn.yaml``, ``plate_vgg16.yaml``, ``plate_country.yaml``."""

from dataclasses import dataclass, field
from typing import Any

from retable.classification.schema import OpenNetworkConfig, PhasedNetworkConfig
from retable.errors import ConfigError
from retable.options import Options, option
from retable.papers.plates.datasets.schema import PlateClassesConfig


@dataclass
class PlateNetworkConfig(PhasedNetworkConfig):
    """A network that tells the classes of the data apart, and is trained in phases."""

    subject: PlateClassesConfig = field(default_factory=PlateClassesConfig)


@dataclass
class PlateCnnConfig(Options):
    """The paper's network.

    Attributes:
        widths: Filters of both convolutions before each pooling.
        last_widths: Filters of the convolution after the last pooling, and of the one that leaves one value each.
    """

    _target_: str = "retable.papers.plates.classifier.cnn.PlateCnn"
    _partial_: bool = True
    widths: list[int] = option([32, 64, 96, 128], least=1)
    last_widths: list[int] = option([256, 512], least=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.last_widths) != 2:
            raise ConfigError(f"model.network.last_widths={self.last_widths}: must be two numbers")


@dataclass
class OpenPlateNetworkConfig(OpenNetworkConfig):
    """A network that tells the classes of the data apart, and what is of none of them."""

    subject: PlateClassesConfig = field(default_factory=PlateClassesConfig)


@dataclass
class CountryNetConfig(Options):
    """Our own network.

    Attributes:
        widths: Channels of each stage, which halves the resolution.
        depths: Convolutions of each stage.
        dropout: Part of the values that the dropout before the last layer leaves out.
    """

    _target_: str = "retable.papers.plates.classifier.country_net.CountryNet"
    _partial_: bool = True
    widths: list[int] = option([24, 48, 80, 112], least=1)
    depths: list[int] = option([1, 1, 2, 1], least=1)
    dropout: float = option(0.3, least=0, below=1)


SCHEMAS: dict[str, Any] = {
    "model/plate_network": PlateNetworkConfig,
    "model/open_plate_network": OpenPlateNetworkConfig,
    "model/network/plate_cnn": PlateCnnConfig,
    "model/network/country_net": CountryNetConfig,
}
