"""What may be set of the networks: ``conf/model/{generator,discriminator,encoder}/*.yaml``."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class DcganGeneratorConfig:
    """DCGAN, bigger DCGAN and SAGAN, see `retable.papers.cars.networks.dcgan.DcganGenerator`.

    Attributes:
        channels: Base width.
        widths: Channels after each transposed convolution but the last, as multiples of the base width, at 64 pixels.
        start: Side of the first maps: 2, 4 or 8.
        attention: Ratio of the image's side to that of the maps which self-attention works on; null without it.
        spectral_norm: Normalise all weights spectrally.
    """

    _target_: str = "retable.papers.cars.networks.dcgan.DcganGenerator"
    _partial_: bool = True
    channels: int = 64
    widths: list[int] = field(default_factory=lambda: [8, 4, 2, 1])
    start: int = 4
    attention: int | None = None
    spectral_norm: bool = False


@dataclass
class DcganDiscriminatorConfig:
    """DCGAN, bigger DCGAN and SAGAN, see `retable.papers.cars.networks.dcgan.DcganDiscriminator`.

    Attributes:
        channels: Base width.
        widths: Channels of all convolutions but the last, as multiples of the base width, at 64 pixels.
        batch_norm: Normalise each batch after all convolutions but the first and the last.
        attention: Ratio of the image's side to that of the maps which self-attention works on; null without it.
        spectral_norm: Normalise all weights spectrally.
    """

    _target_: str = "retable.papers.cars.networks.dcgan.DcganDiscriminator"
    _partial_: bool = True
    channels: int = 64
    widths: list[int] = field(default_factory=lambda: [1, 2, 4, 8])
    batch_norm: bool = True
    attention: int | None = None
    spectral_norm: bool = False


@dataclass
class ResnetGeneratorConfig:
    """ResNet, see `retable.papers.cars.networks.resnet.ResnetGenerator`.

    Attributes:
        channels: Base width.
        blocks: Blocks of the three stages, from the smallest maps, at 64 pixels.
        attention: Ratio of the image's side to that of the maps which self-attention works on; null without it.
        spectral_norm: Normalise all weights spectrally.
    """

    _target_: str = "retable.papers.cars.networks.resnet.ResnetGenerator"
    _partial_: bool = True
    channels: int = 64
    blocks: list[int] = field(default_factory=lambda: [2, 2, 2])
    attention: int | None = None
    spectral_norm: bool = False


@dataclass
class ResnetDiscriminatorConfig:
    """ResNet, see `retable.papers.cars.networks.resnet.ResnetDiscriminator`.

    Attributes:
        channels: Base width.
        blocks: Blocks of the four stages, from the image inwards.
        attention: Ratio of the image's side to that of the maps which self-attention works on; null without it.
        spectral_norm: Normalise all weights spectrally.
    """

    _target_: str = "retable.papers.cars.networks.resnet.ResnetDiscriminator"
    _partial_: bool = True
    channels: int = 64
    blocks: list[int] = field(default_factory=lambda: [2, 2, 2, 2])
    attention: int | None = None
    spectral_norm: bool = False


@dataclass
class EncoderConfig:
    """Encoder of a bidirectional GAN, see `retable.papers.cars.networks.bidirectional.Encoder`.

    Attributes:
        channels: Base width.
        widths: Channels of all convolutions but the last, as multiples of the base width, at 64 pixels.
    """

    _target_: str = "retable.papers.cars.networks.bidirectional.Encoder"
    _partial_: bool = True
    channels: int = 64
    widths: list[int] = field(default_factory=lambda: [1, 2, 4, 8])


@dataclass
class JointDiscriminatorConfig:
    """Discriminator of a bidirectional GAN, see `retable.papers.cars.networks.bidirectional.JointDiscriminator`.

    Attributes:
        channels: Base width.
        widths: Channels of the convolutions of images, as multiples of the base width, at 64 pixels.
        batch_norm: Normalise each batch after all convolutions of images but the first.
        spectral_norm: Normalise all weights spectrally.
    """

    _target_: str = "retable.papers.cars.networks.bidirectional.JointDiscriminator"
    _partial_: bool = True
    channels: int = 64
    widths: list[int] = field(default_factory=lambda: [1, 2, 4, 8])
    batch_norm: bool = True
    spectral_norm: bool = False


SCHEMAS: dict[str, Any] = {
    "model/generator/dcgan": DcganGeneratorConfig,
    "model/generator/resnet": ResnetGeneratorConfig,
    "model/discriminator/dcgan": DcganDiscriminatorConfig,
    "model/discriminator/resnet": ResnetDiscriminatorConfig,
    "model/discriminator/joint": JointDiscriminatorConfig,
    "model/encoder/dcgan": EncoderConfig,
}
