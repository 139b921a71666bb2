"""YOLOv2's loss, as its authors' code (Darknet) has it: squared errors throughout."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from retable.boxes import AXIS_ALIGNED, axis_aligned_iou_aligned
from retable.papers.plates.detector.assignment import Assignment, place
from retable.papers.plates.detector.coding import decode
from retable.papers.plates.detector.schema import Yolov2Config


@dataclass(frozen=True)
class LossParts:
    """The loss and what it is made of; scalars, weighted, for one image in the mean.

    Attributes:
        objectness: Of the slots that predict a plate, towards the IoU of their predicted box.
        background: Objectness of all others but the ignored ones, towards 0.
        box: Offsets in the cell, and logarithms of the multiples of the anchor.
        classification: Class probabilities.
    """

    objectness: Tensor
    background: Tensor
    box: Tensor
    classification: Tensor

    @property
    def total(self) -> Tensor:
        """The sum, which is minimised."""
        return self.objectness + self.background + self.box + self.classification


def yolov2_loss(
    outputs: Tensor,
    assignment: Assignment,
    boxes: Tensor,
    labels: Tensor,
    difficult: Tensor,
    anchors: Tensor,
    stride: int,
    config: Yolov2Config,
) -> LossParts:
    """Computes the loss of a batch.

    Small plates weigh more: the errors of a box are multiplied by 2 minus its part of the image's area.

    Args:
        outputs: (B, H, W, A, 5 + C) of the network.
        assignment: What its slots learn.
        boxes: (M, 4) boxes of the batch, pixels.
        labels: (M,) int64.
        difficult: (M,) bool; what predicts one of them is ignored however little it overlaps.
        anchors: (A, 2) widths and heights, pixels.
        stride: Pixels of a cell.
        config: The weights of the parts, and the ignore threshold.
    """
    images, *grid, per_cell, width = outputs.shape
    flat = outputs.reshape(-1, width)

    predicted = flat[assignment.slots].float()
    cell, anchor = assignment.slots // per_cell, anchors[assignment.slots % per_cell]
    cells = place(cell, (grid[0], grid[1]))
    truth = boxes[assignment.boxes].float()
    centres, sizes = AXIS_ALIGNED.centres(truth), AXIS_ALIGNED.sizes(truth)
    found = decode(predicted.detach(), cells, anchor, stride).nan_to_num()  # a loss of NaN is told as such
    iou = axis_aligned_iou_aligned(found, truth)
    objectness = (predicted[:, 4].sigmoid() - iou).square().sum()

    offsets = predicted[:, :2].sigmoid() - (centres / stride - cells)
    scales = predicted[:, 2:4] - (sizes / anchor).log()
    emphasis = 2 - sizes.prod(dim=1, keepdim=True) / (grid[0] * grid[1] * stride**2)
    box = (emphasis * (offsets.square() + scales.square())).sum()

    wanted = F.one_hot(labels[assignment.boxes], width - 5)
    classification = (predicted[:, 5:].softmax(dim=1) - wanted).square().sum()

    spared = torch.zeros(len(flat), dtype=torch.bool, device=flat.device)
    spared[assignment.slots] = True
    ignored = ignored_slots(outputs, assignment, boxes, difficult, anchors, stride, config.ignore_threshold)
    spared[ignored] = True
    background = flat[:, 4].float().sigmoid().square().masked_fill(spared, 0).sum()

    return LossParts(
        config.object_weight * objectness / images,
        config.no_object_weight * background / images,
        config.coordinate_weight * box / images,
        config.class_weight * classification / images,
    )


@torch.no_grad()
def ignored_slots(
    outputs: Tensor,
    assignment: Assignment,
    boxes: Tensor,
    difficult: Tensor,
    anchors: Tensor,
    stride: int,
    threshold: float,
) -> Tensor:
    """Returns the slots whose predicted box overlaps a plate by more than the threshold, or lies at a difficult one.

    Args:
        outputs: (B, H, W, A, 4 or more) of the network.
        assignment: As of `assign`, of the same threshold.
        boxes: (M, 4) boxes of the batch, pixels.
        difficult: (M,) bool.
        anchors: (A, 2) widths and heights, pixels.
        stride: Pixels of a cell.
        threshold: The IoU.
    """
    _, rows, columns, per_cell, width = outputs.shape
    cells, which = assignment.near_cells, assignment.near_boxes
    near = outputs.reshape(-1, per_cell, width)[cells]
    # the ratio of widths, or of heights, is a bound of the IoU, and leaves few to be decoded
    ratios = near[..., 2:4] + anchors.log() - AXIS_ALIGNED.sizes(boxes)[which, None].log()
    alike = (ratios.abs() < -math.log(threshold)).all(dim=2)
    pair, anchor = (alike | difficult[which, None]).nonzero(as_tuple=True)
    cell, plate = cells[pair], which[pair]
    found = decode(near[pair, anchor], place(cell, (rows, columns)), anchors[anchor], stride).nan_to_num()
    ignored = (axis_aligned_iou_aligned(found, boxes[plate].float()) > threshold) | difficult[plate]
    return (cell * per_cell + anchor)[ignored]
