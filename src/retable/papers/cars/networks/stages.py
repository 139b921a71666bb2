"""What the networks share: which widths go with which image size, and spectral normalisation of a whole network."""

from collections.abc import Sequence

from torch import nn
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
    and smaller ones have one less.

    Args:
        stages: A number for each stage, from the image inwards.
        image_size: Side of the images in pixels, one of `IMAGE_SIZES`.
    """
    if image_size == 32:
        return list(stages[1:])
    return [stages[0], *stages] if image_size == 128 else list(stages)


def channels_of(widths: Sequence[int], channels: int, image_size: int, name: str) -> list[int]:
    """Computes the channels of each stage from the image inwards.

    Args:
        widths: Of the stages for images of 64 pixels, from the image inwards, as multiples of the base width.
        channels: The base width.
        image_size: Side of the images in pixels.
        name: What errors call the network.

    Raises:
        ConfigError: There are no such images, or fewer than two stages.
    """
    check_image_size(image_size, name)
    if len(widths) < 2:
        raise ConfigError(f"{name}.widths={list(widths)}: needs two or more numbers")
    return [channels * width for width in fitted(widths, image_size)]


def attention_side(ratio: int | None, image_size: int, sides: Sequence[int], name: str) -> int | None:
    """Finds the side of the maps that self-attention works on, or None without it.

    Args:
        ratio: Of the image's side to that of the maps.
        image_size: Side of the images in pixels.
        sides: Sides of the maps that the network has.
        name: What errors call the network.

    Raises:
        ConfigError: The network has no such maps.
    """
    if ratio is None:
        return None
    known = sorted({image_size // side for side in sides})
    if ratio not in known:
        raise ConfigError(f"{name}.attention={ratio}: must be null or one of {', '.join(map(str, known))}")
    return image_size // ratio


def normalise_spectrally(network: nn.Module) -> None:
    """Divides the weight of every convolution and linear layer by its largest singular value (Miyato et al. 2018).

    The value is estimated by a power iteration that moves on with every forward pass in training mode, and stands still
    in evaluation. Layers that are normalised already stay as they are.
    """
    for module in list(network.modules()):
        is_weighted = isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear)
        if is_weighted and not nn.utils.parametrize.is_parametrized(module):
            parametrizations.spectral_norm(module)
