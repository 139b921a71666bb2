"""What the networks share: which widths go with which image size, and spectral normalisation of a whole network."""

from collections.abc import Sequence

from torch import nn
from torch.nn.utils import parametrizations

from retable.errors import ConfigError

IMAGE_SIZES = (32, 64, 128)
LEAK = 0.2  # slope of the leaky ReLU below zero, as in the DCGAN paper


def fitted(stages: Sequence[int], image_size: int) -> list[int]:
    """Fits what is told of each stage for images of 64 pixels to another size, so that the smallest maps stay as large.

    The essay trains at 64 only. Here larger images have one stage more next to the image, like the one that is there,
    and smaller ones have one less.

    Args:
        stages: A number for each stage, from the image inwards.
        image_size: Side of the images in pixels: 32, 64 or 128.
    """
    if image_size == 32:
        return list(stages[1:])
    return [stages[0], *stages] if image_size == 128 else list(stages)


def check_sizes(name: str, image_size: int, stages: dict[str, Sequence[int]], **sizes: int) -> None:
    """Refuses what no network can be made of.

    Args:
        name: The key of the network, which errors name.
        image_size: Side of the images in pixels: 32, 64 or 128.
        stages: Lists of two or more numbers from 1, by their keys.
        sizes: Numbers from 1, by their keys.

    Raises:
        ConfigError: The message names the key and what it may be.
    """
    if image_size not in IMAGE_SIZES:
        raise ConfigError(f"data.image_size={image_size}: {name} is made for {', '.join(map(str, IMAGE_SIZES))}")
    for key, values in stages.items():
        if len(values) < 2 or min(values) < 1:
            raise ConfigError(f"{name}.{key}={list(values)}: needs two or more numbers, each at least 1")
    for key, value in sizes.items():
        if value < 1:
            raise ConfigError(f"{name}.{key}={value}: must be at least 1")


def attention_side(ratio: int | None, image_size: int, sides: Sequence[int], name: str) -> int | None:
    """Side of the maps that self-attention works on, or None without it.

    Args:
        ratio: Of the image's side to that of the maps.
        image_size: Side of the images in pixels.
        sides: Sides of the maps that the network has.
        name: The key of the configuration that errors name.

    Raises:
        ConfigError: The network has no such maps.
    """
    if ratio is None:
        return None
    known = sorted({image_size // side for side in sides})
    if ratio not in known:
        raise ConfigError(f"{name}={ratio}: must be null or one of {', '.join(map(str, known))}")
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
