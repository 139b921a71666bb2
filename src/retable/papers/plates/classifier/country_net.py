"""Our own small network for rectified plates."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from retable.errors import ConfigError
from retable.papers.plates.classifier.schema import CountryNetConfig

_ROWS, _COLUMNS = 2, 4


class CountryNet(nn.Module):
    """A network of 0.2 million weights that is not in the paper.

    Every stage begins by halving the resolution, the first with a window of five pixels, so that nothing is computed at
    full resolution. The last maps are averaged over 2 x 4 fields of the plate only: bands, names and lines of text tell
    a country by where they are. Each picture is brought to the same brightness and contrast, in which sources differ.
    The input size is not needed.

    Raises:
        ConfigError: There are no stages, or not as many depths as widths.
    """

    def __init__(self, config: CountryNetConfig, input_size: int, classes: int) -> None:
        super().__init__()
        if not config.widths or len(config.widths) != len(config.depths):
            raise ConfigError(
                f"model.network.widths={config.widths}, depths={config.depths}: must be as many, and one at least"
            )
        layers: list[nn.Module] = []
        channels = 3
        for width, depth in zip(config.widths, config.depths, strict=True):
            for number in range(depth):
                kernel, stride = (3, 1) if number else (3 if layers else 5, 2)
                layers += [
                    nn.Conv2d(channels, width, kernel, stride=stride, padding=kernel // 2, bias=False),
                    nn.BatchNorm2d(width),
                    nn.ReLU(),
                ]
                channels = width
        self.features = nn.Sequential(*layers)
        self.output = nn.Sequential(
            nn.AdaptiveAvgPool2d((_ROWS, _COLUMNS)),
            nn.Flatten(),
            nn.Dropout(config.dropout),
            nn.Linear(channels * _ROWS * _COLUMNS, classes),
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")

    def forward(self, images: Tensor) -> Tensor:
        """Classifies images (B, 3, H, W) in [0, 1]; returns logits (B, classes)."""
        logits: Tensor = self.output(self.features(F.layer_norm(images, images.shape[1:], eps=1e-4)))
        return logits
