"""Our own small network: separable convolutions with residuals, on what the pen left rather than on colours."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from retable.errors import ConfigError


class SmallNetwork(nn.Module):
    """A network of a few hundred thousand weights for recognition in real time; it is not in the paper.

    Args:
        input_size: Side of the images in pixels.
        classes: Number of classes.
        widths: Channels of the stages; each stage after the first halves the resolution.
        depth: Residual blocks of a stage.
        dropout: Before the last layer.

    Raises:
        ConfigError: A value that makes no sense.
    """

    def __init__(
        self,
        input_size: int,
        classes: int,
        widths: Sequence[int] = (32, 64, 128, 192),
        depth: int = 2,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        if not widths or min(widths) < 1 or depth < 1 or not 0 <= dropout < 1:
            raise ConfigError(
                f"model.network: widths={list(widths)}, depth={depth} and dropout={dropout} are no network"
            )
        if input_size < 2 ** len(widths):
            raise ConfigError(f"model.input_size={input_size}: nothing is left after {len(widths)} halvings")
        self.stem = nn.Sequential(
            nn.Conv2d(1, widths[0], 3, padding=1, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU()
        )
        stages: list[nn.Module] = []
        channels = widths[0]
        for width in widths:
            stages += [_halving(channels, width), *(_Residual(width) for _ in range(depth))]
            channels = width
        self.stages = nn.Sequential(*stages)
        self.output = nn.Sequential(nn.Dropout(dropout), nn.Linear(channels, classes))
        self.to(memory_format=torch.channels_last)  # depthwise convolutions are faster so

    def forward(self, images: Tensor) -> Tensor:
        """Classifies images (B, 3, S, S) in [0, 1]; returns logits (B, classes)."""
        maps: Tensor = self.stages(self.stem(ink(images)))
        logits: Tensor = self.output(maps.mean(dim=(2, 3)))
        return logits


def ink(images: Tensor) -> Tensor:
    """What stands out from the paper: grey values from the image's mean, as parts of their standard deviation.

    A pencil and a marker, paper and blackboard so look more alike.

    Args:
        images: (B, 3, H, W).

    Returns:
        (B, 1, H, W), mean 0 and standard deviation 1 for each image.
    """
    grey = (images * images.new_tensor([0.299, 0.587, 0.114]).view(3, 1, 1)).sum(dim=1, keepdim=True)
    deviation = grey - grey.mean(dim=(2, 3), keepdim=True)
    spread = deviation.square().mean(dim=(2, 3), keepdim=True).sqrt()
    return deviation / (spread + 1e-3)


class _Residual(nn.Module):
    """Adds a depthwise 3 x 3 and two pointwise convolutions, which widen and narrow."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, groups=width, bias=False), nn.BatchNorm2d(width),
            nn.Conv2d(width, 2 * width, 1, bias=False), nn.BatchNorm2d(2 * width), nn.ReLU(),
            nn.Conv2d(2 * width, width, 1, bias=False), nn.BatchNorm2d(width),
        )  # fmt: skip

    def forward(self, maps: Tensor) -> Tensor:
        return torch.relu(maps + self.body(maps))


def _halving(channels: int, width: int) -> nn.Module:
    """Halves the resolution and changes the channels: a 3 x 3 convolution of stride 2."""
    return nn.Sequential(
        nn.Conv2d(channels, width, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()
    )
