"""Losses of dense detectors: focal loss, UnitBox IoU loss, EAST angle loss.

All are computed in float32 at least, also on half-precision inputs under autocast: their logarithms and
small differences would be lost in bfloat16.
"""

from __future__ import annotations

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor

# A shorter true distance (pixels) is taken for this one, since the logarithm of 0 is not finite.
MINIMUM_DISTANCE = 1e-4


def _at_least_float32(tensor: Tensor) -> Tensor:
    return tensor if tensor.dtype == torch.float64 else tensor.float()


def focal_loss(
    logits: Tensor,
    targets: Tensor,
    alpha: float = 0.25,
    gamma: float = 2.0,
    valid: Tensor | None = None,
) -> Tensor:
    """Focal loss of binary labels: -alpha_t (1 - p_t)^gamma ln p_t (Lin et al., ICCV 2017, equation 5).

    p_t is the predicted probability of the true label; alpha_t is alpha for positives and
    1 - alpha for negatives. Both factors are computed from the logit without 1 - p, so that sure
    predictions lose neither value nor gradient.

    Args:
        logits: Any shape; before the sigmoid.
        targets: Same shape; bool, or numbers 0 and 1.
        alpha: Weight of positives, in [0, 1].
        gamma: 0 or more; how strongly easy samples are played down. 0 with alpha 0.5 is half the
            binary cross-entropy.
        valid: Same shape, bool; False marks samples that add nothing (ignored anchors).

    Returns:
        The sum over all samples; float32, or float64 for float64 logits.

    Raises:
        ValueError: The shapes differ.
    """
    if logits.shape != targets.shape or (valid is not None and valid.shape != logits.shape):
        raise ValueError(
            f"logits {tuple(logits.shape)}, targets {tuple(targets.shape)} and valid "
            f"{None if valid is None else tuple(valid.shape)} must have the same shape"
        )
    logits = _at_least_float32(logits)
    positive = targets.to(torch.bool)
    # The logit of the true label: p_t = sigmoid(evidence).
    evidence = torch.where(positive, logits, -logits)
    cross_entropy = F.softplus(-evidence)
    # (1 - p_t)^gamma as exp(gamma ln sigmoid(-evidence)): no power of 0, whose gradient is not finite.
    modulation = torch.exp(-gamma * F.softplus(evidence))
    weight = torch.where(positive, alpha, 1.0 - alpha).to(logits.dtype)
    loss = weight * modulation * cross_entropy
    if valid is not None:
        loss = torch.where(valid, loss, torch.zeros_like(loss))
    return loss.sum()


def unitbox_iou_loss_from_logs(log_distances: Tensor, target_distances: Tensor) -> Tensor:
    """UnitBox loss -ln IoU of two boxes given by distances from one point inside both.

    Yu et al., ACM Multimedia 2016, section 3.1: with distances to the top, right, bottom and left side, the
    intersection is (min top + min bottom) (min left + min right). Both boxes count as equally rotated. The predicted
    distances come as logarithms; all areas stay logarithms, so the loss and its gradient are finite for every finite
    prediction, however far off: exp(100) pixels do not overflow, and 1e-30 pixels still get a gradient.

    Args:
        log_distances: (..., 4) natural logarithms of the predicted (top, right, bottom, left), pixels.
        target_distances: (..., 4) true distances (not logarithms); at least `MINIMUM_DISTANCE` is taken.

    Returns:
        The sum over boxes, 0 for equal ones; float32, or float64 for float64 input.

    Raises:
        ValueError: The shapes differ, or the last dimension is not 4.
    """
    if log_distances.shape != target_distances.shape or log_distances.shape[-1] != 4:
        raise ValueError(
            f"predicted {tuple(log_distances.shape)} and target {tuple(target_distances.shape)} distances "
            "must have the same shape (..., 4)"
        )
    predicted = _at_least_float32(log_distances)
    target = _at_least_float32(target_distances).clamp(min=MINIMUM_DISTANCE).log().to(predicted.dtype)
    log_predicted_area = _log_area(predicted)
    log_target_area = _log_area(target)
    log_intersection = _log_area(torch.minimum(predicted, target))
    # ln(A + B - I), with the larger area taken out of the logarithm: what is left is between 1 and 2.
    larger = torch.maximum(log_predicted_area, log_target_area)
    smaller = torch.minimum(log_predicted_area, log_target_area)
    outside = torch.exp(smaller - larger) - torch.exp(log_intersection - larger)
    return (larger + torch.log1p(outside) - log_intersection).sum()


def _log_area(log_distances: Tensor) -> Tensor:
    top, right, bottom, left = log_distances.unbind(-1)
    return torch.logaddexp(top, bottom) + torch.logaddexp(left, right)


def east_angle_loss(angles: Tensor, target_angles: Tensor) -> Tensor:
    """EAST's angle loss, 1 - cos(angle - target) (Zhou et al., CVPR 2017, equation 10).

    Computed as 2 sin^2 of half the difference, which is the same number without the loss of all
    digits at small differences that 1 - cos has in float32.

    Args:
        angles: Any shape, radians.
        target_angles: Same shape, radians.

    Returns:
        The sum over all angles; float32, or float64 for float64 input.

    Raises:
        ValueError: The shapes differ.
    """
    if angles.shape != target_angles.shape:
        raise ValueError(
            f"predicted {tuple(angles.shape)} and target {tuple(target_angles.shape)} angles must have the same shape"
        )
    difference = _at_least_float32(angles) - _at_least_float32(target_angles)
    return (2.0 * torch.sin(0.5 * difference).square()).sum()


def positive_normaliser(count: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """What a process divides its summed losses by, so that the mean over processes is the loss of the global batch.

    DistributedDataParallel averages gradients over W processes. With a sum S_r over each process's batch and N
    positives in all, the wanted loss is sum(S_r) / N = mean(S_r W / N): each divides by N / W.

    Returns:
        The divisor max(N, 1) / W and N, two float32 scalars.
    """
    positives = torch.tensor(float(count), device=device)
    processes = dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1
    if processes > 1:
        dist.all_reduce(positives)
    return positives.clamp(min=1.0) / processes, positives
