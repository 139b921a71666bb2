"""UNet-like decoder: brings the meaning of deep feature maps back to high resolution."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LEVELS = ("P2", "P3", "P4")


def convolution(inputs: int, outputs: int, kernel: int) -> nn.Sequential:
    """Convolution that keeps the size, batch normalisation, ReLU.

    Args:
        inputs: Input channels.
        outputs: Output channels.
        kernel: Odd kernel side.

    Returns:
        The three layers; the convolution has no bias, since the normalisation would cancel it.
    """
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class UNetDecoder(nn.Module):
    """Decoder from {C2, C3, C4, C5} to equally wide {P2, P3, P4} (LARSD, section II.A and Fig. 3).

    Each of three iterations upsamples the map so far by nearest neighbours, concatenates it with the next lower map
    of the backbone, and fuses both by a 3x3 and a 1x1 convolution, which also reduces the channels. Last, a 1x1
    convolution a level gives all levels the same number of channels. The paper is silent on the fused widths: they
    are half the channels of the lower map, so that every iteration costs about the same.

    Args:
        backbone_channels: Channels of C2, C3, C4 and C5.
        channels: Channels of every output level.
        levels: Which of ``P2``, ``P3`` and ``P4`` are put out, finest first. Iterations below the finest are not built.

    Raises:
        ValueError: There is no such level, or none is asked for.
    """

    def __init__(self, backbone_channels: Sequence[int], channels: int, levels: Sequence[str]) -> None:
        super().__init__()
        if not levels or not set(levels) <= set(LEVELS):
            raise ValueError(f"levels must be some of {', '.join(LEVELS)}, got {list(levels)}")
        finest = min(int(level[1:]) for level in levels)
        above = backbone_channels[3]
        self.fuse = nn.ModuleDict()
        self.equalise = nn.ModuleDict()
        for number in range(4, finest - 1, -1):
            lower = backbone_channels[number - 2]
            width = lower // 2
            self.fuse[f"P{number}"] = nn.Sequential(convolution(above + lower, width, 3), convolution(width, width, 1))
            if f"P{number}" in levels:
                self.equalise[f"P{number}"] = convolution(width, channels, 1)
            above = width
        self.levels = list(levels)

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Decodes.

        Args:
            features: C2, C3, C4, C5: (B, C, H / stride, W / stride) at strides 4, 8, 16, 32.

        Returns:
            The levels asked for, in their order: (B, channels, H / stride, W / stride), P2 at stride 4, P3 at 8, P4
            at 16.
        """
        state = features[3]
        outputs: dict[str, Tensor] = {}
        for name, fuse in self.fuse.items():
            upsampled = F.interpolate(state, scale_factor=2.0, mode="nearest")
            state = fuse(torch.cat([upsampled, features[int(name[1:]) - 2]], dim=1))
            if name in self.equalise:
                outputs[name] = self.equalise[name](state)
        return [outputs[name] for name in self.levels]
