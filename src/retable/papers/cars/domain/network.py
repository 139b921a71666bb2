"""The network of the domain extractor."""

from __future__ import annotations

from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from retable.papers.cars.domain.corruptions import CORRUPTIONS
from retable.papers.cars.scenes.bodies import BODIES
from retable.papers.cars.scenes.materials import COLOURS
from retable.papers.cars.scenes.views import OCCLUSIONS, VIEWS

INPUT_SIZE: Final = 64
FEATURES: Final = 160
HEADS: Final = {
    "view": len(VIEWS),
    "body": len(BODIES),
    "colour": len(COLOURS),
    "occlusion": len(OCCLUSIONS),
    "fault": len(CORRUPTIONS),
    "strength": 1,
}
"""Outputs of each head: classes (``fault``, a name of the shipped weights, is the corruption), and for strength one."""


class DomainNetwork(nn.Module):
    """A plain convolutional network: five convolutions, averaged over the image, and a linear layer for each question.

    Attributes:
        scale: (160,) factors that give each feature a variance of 1 over clean generated cars.
    """

    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        # the first strides are small: checkerboards and noise are in the finest details
        self.body = nn.Sequential(
            *_stage(3, 24, stride=2),
            *_stage(24, 48, stride=2),
            *_stage(48, 64, stride=1),
            *_stage(64, 96, stride=2),
            *_stage(96, FEATURES, stride=1),
        )
        self.heads = nn.ModuleDict({name: nn.Linear(FEATURES, outputs) for name, outputs in HEADS.items()})
        self.register_buffer("scale", torch.ones(FEATURES))

    def pooled(self, images: Tensor) -> Tensor:
        """Computes features (B, 160) before scaling, of images (B, 3, 64, 64) in [0, 1]."""
        found: Tensor = self.body(images * 4 - 2).mean(dim=(2, 3))
        return found

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Extracts features of images uint8 (B, 3, H, W), of any size.

        Returns:
            Features (B, 160), and logits (B, 8 views x bodies): those of the views plus those of the bodies, whose
            softmax is the product of both probabilities.
        """
        pooled = self.pooled(resized(images.float() / 255))
        views, bodies = self.heads["view"](pooled), self.heads["body"](pooled)
        return pooled * self.scale, (views[:, :, None] + bodies[:, None, :]).flatten(start_dim=1)


def resized(images: Tensor) -> Tensor:
    """Resizes images (B, 3, H, W) in [0, 1] to 64 pixels, bilinearly and with antialiasing, whatever their size."""
    if images.shape[-2:] == (INPUT_SIZE, INPUT_SIZE):
        return images
    size = (INPUT_SIZE, INPUT_SIZE)
    return F.interpolate(images, size, mode="bilinear", antialias=True, align_corners=False)


def _stage(channels: int, width: int, stride: int) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(channels, width, kernel_size=3, stride=stride, padding=1, bias=False)
    return convolution, nn.BatchNorm2d(width), nn.ReLU()
