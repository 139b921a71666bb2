"""From the network's five regression outputs to boxes (section II.B, equation 1)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from retable.boxes import distances_to_box

# exp is cut off at 64 times the prior: more than any ship needs, and far from float16's largest number.
LARGEST_LOG_RATIO = math.log(64.0)


def log_distances(outputs: Tensor, priors: Tensor) -> Tensor:
    """Logarithms of the four distances: ln d_i = ln(h_k) + t_i for i = 1, 3 and ln(w_k) + t_i for i = 2, 4.

    The prior's height scales the distances to the top and bottom side and its width those to the right and left.

    Args:
        outputs: (..., 5) t_1 to t_4 and t_theta.
        priors: (..., 2) width and height w_k, h_k of the prior of each, pixels.

    Returns:
        (..., 4) ln d1 (top), ln d2 (right), ln d3 (bottom), ln d4 (left), pixels.
    """
    logs = priors.log()
    width, height = logs[..., 0], logs[..., 1]
    return outputs[..., :4] + torch.stack([height, width, height, width], dim=-1)


def angle(outputs: Tensor) -> Tensor:
    """Angle (...) of the box of outputs (..., 5): theta = (2 sigmoid(t_theta) - 1) pi/4, radians, in (-pi/4, pi/4).

    The paper prints ``sigmoid(t x 2 - 1) x pi/4``. That lies in (0, pi/4) and cannot reach the negative half of the
    range (-45, 45] which the paper itself names, so the brackets must be misplaced.
    """
    return (2.0 * torch.sigmoid(outputs[..., 4]) - 1.0) * (math.pi / 4)


def decode(outputs: Tensor, points: Tensor, priors: Tensor) -> Tensor:
    """Returns the canonical boxes (..., 5), float32, of outputs and priors as of `log_distances` at points (..., 2)."""
    outputs = outputs.float()
    clamped = torch.cat([outputs[..., :4].clamp(max=LARGEST_LOG_RATIO), outputs[..., 4:]], dim=-1)
    distances = log_distances(clamped, priors).exp()
    return distances_to_box(torch.cat([distances, angle(outputs).unsqueeze(-1)], dim=-1), points)
