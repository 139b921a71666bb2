"""What a bidirectional GAN adds: an encoder, and a discriminator of pairs (Donahue et al. 2017, arXiv 1605.09782).

The essay names "LOGAN-B" without describing it. In its authors' published code the latent vector's maps are added to
the image's before one last linear layer: the logit is a sum of a term for the image and one for the vector, and cannot
tell a pair that fits from one that does not. Here both go through a common hidden layer, as in BiGAN.
"""

import torch
from torch import Tensor, nn

from retable.papers.cars.networks.dcgan import ImageTrunk
from retable.papers.cars.networks.schema import EncoderConfig, JointDiscriminatorConfig
from retable.papers.cars.networks.stages import LEAK, normalise_spectrally


class Encoder(nn.Module):
    """Finds the latent vector of an image: DCGAN's discriminator with as many outputs as the vector is long."""

    def __init__(self, config: EncoderConfig, image_size: int, latent_size: int) -> None:
        super().__init__()
        self.trunk = ImageTrunk(image_size, config.channels, config.widths, name="model.encoder")
        self.output = nn.Conv2d(self.trunk.width, latent_size, self.trunk.side)

    def forward(self, images: Tensor) -> Tensor:
        """Encodes images (B, 3, S, S) in [-1, 1]; returns (B, latent_size) in [-1, 1], where optimised latents lie."""
        return torch.tanh(self.output(self.trunk(images))).flatten(1)


class JointDiscriminator(nn.Module):
    """Judges pairs of an image and a latent vector: (image, its code) against (drawn image, its vector)."""

    def __init__(self, config: JointDiscriminatorConfig, image_size: int, latent_size: int) -> None:
        super().__init__()
        self.trunk = ImageTrunk(image_size, config.channels, config.widths, config.batch_norm)
        width = self.trunk.width
        self.latents = nn.Sequential(nn.Linear(latent_size, width), nn.LeakyReLU(LEAK))
        self.joint = nn.Sequential(nn.Conv2d(2 * width, width, 1), nn.LeakyReLU(LEAK))
        self.output = nn.Conv2d(width, 1, self.trunk.side)
        if config.spectral_norm:
            normalise_spectrally(self)

    def forward(self, images: Tensor, latents: Tensor) -> Tensor:
        """Judges images (B, 3, S, S) in [-1, 1] with latents (B, latent_size); returns logits (B,)."""
        maps = self.trunk(images)
        codes = self.latents(latents)[:, :, None, None].expand_as(maps)
        return torch.reshape(self.output(self.joint(torch.cat([maps, codes], dim=1))), (len(images),))
