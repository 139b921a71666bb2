"""DCGAN (Radford, Metz and Chintala 2016) as the essay builds it, and with options bigger DCGAN and SAGAN."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from retable.errors import ConfigError
from retable.papers.cars.networks.schema import DcganDiscriminatorConfig, DcganGeneratorConfig
from retable.papers.cars.networks.stages import LEAK, SelfAttention, attention_side, channels_of, normalise_spectrally


class DcganGenerator(nn.Module):
    """Transposed convolutions from a latent vector to an image, with batch normalisation and ReLU between them.

    With the defaults, that of the PyTorch tutorial which the essay takes (3.2): 3,576,704 parameters at 64 pixels. For
    the widths of bigger DCGAN (3.3) see ``conf/model/generator/bigger_dcgan.yaml``.
    """

    def __init__(self, config: DcganGeneratorConfig, image_size: int, latent_size: int) -> None:
        super().__init__()
        name, start = "model.generator", config.start
        outputs = channels_of(config.widths[::-1], config.channels, image_size, name)[::-1]
        doublings = (image_size // start).bit_length() - 1
        if len(outputs) < doublings:
            raise ConfigError(
                f"{name}.widths={list(config.widths)}: too few to come from start={start} to {image_size} pixels"
            )
        sides = [start] * (len(outputs) - doublings + 1) + [start * 2**step for step in range(1, doublings)]
        attended = attention_side(config.attention, image_size, sides, name)
        layers: list[nn.Module] = [nn.ConvTranspose2d(latent_size, outputs[0], start, bias=False)]
        for index, width in enumerate(outputs):
            if index > 0:
                kernel, stride = (3, 1) if sides[index] == sides[index - 1] else (4, 2)
                layers.append(nn.ConvTranspose2d(outputs[index - 1], width, kernel, stride, padding=1, bias=False))
            layers += [nn.BatchNorm2d(width), nn.ReLU()]
            if attended == sides[index] and attended not in sides[index + 1 :]:
                layers.append(SelfAttention(width))
        layers += [nn.ConvTranspose2d(outputs[-1], 3, 4, 2, padding=1, bias=False), nn.Tanh()]
        self.layers = nn.Sequential(*layers)
        if config.spectral_norm:
            normalise_spectrally(self)

    def forward(self, latents: Tensor) -> Tensor:
        """Draws images (B, 3, S, S) in [-1, 1] from latent vectors (B, latent_size)."""
        images: Tensor = self.layers(latents[:, :, None, None])
        return images


class ImageTrunk(nn.Module):
    """Convolutions 4 x 4 of stride 2 with leaky ReLU, the body of DCGAN's discriminator.

    The first convolution is followed by no batch normalisation, as in the DCGAN paper; "after each convolution" is the
    essay's shorter word (3.2).

    Without batch normalisation the convolutions have biases. `name` is what errors call the network; all else is as in
    the configs of the networks that it is a part of.

    Attributes:
        width: Channels of the maps that come out.
        side: Their side.
    """

    def __init__(
        self,
        image_size: int,
        channels: int,
        widths: Sequence[int],
        batch_norm: bool = True,
        attention: int | None = None,
        name: str = "model.discriminator",
    ) -> None:
        super().__init__()
        outputs = channels_of(widths, channels, image_size, name)
        sides = [image_size >> step for step in range(1, len(outputs) + 1)]
        if sides[-1] < 1:
            raise ConfigError(f"{name}.widths={list(widths)}: nothing is left of {image_size} pixels")
        attended = attention_side(attention, image_size, sides, name)
        layers: list[nn.Module] = []
        inputs = 3
        for width, side in zip(outputs, sides, strict=True):
            layers.append(nn.Conv2d(inputs, width, 4, 2, padding=1, bias=not batch_norm))
            if batch_norm and inputs != 3:
                layers.append(nn.BatchNorm2d(width))
            layers.append(nn.LeakyReLU(LEAK))
            if attended == side:
                layers.append(SelfAttention(width))
            inputs = width
        self.layers = nn.Sequential(*layers)
        self.width, self.side = inputs, sides[-1]

    def forward(self, images: Tensor) -> Tensor:
        """Computes maps (B, width, side, side) of images (B, 3, S, S) in [-1, 1]."""
        maps: Tensor = self.layers(images)
        return maps


class DcganDiscriminator(nn.Module):
    """Convolutions from an image to a logit, with leaky ReLU between them.

    With the defaults, that of the PyTorch tutorial which the essay takes (3.2): 2,765,568 parameters at 64 pixels.
    """

    def __init__(self, config: DcganDiscriminatorConfig, image_size: int) -> None:
        super().__init__()
        self.trunk = ImageTrunk(image_size, config.channels, config.widths, config.batch_norm, config.attention)
        self.output = nn.Conv2d(self.trunk.width, 1, self.trunk.side, bias=not config.batch_norm)
        if config.spectral_norm:
            normalise_spectrally(self)

    def forward(self, images: Tensor) -> Tensor:
        """Judges images (B, 3, S, S) in [-1, 1]; returns logits (B,), above 0 for those it holds to be real."""
        return torch.reshape(self.output(self.trunk(images)), (len(images),))
