"""What classical models see of an image."""

import math

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from retable.classification.schema import OrientedGradientsConfig
from retable.errors import ConfigError

Features = npt.NDArray[np.float32]


def grey_values(images: Tensor) -> Tensor:
    """Returns the grey values (B, S, S) of images (B, 3, S, S)."""
    return (images * images.new_tensor([0.299, 0.587, 0.114]).view(3, 1, 1)).sum(dim=1)


class Pixels:
    """The grey values of all pixels: S * S numbers in [0, 1]."""

    def __call__(self, images: Tensor) -> Features:
        """Describes images (B, 3, S, S) in [0, 1]; returns (B, S * S)."""
        return grey_values(images).flatten(1).cpu().numpy().astype(np.float32)


class OrientedGradients:
    """Histograms of oriented gradients (Dalal and Triggs): each block of 2 x 2 cells normalised by itself."""

    def __init__(self, config: OrientedGradientsConfig) -> None:
        self._cell, self._bins = config.cell, config.bins

    def __call__(self, images: Tensor) -> Features:
        """Describes images (B, 3, H, W) in [0, 1]; returns (B, (H / cell - 1) * (W / cell - 1) * 4 * bins).

        Raises:
            ConfigError: They are not whole cells.
        """
        height, width = images.shape[-2:]
        if height % self._cell or width % self._cell or min(height, width) < 2 * self._cell:
            size = width if height == width else [height, width]
            raise ConfigError(
                f"model.input_size={size}: must be a multiple of model.features.cell, {self._cell}, two at least"
            )
        grey = F.pad(grey_values(images), (1, 1, 1, 1), mode="replicate")
        across = grey[:, 1:-1, 2:] - grey[:, 1:-1, :-2]
        down = grey[:, 2:, 1:-1] - grey[:, :-2, 1:-1]
        # each gradient goes to the two nearest orientations, by its distance from them
        place = torch.atan2(down, across) / math.pi % 1 * self._bins - 0.5
        lower = place.floor()
        strength, upper_part = torch.hypot(across, down), place - lower
        cells = torch.zeros(len(images), self._bins, height // self._cell, width // self._cell, device=images.device)
        for orientation in range(self._bins):
            is_lower, is_upper = (lower % self._bins == orientation), ((lower + 1) % self._bins == orientation)
            share = strength * (is_lower * (1 - upper_part) + is_upper * upper_part)
            cells[:, orientation] = F.avg_pool2d(share[:, None], self._cell)[:, 0]
        blocks = F.unfold(cells, 2)  # (B, bins * 4, blocks)
        blocks = blocks / (blocks.square().sum(dim=1, keepdim=True) + 1e-4).sqrt()
        return blocks.flatten(1).cpu().numpy().astype(np.float32)
