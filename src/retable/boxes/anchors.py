"""Anchor shapes by k-means with the distance 1 - IoU."""

import torch
from torch import Tensor

from retable.boxes._validation import check_rows, widened
from retable.boxes.iou import shape_iou

_RESTARTS = 8
_ROUNDS = 300


def kmeans_anchors(sizes: Tensor, clusters: int, seed: int = 0) -> Tensor:
    """Cluster box sizes into anchor shapes (LARSD, section II.B.2: k-means; the distance is 1 - IoU of shapes).

    Deterministic: the result depends on the set of sizes, on `clusters` and on `seed`, not on the order of the sizes
    nor on torch's global random state. Each of eight starts (k-means++) is iterated with cluster means until it
    settles; the anchors of the highest mean IoU with their nearest sizes win.

    With fewer distinct sizes than clusters, each distinct size is an anchor and the most frequent ones are repeated, so
    that the number of anchors, which the network's outputs depend on, is always `clusters`.

    Args:
        sizes: (N, 2) widths and heights in pixels, N >= 1.
        clusters: Number of anchors, >= 1.
        seed: Seed of the starts.

    Returns:
        (clusters, 2) widths and heights in pixels, sorted by area, then by width; float32 on the device of `sizes`.

    Raises:
        ValueError: Wrong shape, no sizes, sizes that are not positive and finite, or fewer than one cluster.
    """
    check_rows(sizes, 2, "sizes")
    if clusters < 1:
        raise ValueError(f"clusters must be at least 1, got {clusters}")
    if len(sizes) == 0:
        raise ValueError("sizes must hold at least one size, got shape (0, 2)")
    if not bool((torch.isfinite(sizes) & (sizes > 0)).all()):
        raise ValueError("sizes must be positive and finite")
    # distinct sizes in a fixed order, with their counts as weights
    distinct, counts = torch.unique(widened(sizes.detach().cpu()), dim=0, return_counts=True)
    if len(distinct) <= clusters:
        frequent = torch.argsort(counts, descending=True, stable=True)
        chosen = torch.cat([torch.arange(len(distinct)), frequent.repeat(clusters)])[:clusters]
        return _by_area(distinct[chosen]).to(sizes.device)
    weights = counts.to(distinct.dtype)
    generator = torch.Generator().manual_seed(seed)
    best, best_quality = distinct[:clusters], -1.0
    for _ in range(_RESTARTS):
        anchors, quality = _settle(distinct, weights, _spread_start(distinct, weights, clusters, generator))
        if quality > best_quality:
            best, best_quality = anchors, quality
    return _by_area(best).to(sizes.device)


def _by_area(anchors: Tensor) -> Tensor:
    order = torch.argsort(anchors[:, 0], stable=True)
    order = order[torch.argsort(anchors[order].prod(dim=1), stable=True)]
    return anchors[order].to(torch.float32)


def _spread_start(sizes: Tensor, weights: Tensor, clusters: int, generator: torch.Generator) -> Tensor:
    """k-means++: each further anchor (clusters, 2) is drawn by squared distance from those before it."""
    chosen = [int(torch.multinomial(weights, 1, generator=generator))]
    distance = 1 - shape_iou(sizes, sizes[chosen])[:, 0]
    while len(chosen) < clusters:
        # distinct sizes have positive distances, so that there is always something to draw from
        chance = weights * distance.clamp(min=0).square()
        chance[chosen] = 0.0
        chosen.append(int(torch.multinomial(chance, 1, generator=generator)))
        distance = torch.minimum(distance, 1 - shape_iou(sizes, sizes[chosen[-1:]])[:, 0])
    return sizes[chosen]


def _settle(sizes: Tensor, weights: Tensor, anchors: Tensor) -> tuple[Tensor, float]:
    """Iterate k-means; returns the anchors of the best round and their weighted mean IoU.

    The mean of a cluster does not exactly minimise 1 - IoU, so that a round can be worse than the one before it: the
    best one is remembered.
    """
    best, best_quality = anchors, -1.0
    before: Tensor | None = None
    for _ in range(_ROUNDS):
        overlap, nearest = shape_iou(sizes, anchors).max(dim=1)
        quality = float((overlap * weights).sum() / weights.sum())
        if quality > best_quality:
            best, best_quality = anchors, quality
        if before is not None and torch.equal(nearest, before):
            break
        before = nearest
        anchors = anchors.clone()
        for cluster in range(len(anchors)):
            members = nearest == cluster
            if bool(members.any()):
                share = weights[members].unsqueeze(1)
                anchors[cluster] = (sizes[members] * share).sum(dim=0) / share.sum()
            else:  # an anchor that no size is nearest to moves to the size that fits worst
                worst = int(torch.argmin(overlap))
                anchors[cluster] = sizes[worst]
                overlap[worst] = 1.0
    return best, best_quality
