"""From raw outputs to detections: candidates, score alignment, rotated NMS that merges.

Two readings of the paper's words were chosen by measurement, on networks trained for minutes (docs/results/lasa.md):

- "Some candidate targets" are the local maxima of each anchor's score map. An aligned score forgets the slot's own
  score, the mark of the slots beside a ship: their boxes were hardly trained, yet they lie on the same ship and take
  its high scores. Without this the alignment lowers AP50 by 2 to 6 points; with it, it does not.
- Non-maximum suppression is used "to merge overlapping bounding boxes": a kept box is the mean of the boxes around it,
  weighted by their scores, as in EAST, whose angle loss the paper takes as well. This is worth 4 to 8 points of AP50.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from retable.boxes import merge_rotated_boxes, rotated_nms
from retable.papers.larsd.coding import decode
from retable.papers.larsd.lasa import aligned_scores, sampling_points
from retable.papers.larsd.priors import Priors
from retable.papers.larsd.schema import LarsdConfig


@torch.no_grad()
def detections(
    logits: Sequence[Tensor], regression: Sequence[Tensor], priors: Priors, config: LarsdConfig
) -> list[dict[str, Tensor]]:
    """Turns the raw outputs of a batch, (B, K * C, H, W) and (B, K * 5, H, W) of each level, into detections.

    Returns:
        For each image boxes (N, 5) canonical, scores (N,) and labels (N,), by descending score.
    """
    maps = [level.float().sigmoid() for level in logits]
    results = []
    for image in range(logits[0].shape[0]):
        levels = [
            _slots(maps[level][image], regression[level][image], priors.sizes[level], stride, config)
            for level, stride in enumerate(priors.strides)
        ]
        boxes, own, labels, aligned = (torch.cat(parts) for parts in zip(*levels, strict=True))
        peaks = (~aligned.isnan()).nonzero().squeeze(1)
        kept = peaks[rotated_nms(boxes[peaks], aligned[peaks], config.nms_threshold, labels[peaks])]
        kept = kept[: config.max_detections]
        merged = merge_rotated_boxes(boxes[kept], labels[kept], boxes, own, labels, config.merge_threshold)
        results.append({"boxes": merged, "scores": aligned[kept], "labels": labels[kept]})
    return results


def _slots(
    scores: Tensor, regression: Tensor, sizes: Tensor, stride: int, config: LarsdConfig
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Boxes, own scores, labels and aligned scores of the slots of one level of one image above the threshold.

    The aligned score of a slot that is no local maximum, and therefore no candidate, is NaN.
    """
    _, height, width = scores.shape
    flat = scores.reshape(-1)
    index = (flat > config.score_threshold).nonzero().squeeze(1)
    if len(index) > config.candidates:
        # sorted by hand: topk does not say which of equal scores it takes
        order = torch.argsort(flat[index], descending=True, stable=True)
        index = index[order[: config.candidates]]
    channel = torch.div(index, height * width, rounding_mode="floor")
    cell = index % (height * width)
    row, column = torch.div(cell, width, rounding_mode="floor"), cell % width
    anchor, label = torch.div(channel, config.num_classes, rounding_mode="floor"), channel % config.num_classes
    outputs = regression.reshape(-1, 5, height, width)[anchor, :, row, column]
    points = (torch.stack([column, row], dim=1).float() + 0.5) * stride
    boxes = decode(outputs, points, sizes[anchor].float())
    own = flat[index]
    peak = own >= functional.max_pool2d(scores[None], 3, 1, 1)[0].reshape(-1)[index]
    aligned = torch.full_like(own, torch.nan)
    if config.lasa == "none":
        aligned[peak] = own[peak]
    else:
        samples = sampling_points(config.lasa, config.lasa_extent).to(boxes.device)
        aligned[peak] = aligned_scores(scores, channel[peak], boxes[peak], stride, samples)
    return boxes, own, label, aligned
