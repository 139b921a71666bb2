"""Masks of symbols and what is lost on them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from retable.synthetic.raster import fill


def draw_mask(quadrangles: NDArray[np.float64], height: int, width: int, stride: int) -> NDArray[np.uint8]:
    """Returns how much of each cell is of a symbol, uint8 (height, width), 255 for all of it.

    Args:
        quadrangles: (N, 4, 2) in continuous pixels of the photo.
        height: Of the mask, cells.
        width: Of the mask, cells.
        stride: Pixels of the photo for a cell.
    """
    fine = 2 * stride  # OpenCV fills half a pixel too much all around: the less, the finer they are
    mask = np.zeros((height * fine, width * fine), np.uint8)
    fill(mask, quadrangles * (fine / stride), 255, smooth=False)
    return np.asarray(cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def draw_masks(groups: Sequence[Sequence[Tensor]], shape: Sequence[int], stride: int) -> Tensor:
    """Returns masks (B, len(groups), h, w) float32 in [0, 1].

    Args:
        groups: For each channel the quadrangles of B photos, (N, 4, 2) each.
        shape: h and w.
        stride: Pixels of the photo for a cell.
    """
    height, width = shape
    drawn = [
        [draw_mask(photo.cpu().numpy().astype(np.float64), height, width, stride) for photo in group]
        for group in groups
    ]
    return torch.from_numpy(np.stack(drawn, 1)).float().div_(255)


def mask_loss(logits: Tensor, targets: Tensor, dice_weight: float) -> Tensor:
    """Returns binary cross-entropy plus the weighted Dice loss, of which each channel is one over the batch.

    Args:
        logits: (B, K, h, w).
        targets: (B, K, h, w) in [0, 1].
        dice_weight: Of the Dice loss.
    """
    entropy = F.binary_cross_entropy_with_logits(logits, targets)
    probabilities = logits.sigmoid()
    common = (probabilities * targets).sum((0, 2, 3))
    dice = 1.0 - (2.0 * common + 1.0) / (probabilities.sum((0, 2, 3)) + targets.sum((0, 2, 3)) + 1.0)
    return entropy + dice_weight * dice.mean()
