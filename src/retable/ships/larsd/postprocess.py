"""From raw outputs to detections: candidates, score alignment, rotated NMS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from retable.boxes import rotated_nms
from retable.ships.larsd.coding import decode
from retable.ships.larsd.lasa import aligned_scores, sampling_points
from retable.ships.larsd.priors import Priors


@dataclass(frozen=True)
class Postprocessing:
    """How detections are chosen; the paper names none of the numbers.

    Attributes:
        lasa: Distribution of the sampling points, or ``none``.
        lasa_extent: Part of the half sides that the outermost sampling points reach.
        score_threshold: A slot below it is no candidate.
        candidates: Candidates of each level of an image at most, the best ones.
        nms_threshold: Of two boxes of one class with a larger IoU the lower score goes.
        max_detections: Detections of an image at most.
    """

    lasa: str = "diamond-9"
    lasa_extent: float = 0.75
    score_threshold: float = 0.2
    candidates: int = 1000
    nms_threshold: float = 0.2
    max_detections: int = 300


@torch.no_grad()
def detections(
    logits: Sequence[Tensor], regression: Sequence[Tensor], priors: Priors, num_classes: int, settings: Postprocessing
) -> list[dict[str, Tensor]]:
    """Turns the raw outputs of a batch into detections.

    Args:
        logits: (B, K * C, H, W) of each level.
        regression: (B, K * 5, H, W) of each level.
        priors: The prior boxes.
        num_classes: C.
        settings: How detections are chosen.

    Returns:
        For each image boxes (N, 5) canonical, scores (N,) and labels (N,), by descending score.
    """
    images = logits[0].shape[0]
    maps = [level.float().sigmoid() for level in logits]
    results = []
    for image in range(images):
        boxes, scores, labels = [], [], []
        for level, stride in enumerate(priors.strides):
            found = _candidates(
                maps[level][image], regression[level][image], priors.sizes[level], stride, num_classes, settings
            )
            boxes.append(found[0])
            scores.append(found[1])
            labels.append(found[2])
        box, score, label = torch.cat(boxes), torch.cat(scores), torch.cat(labels)
        kept = rotated_nms(box, score, settings.nms_threshold, label)[: settings.max_detections]
        results.append({"boxes": box[kept], "scores": score[kept], "labels": label[kept]})
    return results


def _candidates(
    scores: Tensor, regression: Tensor, sizes: Tensor, stride: int, num_classes: int, settings: Postprocessing
) -> tuple[Tensor, Tensor, Tensor]:
    """Boxes, aligned scores and labels of the candidates of one level of one image."""
    _, height, width = scores.shape
    flat = scores.reshape(-1)
    index = (flat > settings.score_threshold).nonzero().squeeze(1)
    if len(index) > settings.candidates:
        # sorted by hand: topk does not say which of equal scores it takes
        order = torch.argsort(flat[index], descending=True, stable=True)
        index = index[order[: settings.candidates]]
    channel = torch.div(index, height * width, rounding_mode="floor")
    cell = index % (height * width)
    row, column = torch.div(cell, width, rounding_mode="floor"), cell % width
    anchor, label = torch.div(channel, num_classes, rounding_mode="floor"), channel % num_classes
    outputs = regression.reshape(-1, 5, height, width)[anchor, :, row, column]
    points = (torch.stack([column, row], dim=1).float() + 0.5) * stride
    boxes = decode(outputs, points, sizes[anchor].float())
    if settings.lasa == "none":
        return boxes, flat[index], label
    samples = sampling_points(settings.lasa, settings.lasa_extent).to(boxes.device)
    return boxes, aligned_scores(scores, channel, boxes, stride, samples), label
