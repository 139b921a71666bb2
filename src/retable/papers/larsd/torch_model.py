"""The LARSD network: backbone, UNet-like decoder, and two subnets for all levels (Fig. 2)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from retable.nn.backbones import Backbone
from retable.nn.unet import UNetDecoder
from retable.papers.larsd.priors import Priors
from retable.papers.larsd.schema import LarsdConfig

_DEPTH = 3  # 3x3 convolutions of a subnet, as in the paper
_PRIOR_PROBABILITY = 0.01  # RetinaNet's: at the start every slot says "ship" with this probability


class Subnet(nn.Module):
    """Three 3x3 convolutions and one 1x1, shared between the levels.

    The paper does not say whether levels share their subnets. They do here, as in RetinaNet, from which the rest of the
    head comes: the equal channels of the levels have no other use. Batch normalisation (the paper is silent; without it
    SGD from scratch hardly starts) has its own layers at every level, since the levels' statistics differ.

    Args:
        channels: Channels of the input and of the hidden layers.
        outputs: Channels of the output.
        levels: Number of levels.
    """

    def __init__(self, channels: int, outputs: int, levels: int) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False) for _ in range(_DEPTH)
        )
        self.norms = nn.ModuleList(
            nn.ModuleList(nn.BatchNorm2d(channels) for _ in range(_DEPTH)) for _ in range(levels)
        )
        self.output = nn.Conv2d(channels, outputs, 1)
        nn.init.normal_(self.output.weight, std=0.01)

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Applies the subnet to the maps (B, channels, H, W) of every level; returns (B, outputs, H, W) of each."""
        outputs = []
        for x, norms in zip(maps, self.norms, strict=True):
            assert isinstance(norms, nn.ModuleList)
            for convolution, norm in zip(self.convolutions, norms, strict=True):
                x = torch.relu_(norm(convolution(x)))
            outputs.append(self.output(x))
        return outputs


class LarsdNetwork(nn.Module):
    """Locality-aware rotated ship detector without its score alignment, which has no weights.

    Attributes:
        priors: Anchor sizes; part of the state dict.

    Raises:
        ConfigError: There is no such backbone.
    """

    def __init__(self, config: LarsdConfig) -> None:
        super().__init__()
        levels, channels = config.levels, config.channels
        self.priors = Priors(levels, config.anchors, config.anchors_per_group)
        self.backbone = Backbone(config.backbone, config.backbone_width)
        self.decoder = UNetDecoder(self.backbone.channels, channels, levels)
        per_location = self.priors.per_location
        self.classification = Subnet(channels, per_location * config.num_classes, len(levels))
        self.regression = Subnet(channels, per_location * 5, len(levels))
        classes, sides = self.classification.output.bias, self.regression.output.bias
        assert classes is not None
        assert sides is not None
        nn.init.constant_(classes, math.log(_PRIOR_PROBABILITY / (1 - _PRIOR_PROBABILITY)))
        # half the prior to each side: a location at the centre starts with the prior itself, unturned
        half = -math.log(2.0)
        with torch.no_grad():
            sides.copy_(torch.tensor([half, half, half, half, 0.0]).repeat(per_location))
        # convolutions on CPU and the tensor cores of GPUs are faster so
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Computes the raw outputs of every level.

        Args:
            images: (B, 3, H, W) in [0, 1], H and W multiples of 32.

        Returns:
            For each level the classification logits (B, K * C, H / stride, W / stride), anchor by anchor and in it
            class by class, and the regression outputs (B, K * 5, H / stride, W / stride), anchor by anchor t_1 to t_4
            and t_theta.
        """
        images = images.contiguous(memory_format=torch.channels_last)
        maps = self.decoder(self.backbone(images))
        return self.classification(maps), self.regression(maps)


def slots(outputs: Sequence[Tensor], width: int) -> Tensor:
    """Puts the outputs (B, K * width, H, W) of all levels into the order of slots (see `Assignment`): (B, A, width).

    `width` is how many numbers a slot has: classes, or 5.
    """
    return torch.cat([level.permute(0, 2, 3, 1).reshape(level.shape[0], -1, width) for level in outputs], dim=1)
