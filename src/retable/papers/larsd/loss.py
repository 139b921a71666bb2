"""LARSD's loss (equation 2)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from retable.boxes import box_to_distances
from retable.nn.losses import east_angle_loss, focal_loss, positive_normaliser, unitbox_iou_loss_from_logs
from retable.papers.larsd.assignment import Assignment
from retable.papers.larsd.coding import angle, log_distances
from retable.papers.larsd.schema import LarsdConfig


@dataclass(frozen=True)
class LossParts:
    """The loss and what it is made of; all scalars, the parts already weighted and normalised.

    Attributes:
        total: The sum of the parts, which is minimised.
        classification: Focal loss.
        distance: lambda_d times the UnitBox IoU loss.
        angle: lambda_a times EAST's angle loss.
        positives: Positive slots in all processes.
    """

    total: Tensor
    classification: Tensor
    distance: Tensor
    angle: Tensor
    positives: Tensor


def larsd_loss(
    logits: Tensor,
    regression: Tensor,
    assignment: Assignment,
    boxes: Tensor,
    labels: Tensor,
    config: LarsdConfig,
) -> LossParts:
    """Computes the loss of a batch.

    The paper leaves N_cls and N_reg open; both are the number of positives here, as in RetinaNet, taken over all
    processes (and at least 1).

    Args:
        logits: (B, A, C) classification outputs of the A slots of each image.
        regression: (B, A, 5) regression outputs.
        assignment: What the B * A slots learn.
        boxes: (M, 5) boxes of the batch, pixels and radians.
        labels: (M,) int64 class of each.
        config: The weights of the parts, and the focal loss.
    """
    slots, matched = assignment.positive_slots, assignment.positive_boxes
    normaliser, positives = positive_normaliser(len(slots), logits.device)
    flat = logits.flatten(0, 1)
    targets = torch.zeros_like(flat, dtype=torch.bool)
    targets[slots, labels[matched]] = True
    valid = (~assignment.ignored).unsqueeze(1).expand_as(flat)
    classification = focal_loss(flat, targets, config.focal_alpha, config.focal_gamma, valid) / normaliser

    outputs = regression.flatten(0, 1)[slots].float()
    truth = box_to_distances(boxes[matched].float(), assignment.positive_points)
    distance_loss = unitbox_iou_loss_from_logs(log_distances(outputs, assignment.positive_priors), truth[:, :4])
    angle_loss = east_angle_loss(angle(outputs), truth[:, 4])
    distance = config.lambda_d * distance_loss / normaliser
    turn = config.lambda_a * angle_loss / normaliser
    return LossParts(classification + distance + turn, classification, distance, turn, positives)
