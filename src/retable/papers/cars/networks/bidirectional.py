"""What a bidirectional GAN adds: an encoder, and a discriminator of pairs (Donahue et al. 2017, arXiv 1605.09782).

The essay names "LOGAN-B" without describing it. In its authors' published code the latent vector's maps are added to
the image's before one last linear layer: the logit is a sum of a term for the image and one for the vector, and cannot
tell a pair that fits from one that does not. Here both go through a common hidden layer, as in BiGAN.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from retable.papers.cars.networks.dcgan import ImageTrunk
from retable.papers.cars.networks.stages import LEAK, check_sizes, normalise_spectrally


class Encoder(nn.Module):
    """Finds the latent vector of an image: DCGAN's discriminator with as many outputs as the vector is long.

    Args:
        image_size: Side of the images in pixels: 32, 64 or 128.
        latent_size: Length of the latent vector.
        channels: Base width.
        widths: Channels of the convolutions as multiples of the base width, for images of 64 pixels.

    Raises:
        ConfigError: A value that makes no network.
    """

    def __init__(
        self, image_size: int, latent_size: int, channels: int = 64, widths: Sequence[int] = (1, 2, 4, 8)
    ) -> None:
        super().__init__()
        check_sizes("model.encoder", image_size, {}, latent_size=latent_size)
        self.trunk = ImageTrunk(image_size, channels, widths, name="model.encoder")
        self.output = nn.Conv2d(self.trunk.width, latent_size, self.trunk.side)

    def forward(self, images: Tensor) -> Tensor:
        """Encodes images (B, 3, S, S) in [-1, 1]; returns (B, latent_size) in [-1, 1], where optimised latents lie."""
        latents: Tensor = torch.tanh(self.output(self.trunk(images)))
        return latents.flatten(1)


class JointDiscriminator(nn.Module):
    """Judges pairs of an image and a latent vector: (image, its code) against (drawn image, its vector).

    Args:
        image_size: Side of the images in pixels: 32, 64 or 128.
        latent_size: Length of the latent vector.
        channels: Base width.
        widths: Channels of the convolutions as multiples of the base width, for images of 64 pixels.
        batch_norm: Normalise each batch after all convolutions of images but the first.
        spectral_norm: Normalise all weights spectrally.

    Raises:
        ConfigError: A value that makes no network.
    """

    def __init__(
        self,
        image_size: int,
        latent_size: int,
        channels: int = 64,
        widths: Sequence[int] = (1, 2, 4, 8),
        batch_norm: bool = True,
        spectral_norm: bool = False,
    ) -> None:
        super().__init__()
        check_sizes("model.discriminator", image_size, {}, latent_size=latent_size)
        self.trunk = ImageTrunk(image_size, channels, widths, batch_norm)
        width = self.trunk.width
        self.latents = nn.Sequential(nn.Linear(latent_size, width), nn.LeakyReLU(LEAK))
        self.joint = nn.Sequential(nn.Conv2d(2 * width, width, 1), nn.LeakyReLU(LEAK))
        self.output = nn.Conv2d(width, 1, self.trunk.side)
        if spectral_norm:
            normalise_spectrally(self)

    def forward(self, images: Tensor, latents: Tensor) -> Tensor:
        """Judges images (B, 3, S, S) in [-1, 1] with latents (B, latent_size); returns logits (B,)."""
        maps = self.trunk(images)
        codes = self.latents(latents)[:, :, None, None].expand_as(maps)
        logits: Tensor = self.output(self.joint(torch.cat([maps, codes], dim=1)))
        return logits.reshape(len(images))
