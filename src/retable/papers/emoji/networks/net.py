"""Our own small network: a few strided convolutions on what the pen left rather than on colours."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from retable.errors import ConfigError


class SmallNetwork(nn.Module):
    """A network of 340,000 weights for recognition in real time; it is not in the paper.

    Every convolution halves the resolution, the first with a window of five pixels, as wide as a stroke; so nothing is
    computed at full resolution, where most of the time would go. The last maps are not averaged: a tear and a tongue
    differ by where they are.

    Args:
        input_size: Side of the images in pixels.
        classes: Number of classes.
        widths: Channels of the convolutions.
        dropout: Before the last layer.

    Raises:
        ConfigError: A value that makes no sense.
    """

    def __init__(
        self,
        input_size: int,
        classes: int,
        widths: Sequence[int] = (32, 64, 128, 192),
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        if not widths or min(widths) < 1 or not 0 <= dropout < 1:
            raise ConfigError(f"model.network: widths={list(widths)} and dropout={dropout} are no network")
        if input_size < 2 ** len(widths):
            raise ConfigError(f"model.input_size={input_size}: nothing is left after {len(widths)} halvings")
        layers: list[nn.Module] = []
        channels, side = 1, input_size
        for width in widths:
            kernel = 3 if layers else 5
            layers += [
                nn.Conv2d(channels, width, kernel, stride=2, padding=kernel // 2, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(),
            ]
            channels, side = width, (side + 1) // 2
        self.features = nn.Sequential(*layers)
        self.output = nn.Sequential(nn.Flatten(), nn.Dropout(dropout), nn.Linear(channels * side * side, classes))
        self.to(memory_format=torch.channels_last)  # quicker on CPUs

    def forward(self, images: Tensor) -> Tensor:
        """Classifies images (B, 3, S, S) in [0, 1]; returns logits (B, classes)."""
        logits: Tensor = self.output(self.features(ink(images)))
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
