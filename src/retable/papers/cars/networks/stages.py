"""What the networks share: widths by image size, self-attention, and spectral normalisation of a whole network."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from retable.errors import ConfigError

IMAGE_SIZES = (32, 64, 128)
LEAK = 0.2  # slope of the leaky ReLU below zero, as in the DCGAN paper


def check_image_size(image_size: int, name: str) -> None:
    """Refuses image sizes, in pixels a side, that the network called ``name`` cannot have.

    Raises:
        ConfigError: It is none of `IMAGE_SIZES`.
    """
    if image_size not in IMAGE_SIZES:
        raise ConfigError(f"data.image_size={image_size}: {name} is made for {', '.join(map(str, IMAGE_SIZES))}")


def fitted(stages: Sequence[int], image_size: int) -> list[int]:
    """Fits what is told of each stage for images of 64 pixels to another size, so that the smallest maps stay as large.

    The essay trains at 64 only. Here larger images have one stage more next to the image, like the one that is there,
    and smaller ones have one less. Stages are counted from the image inwards.
    """
    if image_size == 32:
        return list(stages[1:])
    return [stages[0], *stages] if image_size == 128 else list(stages)


def channels_of(widths: Sequence[int], channels: int, image_size: int, name: str) -> list[int]:
    """Computes the channels of each stage from the image inwards, of widths as multiples of the base width.

    Raises:
        ConfigError: There are no such images, or fewer than two stages.
    """
    check_image_size(image_size, name)
    if len(widths) < 2:
        raise ConfigError(f"{name}.widths={list(widths)}: needs two or more numbers")
    return [channels * width for width in fitted(widths, image_size)]


def attention_side(ratio: int | None, image_size: int, sides: Sequence[int], name: str) -> int | None:
    """Finds the side of the maps that self-attention works on, by the ratio of the image's side to it; None without.

    Raises:
        ConfigError: The network has no such maps among those of these sides.
    """
    if ratio is None:
        return None
    known = sorted({image_size // side for side in sides})
    if ratio not in known:
        raise ConfigError(f"{name}.attention={ratio}: must be null or one of {', '.join(map(str, known))}")
    return image_size // ratio


class SelfAttention(nn.Module):
    """Self-attention of SAGAN (Zhang et al. 2018, arXiv 1805.08318), the essay's Fig. 5.

    Adds to each place of the maps what it attends to at all places: ``gamma o + x`` (SAGAN, eqs. 1 to 3).

    Query, key and value are 1 x 1 convolutions to an eighth of the channels, and a fourth one brings the result back to
    all of them; each is spectrally normalised, in the generator as in the discriminator (SAGAN, section 4; essay 3.4).
    Nothing is divided by the root of the channels, and the keys are not pooled: both are of later papers.

    Attributes:
        gamma: The learnt factor, 0 in the beginning, so that the module first does nothing.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        reduced = max(1, channels // 8)
        self.query = nn.Conv2d(channels, reduced, 1, bias=False)
        self.key = nn.Conv2d(channels, reduced, 1, bias=False)
        self.value = nn.Conv2d(channels, reduced, 1, bias=False)
        self.output = nn.Conv2d(reduced, channels, 1, bias=False)
        self.gamma = nn.Parameter(torch.zeros(()))
        normalise_spectrally(self)

    def forward(self, maps: Tensor) -> Tensor:
        """Attends over maps (B, C, H, W); returns the same shape."""
        # written out, because the library's fused attention cannot be differentiated twice, as latent optimisation does
        query, key, value = (layer(maps).flatten(2) for layer in (self.query, self.key, self.value))
        attention = torch.softmax(query.transpose(1, 2) @ key, dim=2)  # (B, places, places attended to)
        attended = (value @ attention.transpose(1, 2)).unflatten(2, maps.shape[2:])
        result: Tensor = maps + self.gamma * self.output(attended)
        return result


def normalise_spectrally(network: nn.Module) -> None:
    """Divides the weight of every convolution and linear layer by its largest singular value (Miyato et al. 2018).

    The value is estimated by a power iteration that moves on with every forward pass in training mode, and stands still
    in evaluation. Layers that are normalised already stay as they are.
    """
    for module in list(network.modules()):
        is_weighted = isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear)
        if is_weighted and not nn.utils.parametrize.is_parametrized(module):
            parametrizations.spectral_norm(module)
