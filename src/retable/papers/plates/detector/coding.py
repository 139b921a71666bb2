"""From YOLOv2's outputs to boxes: sigmoid offsets within the cell, exponential multiples of the anchor."""

from __future__ import annotations

import math

import torch
from torch import Tensor

# exp is cut off at 64 times the anchor: more than any plate needs, and far from float16's largest number
_LARGEST_LOG_RATIO = math.log(64.0)


def decode(outputs: Tensor, cells: Tensor, anchors: Tensor, stride: int) -> Tensor:
    """Returns boxes (..., 4) of outputs.

    Args:
        outputs: (..., 4 or more) t_x, t_y, t_w and t_h.
        cells: (..., 2) column and row of each.
        anchors: (..., 2) width and height of the anchor of each, pixels.
        stride: Pixels of a cell.

    Returns:
        float32 (x1, y1, x2, y2) in pixels.
    """
    outputs = outputs.float()
    centres = (cells + outputs[..., :2].sigmoid()) * stride
    half = anchors * outputs[..., 2:4].clamp(max=_LARGEST_LOG_RATIO).exp() / 2
    return torch.cat([centres - half, centres + half], dim=-1)
