"""GANs of residual blocks: ResNet-18 and ResNet-34 (He et al. 2015) as discriminators, and their mirror image.

The essay counts 21,298,918 parameters of the discriminator and 22,958,884 of the generator with ResNet-34 (4.3.2).
What is here meets both to the last one when all values of the state dict are counted, with the running statistics of
the batch normalisations; without them there are 21,281,729 and 22,943,619. The essay's "4 blocks" of layer4 would make
26.0 million: its count is that of three, as in the real ResNet-34.
"""

import torch
from torch import Tensor, nn

from retable.errors import ConfigError
from retable.papers.cars.networks.schema import ResnetDiscriminatorConfig, ResnetGeneratorConfig
from retable.papers.cars.networks.stages import (
    SelfAttention,
    attention_side,
    check_image_size,
    fitted,
    normalise_spectrally,
)

Convolution = nn.Conv2d | nn.ConvTranspose2d


class ResnetDiscriminator(nn.Module):
    """ResNet with basic blocks for small images: a 3 x 3 convolution, four halving stages, the mean, a linear layer.

    The stages have 1, 2, 4 and 8 times the base width; the layers are the same for all sizes of images.
    """

    def __init__(self, config: ResnetDiscriminatorConfig, image_size: int) -> None:
        super().__init__()
        name, channels = "model.discriminator", config.channels
        check_image_size(image_size, name)
        if len(config.blocks) != 4:
            raise ConfigError(f"{name}.blocks={list(config.blocks)}: has four stages")
        sides = [image_size >> step for step in range(1, 5)]
        attended = attention_side(config.attention, image_size, sides, name)
        layers: list[nn.Module] = [*_normalised(nn.Conv2d(3, channels, 3, padding=1, bias=False)), nn.ReLU()]
        inputs = channels
        for stage, (count, side) in enumerate(zip(config.blocks, sides, strict=True)):
            width = channels * 2**stage
            layers += [_inward_block(inputs, width), *(_inward_block(width, width, 1) for _ in range(count - 1))]
            if side == attended:
                layers.append(SelfAttention(width))
            inputs = width
        self.layers = nn.Sequential(*layers)
        self.output = nn.Linear(inputs, 1)
        if config.spectral_norm:
            normalise_spectrally(self)

    def forward(self, images: Tensor) -> Tensor:
        """Judges images (B, 3, S, S) in [-1, 1]; returns logits (B,), above 0 for those it holds to be real."""
        return torch.reshape(self.output(self.layers(images).mean(dim=(2, 3))), (len(images),))


class ResnetGenerator(nn.Module):
    """The mirror image of the discriminator with transposed convolutions; its last stage is a single one (4.3.2).

    Maps begin with eight times the base width, and each stage's last block halves it.
    """

    def __init__(self, config: ResnetGeneratorConfig, image_size: int, latent_size: int) -> None:
        super().__init__()
        name, channels = "model.generator", config.channels
        check_image_size(image_size, name)
        if len(config.blocks) != 3:
            raise ConfigError(f"{name}.blocks={list(config.blocks)}: has three stages")
        counts = fitted(config.blocks[::-1], image_size)[::-1]
        sides = [8 * 2**stage for stage in range(len(counts))]
        attended = attention_side(config.attention, image_size, sides, name)
        inputs = 8 * channels
        layers: list[nn.Module] = [*_normalised(nn.ConvTranspose2d(latent_size, inputs, 4, bias=False)), nn.ReLU()]
        for stage, (count, side) in enumerate(zip(counts, sides, strict=True)):
            width = max(channels, 4 * channels >> stage)
            widths = [inputs] * (count - 1) + [width]
            layers += [_outward_block(inputs, widths[0])]
            layers += [_outward_block(inputs, block_width, 1) for block_width in widths[1:]]
            if side == attended:
                layers.append(SelfAttention(width))
            inputs = width
        layers += [nn.ConvTranspose2d(inputs, 3, 4, 2, padding=1), nn.Tanh()]
        self.layers = nn.Sequential(*layers)
        if config.spectral_norm:
            normalise_spectrally(self)

    def forward(self, latents: Tensor) -> Tensor:
        """Draws images (B, 3, S, S) in [-1, 1] from latent vectors (B, latent_size)."""
        images: Tensor = self.layers(latents[:, :, None, None])
        return images


class Residual(nn.Module):
    """``relu(body(x) + shortcut(x))``; without a shortcut layer it is the identity.

    Attributes:
        body: The main path: two convolutions, each with its batch normalisation.
        shortcut: The way around it.
    """

    def __init__(self, first: Convolution, second: Convolution, shortcut: Convolution | None) -> None:
        super().__init__()
        self.body = nn.Sequential(*_normalised(first), nn.ReLU(), *_normalised(second))
        self.shortcut = nn.Sequential(*_normalised(shortcut)) if shortcut is not None else nn.Identity()

    def forward(self, maps: Tensor) -> Tensor:
        """Adds both paths of maps (B, C, H, W)."""
        return torch.relu(self.body(maps) + self.shortcut(maps))


def _inward_block(inputs: int, width: int, stride: int = 2) -> Residual:
    """ResNet's basic block, with a 1 x 1 convolution as shortcut where it halves the maps."""
    return Residual(
        nn.Conv2d(inputs, width, 3, stride, padding=1, bias=False),
        nn.Conv2d(width, width, 3, padding=1, bias=False),
        nn.Conv2d(inputs, width, 1, stride, bias=False) if stride == 2 else None,
    )


def _outward_block(inputs: int, width: int, stride: int = 2) -> Residual:
    """Its mirror image; the kernels are those that the essay's count asks for."""
    shortcut: Convolution | None = None
    if stride == 2:
        shortcut = nn.ConvTranspose2d(inputs, width, 2, 2, bias=False)
    elif inputs != width:
        shortcut = nn.ConvTranspose2d(inputs, width, 3, padding=1, bias=False)
    return Residual(
        nn.ConvTranspose2d(inputs, width, 4 if stride == 2 else 3, stride, padding=1, bias=False),
        nn.ConvTranspose2d(width, width, 3, padding=1, bias=False),
        shortcut,
    )


def _normalised(convolution: Convolution) -> list[nn.Module]:
    """Adds the batch normalisation after a convolution."""
    return [convolution, nn.BatchNorm2d(convolution.out_channels)]
