"""A U-Net (Ronneberger et al., 2015) behind a stem that halves the resolution as often as wanted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

KINDS = 2
"""Channels of the masks: linear barcodes of any kind, and of them those of EAN-13 and UPC-A."""


def _convolution(inputs: int, outputs: int, stride: int = 1) -> list[nn.Module]:
    return [
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    ]


def _twice(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(*_convolution(inputs, outputs), *_convolution(outputs, outputs))


class UNet(nn.Module):
    """Photos to logits of masks.

    Args:
        stem: Convolutions of stride 2 before the first level.
        widths: Channels of the levels, the finest first; each has half the resolution of the one before.
        shrink: Pixels on a side of which the mean is taken before all else.

    Attributes:
        stride: Pixels of the photo for one of the masks.
        multiple: Sides of photos are multiples of this.
    """

    def __init__(self, stem: int, widths: Sequence[int], shrink: int = 1) -> None:
        super().__init__()
        self.shrink = shrink
        self.stride = shrink * 2**stem
        self.multiple = self.stride * 2 ** (len(widths) - 1)
        first: list[nn.Module] = []
        channels = 3
        for _ in range(stem):
            first += _convolution(channels, widths[0], 2)
            channels = widths[0]
        self.stem = nn.Sequential(*first)
        self.down = nn.ModuleList(
            _twice(above, width) for above, width in zip([channels, *widths[:-1]], widths, strict=True)
        )
        finer = list(reversed(widths[:-1]))
        coarser = list(reversed(widths[1:]))
        self.reduce = nn.ModuleList(nn.Conv2d(below, width, 1) for below, width in zip(coarser, finer, strict=True))
        self.up = nn.ModuleList(_twice(2 * width, width) for width in finer)
        self.head = nn.Conv2d(widths[0], KINDS, 1)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        nn.init.constant_(cast(Any, self.head.bias), -2.0)  # most of a photo is no symbol
        nn.init.normal_(self.head.weight, std=0.01)

    def forward(self, images: Tensor) -> Tensor:
        """Returns logits (B, KINDS, H / stride, W / stride) of images (B, 3, H, W) in [0, 1]."""
        seen = F.avg_pool2d(images, self.shrink) if self.shrink > 1 else images
        features = self.stem(seen - 0.5)
        skipped: list[Tensor] = []
        for level in self.down:
            if skipped:
                features = F.max_pool2d(features, 2)
            features = level(features)
            skipped.append(features)
        skipped.pop()
        for reduce, level in zip(self.reduce, self.up, strict=True):
            # reduced before it is enlarged: a quarter of the work for the same values
            enlarged = F.interpolate(reduce(features), scale_factor=2.0, mode="nearest")
            features = level(torch.cat([skipped.pop(), enlarged], 1))
        logits: Tensor = self.head(features)
        return logits
