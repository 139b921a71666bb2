"""The paper's classifier, Table II (the second of this number)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from retable.errors import ConfigError
from retable.papers.plates.classifier.schema import PlateCnnConfig

_KERNEL = 5


class PlateCnn(nn.Module):
    """Convolutions of 5 x 5 without padding, each with batch normalisation and ReLU, two before each 2 x 2 pooling.

    After the last pooling come one more, and one whose kernel is all that is left, 2 x 2 of an image of 224 pixels. A
    dense layer tells the classes. With nine of them the network has the 2,634,729 weights of the paper.

    Raises:
        ConfigError: Nothing is left of an image of this size.
    """

    def __init__(self, config: PlateCnnConfig, input_size: int, classes: int) -> None:
        super().__init__()
        side, channels = input_size, 3
        layers: list[nn.Module] = []
        for width in config.widths:
            layers += [*_convolution(channels, width, _KERNEL), *_convolution(width, width, _KERNEL), nn.MaxPool2d(2)]
            side, channels = (side - 2 * (_KERNEL - 1)) // 2, width
        side -= _KERNEL - 1
        if side < 1:
            raise ConfigError(
                f"model.input_size={input_size}: nothing is left after {len(config.widths)} poolings; use a larger "
                "one, or fewer model.network.widths"
            )
        for width, kernel in zip(config.last_widths, (_KERNEL, side), strict=True):
            layers += _convolution(channels, width, kernel)
            channels = width
        self.features = nn.Sequential(*layers)
        self.output = nn.Linear(channels, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        self.to(memory_format=torch.channels_last)  # quicker on CPUs

    def forward(self, images: Tensor) -> Tensor:
        """Classifies images (B, 3, S, S) in [0, 1]; returns logits (B, classes), the softmax is the loss's."""
        maps: Tensor = self.features(images.contiguous(memory_format=torch.channels_last))
        logits: Tensor = self.output(maps.flatten(1))
        return logits


def _convolution(channels: int, width: int, kernel: int) -> list[nn.Module]:
    return [nn.Conv2d(channels, width, kernel), nn.BatchNorm2d(width), nn.ReLU()]
