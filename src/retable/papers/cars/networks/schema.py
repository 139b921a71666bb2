"""What may be set of the networks: ``conf/model/{generator,discriminator,encoder}/*.yaml``."""

from dataclasses import dataclass
from typing import Any

from omegaconf import MISSING

from retable.options import Options, option


@dataclass
class NetworkConfig(Options):
    """What all networks have.

    Attributes:
        channels: Base width; the widths of layers are multiples of it.
    """

    _target_: str = MISSING
    _partial_: bool = True
    channels: int = option(64, least=1)


@dataclass
class _AttentiveConfig(NetworkConfig):
    """What the networks of SAGAN can have more.

    Attributes:
        attention: Ratio of the image's side to that of the maps which self-attention works on; null without it.
        spectral_norm: Whether all weights are normalised spectrally, as in SAGAN.
    """

    attention: int | None = None
    spectral_norm: bool = False


@dataclass
class DcganGeneratorConfig(_AttentiveConfig):
    """DCGAN, bigger DCGAN and SAGAN.

    Attributes:
        widths: Channels after each transposed convolution but the last, as multiples of the base width, at 64 pixels.
        start: Side of the first maps. What ``widths`` has more than the doublings from there to the image are 3 x 3
            convolutions at that side.
    """

    _target_: str = "retable.papers.cars.networks.dcgan.DcganGenerator"
    widths: list[int] = option([8, 4, 2, 1], least=1)
    start: int = option(4, choices=(2, 4, 8))


@dataclass
class DcganDiscriminatorConfig(_AttentiveConfig):
    """DCGAN, bigger DCGAN and SAGAN.

    Attributes:
        widths: Channels of all convolutions but the last, as multiples of the base width, at 64 pixels.
        batch_norm: Whether each batch is normalised after all convolutions but the first and the last. SAGAN does
            not: it would undo the bound that spectral normalisation gives.
    """

    _target_: str = "retable.papers.cars.networks.dcgan.DcganDiscriminator"
    widths: list[int] = option([1, 2, 4, 8], least=1)
    batch_norm: bool = True


@dataclass
class ResnetGeneratorConfig(_AttentiveConfig):
    """Mirror image of a ResNet.

    Attributes:
        blocks: Blocks of the three stages, from the smallest maps, at 64 pixels: 2, 2, 2 for ResNet-18 and 3, 4, 6 for
            ResNet-34.
    """

    _target_: str = "retable.papers.cars.networks.resnet.ResnetGenerator"
    blocks: list[int] = option([2, 2, 2], least=1)


@dataclass
class ResnetDiscriminatorConfig(_AttentiveConfig):
    """ResNet.

    Attributes:
        blocks: Blocks of the four stages, from the image inwards: 2, 2, 2, 2 for ResNet-18 and 3, 4, 6, 3 for
            ResNet-34.
    """

    _target_: str = "retable.papers.cars.networks.resnet.ResnetDiscriminator"
    blocks: list[int] = option([2, 2, 2, 2], least=1)


@dataclass
class EncoderConfig(NetworkConfig):
    """Encoder of a bidirectional GAN.

    Attributes:
        widths: Channels of all convolutions but the last, as multiples of the base width, at 64 pixels.
    """

    _target_: str = "retable.papers.cars.networks.bidirectional.Encoder"
    widths: list[int] = option([1, 2, 4, 8], least=1)


@dataclass
class JointDiscriminatorConfig(NetworkConfig):
    """Discriminator of a bidirectional GAN.

    Attributes:
        widths: Channels of the convolutions of images, as multiples of the base width, at 64 pixels.
        batch_norm: Whether each batch is normalised after all convolutions of images but the first.
        spectral_norm: Whether all weights are normalised spectrally.
    """

    _target_: str = "retable.papers.cars.networks.bidirectional.JointDiscriminator"
    widths: list[int] = option([1, 2, 4, 8], least=1)
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
