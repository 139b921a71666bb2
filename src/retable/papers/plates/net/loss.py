"""The loss of plate_net."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from retable.nn.losses import positive_normaliser, unitbox_iou_loss_from_logs
from retable.papers.plates.net.assignment import Assignment
from retable.papers.plates.net.coding import Places, encode_corners, log_distances
from retable.papers.plates.net.network import BOX
from retable.papers.plates.net.schema import PlateNetConfig

_ALPHA = 0.75  # as in the varifocal loss' paper, as is the square


@dataclass(frozen=True)
class LossParts:
    """The loss and what it is made of; scalars, weighted, for one place that learns a plate in the mean.

    Attributes:
        score: Varifocal loss of all places' scores (Zhang et al., CVPR 2021, equation 2): places without a plate, of
            which there are thousands for each that learns one, weigh by their score.
        box: UnitBox's logarithm of the IoU.
        corners: Distances of the corners where they are known, as parts of the box.
    """

    score: Tensor
    box: Tensor
    corners: Tensor

    @property
    def total(self) -> Tensor:
        """The sum, which is minimised."""
        return self.score + self.box + self.corners


def plate_net_loss(
    logits: Tensor,
    shapes: Tensor,
    at: Places,
    assignment: Assignment,
    boxes: Tensor,
    labels: Tensor,
    corners: Tensor,
    config: PlateNetConfig,
) -> LossParts:
    """Computes the loss of a batch.

    Args:
        logits: (B, P, C) of the network.
        shapes: (B, P, 12) of the network.
        at: The P places of an image.
        assignment: What they learn.
        boxes: (M, 4) of the batch, pixels.
        labels: (M,) int64.
        corners: (M, 4, 2), pixels; NaN where they are unknown.
        config: The weights of the parts.
    """
    places, matched = assignment.places, assignment.boxes
    normaliser, _ = positive_normaliser(len(places), logits.device)
    flat = logits.flatten(0, 1).float()
    wanted = torch.zeros_like(flat)
    wanted[places, labels[matched]] = assignment.scores
    weight = torch.where(wanted > 0, wanted, _ALPHA * flat.detach().sigmoid().square())
    entropy = F.binary_cross_entropy_with_logits(flat, wanted, weight, reduction="none")
    score = entropy.masked_fill(assignment.ignored[:, None], 0).sum() / normaliser

    seen, truth = shapes.flatten(0, 1)[places].float(), boxes[matched].float()
    where = places % len(at.points)
    x, y = at.points[where].unbind(dim=1)
    left, top, right, bottom = truth.unbind(dim=1)
    distances = torch.stack([y - top, right - x, bottom - y, x - left], dim=1)
    box = unitbox_iou_loss_from_logs(log_distances(seen, at.strides[where]), distances) / normaliser

    target = encode_corners(corners[matched].float(), truth)
    known = ~target.isnan()
    errors = F.smooth_l1_loss(seen[:, BOX:], torch.where(known, target, 0.0), reduction="none", beta=0.1)
    moved = errors.masked_fill(~known, 0).sum() / normaliser
    return LossParts(score, config.box_weight * box, config.corner_weight * moved)
