"""Our own small network: a few strided convolutions on what the pen left rather than on colours."""

import torch
from torch import Tensor, nn

from retable.classification.estimators.features import grey_values
from retable.errors import ConfigError
from retable.papers.emoji.schema import SmallNetworkConfig


class SmallNetwork(nn.Module):
    """A network of 340,000 weights for recognition in real time; it is not in the paper.

    Every convolution halves the resolution, the first with a window of five pixels, as wide as a stroke; so nothing is
    computed at full resolution, where most of the time would go. The last maps are not averaged: a tear and a tongue
    differ by where they are. The input size is the images' side in pixels.

    Raises:
        ConfigError: There are no convolutions, or nothing is left of an image of this size.
    """

    def __init__(self, config: SmallNetworkConfig, input_size: int, classes: int) -> None:
        super().__init__()
        if not config.widths:
            raise ConfigError("model.network.widths=[]: must be one convolution or more")
        if input_size < 2 ** len(config.widths):
            raise ConfigError(f"model.input_size={input_size}: nothing is left after {len(config.widths)} halvings")
        layers: list[nn.Module] = []
        channels, side = 1, input_size
        for width in config.widths:
            kernel = 3 if layers else 5
            layers += [
                nn.Conv2d(channels, width, kernel, stride=2, padding=kernel // 2, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(),
            ]
            channels, side = width, (side + 1) // 2
        self.features = nn.Sequential(*layers)
        self.output = nn.Sequential(
            nn.Flatten(), nn.Dropout(config.dropout), nn.Linear(channels * side * side, classes)
        )
        self.to(memory_format=torch.channels_last)  # quicker on CPUs

    def forward(self, images: Tensor) -> Tensor:
        """Classifies images (B, 3, S, S) in [0, 1]; returns logits (B, classes)."""
        logits: Tensor = self.output(self.features(ink(images)))
        return logits


def ink(images: Tensor) -> Tensor:
    """Normalises the grey values (B, 1, H, W) of images (B, 3, H, W) to mean 0 and standard deviation 1 each.

    Pencil and marker, paper and blackboard look more alike then.
    """
    grey = grey_values(images)[:, None]
    deviation = grey - grey.mean(dim=(2, 3), keepdim=True)
    spread = deviation.square().mean(dim=(2, 3), keepdim=True).sqrt()
    return deviation / (spread + 1e-3)
