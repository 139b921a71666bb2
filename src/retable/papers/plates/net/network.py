"""The network: residual blocks down to stride 32, and back up to strides 16, 8 and 4."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from retable.papers.plates.net.schema import PlateNetConfig

STRIDES = (4, 8, 16)
DEEPEST = 32
BOX, CORNERS = 4, 8  # outputs of a place beside those of the classes
_RARE = -4.6  # a score of 0.01 at the start: nearly all places show no plate


class PlateNetwork(nn.Module):
    """Scores, boxes and corners at each place of three maps.

    Args:
        config: Its widths.
    """

    def __init__(self, config: PlateNetConfig) -> None:
        super().__init__()
        widths, channels = config.widths, config.channels
        self.stem = _convolution(3, config.stem, stride=2)
        self.stages = nn.ModuleList()
        inputs = config.stem
        for width, blocks in zip(widths, config.blocks, strict=True):
            self.stages.append(
                nn.Sequential(_convolution(inputs, width, stride=2), *[_Residual(width) for _ in range(blocks)])
            )
            inputs = width
        self.lateral = nn.ModuleList(nn.Conv2d(width, channels, 1) for width in widths)
        self.smooth = nn.ModuleList(_convolution(channels, channels) for _ in STRIDES)
        # one for each stride: a shared batch normalisation would test with a mixture of their statistics
        self.heads = nn.ModuleList(_convolution(channels, channels) for _ in STRIDES)
        self.scores = nn.Conv2d(channels, config.num_classes, 1)
        self.shapes = nn.Conv2d(channels, BOX + CORNERS, 1)
        for layer, bias in ((self.scores, _RARE), (self.shapes, 0.0)):
            nn.init.normal_(layer.weight, std=0.01)
            assert layer.bias is not None
            nn.init.constant_(layer.bias, bias)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Computes the raw outputs of all places, those of stride 4 first, row by row.

        Args:
            images: (B, 3, H, W) in [0, 1], H and W multiples of 32.

        Returns:
            Logits (B, P, C) of the classes, and (B, P, 12) of boxes and corners (`retable.papers.plates.net.coding`).
        """
        features = self.stem(images)
        maps = []
        for stage in self.stages:
            features = stage(features)
            maps.append(features)
        above = self.lateral[-1](maps[-1])
        seen = []
        for index in reversed(range(len(STRIDES))):
            above = F.interpolate(above, scale_factor=2.0) + self.lateral[index](maps[index])
            above = self.smooth[index](above)
            seen.append(self.heads[index](above))
        scores, shapes = (
            [output(each).flatten(start_dim=2) for each in reversed(seen)] for output in (self.scores, self.shapes)
        )
        return _joined(scores), _joined(shapes)


class _Residual(nn.Module):
    """Two 3 x 3 convolutions about half the channels, beside an identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        narrow = max(1, channels // 2)
        self.body = nn.Sequential(
            *_convolution(channels, narrow),
            nn.Conv2d(narrow, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, features: Tensor) -> Tensor:
        return F.relu(features + self.body(features))


def _convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


def _joined(maps: list[Tensor]) -> Tensor:
    return torch.cat(maps, dim=2).transpose(1, 2)
