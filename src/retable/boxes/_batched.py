"""Rotated IoU and NMS in torch operations, for GPUs; any device that has float64 can run it.

The mathematics is that of `_kernels` (see there), written on whole tensors: pairs whose circumscribed circles and
bounding rectangles meet are listed, and the listed pairs are integrated together, a bounded number at a time.
"""

import torch
from torch import Tensor

_TINY = 1e-30
_PAIRS = 1 << 20  # pairs taken at a time: some fifty float64 temporaries of 8 MiB each are alive at once
_SUPPRESSION_BLOCK = 1024


def box_table(boxes: Tensor) -> Tensor:
    """Quantities of boxes (N, 5) that all pairs share, as (10, N) float64 in the order that `_kernels` documents."""
    cx, cy, width, height, theta = boxes.detach().to(torch.float64).unbind(dim=1)
    cosine, sine, half_w, half_h = torch.cos(theta), torch.sin(theta), width / 2, height / 2
    return torch.stack(
        [
            cx,
            cy,
            cosine,
            sine,
            half_w,
            half_h,
            width * height,
            torch.hypot(half_w, half_h),
            half_w * cosine.abs() + half_h * sine.abs(),
            half_w * sine.abs() + half_h * cosine.abs(),
        ]
    )


def _clamp(values: Tensor, limit: Tensor) -> Tensor:
    return torch.maximum(torch.minimum(values, limit), -limit)


def _edge_integral(
    start: tuple[Tensor, Tensor],
    end: tuple[Tensor, Tensor],
    dx_dy: Tensor,
    dy_dx: Tensor,
    width: Tensor,
    height: Tensor,
) -> Tensor:
    """Twice the integral along one edge (see `_kernels`), for a vector of pairs."""
    ya, yb = _clamp(start[1], height), _clamp(end[1], height)
    xa = start[0] + (ya - start[1]) * dx_dy
    xb = end[0] + (yb - end[1]) * dx_dy
    xa_inside, xb_inside = _clamp(xa, width), _clamp(xb, width)
    dy = yb - ya
    stretch = _clamp(((xb - xb_inside) + (xa - xa_inside)) * dy_dx, dy.abs())
    return dy * (xa_inside + xb_inside) + (xb_inside - xa_inside) * stretch


def table_iou(first: Tensor, second: Tensor) -> Tensor:
    """IoU (K,) in float64 of box k of one table (10, K) with box k of the other."""
    cx1, cy1, cosine1, sine1, frame_w, frame_h, frame_area = first[:7].unbind()
    cx2, cy2, cosine2, sine2, half_w, half_h, area = second[:7].unbind()
    dx, dy = cx2 - cx1, cy2 - cy1
    x, y = dx * cosine1 + dy * sine1, dy * cosine1 - dx * sine1
    cosine, sine = cosine2 * cosine1 + sine2 * sine1, sine2 * cosine1 - cosine2 * sine1
    ux, uy, vx, vy = half_w * cosine, half_w * sine, -half_h * sine, half_h * cosine
    dx_dy = cosine / torch.where(sine.abs() > _TINY, sine, _TINY)
    dy_dx = sine / torch.where(cosine.abs() > _TINY, cosine, _TINY)
    corners = [
        (x - ux - vx, y - uy - vy),
        (x + ux - vx, y + uy - vy),
        (x + ux + vx, y + uy + vy),
        (x - ux + vx, y - uy + vy),
    ]
    overlap = 0.5 * (
        _edge_integral(corners[0], corners[1], dx_dy, dy_dx, frame_w, frame_h)
        + _edge_integral(corners[1], corners[2], -dy_dx, -dx_dy, frame_w, frame_h)
        + _edge_integral(corners[2], corners[3], dx_dy, dy_dx, frame_w, frame_h)
        + _edge_integral(corners[3], corners[0], -dy_dx, -dx_dy, frame_w, frame_h)
    )
    ac, sn = cosine.abs(), sine.abs()
    gap_x = x.abs() - (frame_w + half_w * ac + half_h * sn)
    gap_y = y.abs() - (frame_h + half_w * sn + half_h * ac)
    gap_u = (x * cosine + y * sine).abs() - (half_w + frame_w * ac + frame_h * sn)
    gap_v = (y * cosine - x * sine).abs() - (half_h + frame_w * sn + frame_h * ac)
    apart = (gap_x >= 0) | (gap_y >= 0) | (gap_u >= 0) | (gap_v >= 0)
    overlap = torch.where(apart, 0.0, torch.minimum(overlap.clamp(min=0), torch.minimum(area, frame_area)))
    return overlap / (area + frame_area - overlap).clamp(min=1e-300)


def _near(first: Tensor, second: Tensor) -> Tensor:
    """Tells which boxes (N, M) of two tables meet by circumscribed circle and by bounding rectangle."""
    dx = (first[0].unsqueeze(1) - second[0]).abs()
    dy = (first[1].unsqueeze(1) - second[1]).abs()
    near = dx < first[8].unsqueeze(1) + second[8]
    near &= dy < first[9].unsqueeze(1) + second[9]
    near &= dx.square() + dy.square() < (first[7].unsqueeze(1) + second[7]).square()
    return near


def pairwise(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    """IoU (N, M) in float32 of boxes (N, 5) with boxes (M, 5); the memory beyond the result is bounded."""
    first, second = box_table(boxes1), box_table(boxes2)
    iou = torch.zeros(len(boxes1), len(boxes2), dtype=torch.float32, device=boxes1.device)
    if iou.numel() == 0:
        return iou
    columns = min(len(boxes2), _PAIRS)
    rows = max(1, _PAIRS // columns)
    for top in range(0, len(boxes1), rows):
        for left in range(0, len(boxes2), columns):
            row_table, column_table = first[:, top : top + rows], second[:, left : left + columns]
            i, j = torch.nonzero(_near(row_table, column_table), as_tuple=True)
            values = table_iou(row_table[:, i], column_table[:, j])
            iou[top : top + rows, left : left + columns][i, j] = values.to(torch.float32)
    return iou


def aligned(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    """IoU (N,) in float32 of boxes (N, 5) with boxes (N, 5), one by one."""
    parts = [
        table_iou(box_table(first), box_table(second)).to(torch.float32)
        for first, second in zip(torch.split(boxes1, _PAIRS), torch.split(boxes2, _PAIRS), strict=True)
    ]
    return torch.cat(parts)


def _overlapping(first: Tensor, labels1: Tensor, second: Tensor, labels2: Tensor, threshold: float) -> Tensor:
    """Tells which boxes (N, M) of two tables have one label and an IoU above the threshold."""
    over = _near(first, second)
    over &= labels1.unsqueeze(1) == labels2
    i, j = torch.nonzero(over, as_tuple=True)
    for pairs_i, pairs_j in zip(torch.split(i, _PAIRS), torch.split(j, _PAIRS), strict=True):
        over[pairs_i, pairs_j] = table_iou(first[:, pairs_i], second[:, pairs_j]) > threshold
    return over


def suppress(boxes: Tensor, labels: Tensor, threshold: float) -> Tensor:
    """Boxes that greedy NMS keeps, as bool (N,); `boxes` (N, 5) and `labels` (N,) are by descending score.

    Boxes are settled in blocks. Within a block, "kept unless a kept box before it overlaps it" is applied to all at
    once until nothing changes: the first box is right from the start, and each round settles at least one further, so
    that the greedy solution is the only fixed point. Then the kept boxes of the block strike out later boxes.
    """
    table = box_table(boxes)
    total = len(boxes)
    alive = torch.ones(total, dtype=torch.bool, device=boxes.device)
    for begin in range(0, total, _SUPPRESSION_BLOCK):
        end = min(begin + _SUPPRESSION_BLOCK, total)
        block, block_labels = table[:, begin:end], labels[begin:end]
        over = _overlapping(block, block_labels, block, block_labels, threshold).triu(diagonal=1)
        standing = alive[begin:end]
        kept = standing
        while True:
            settled = standing & ~(over & kept.unsqueeze(1)).any(dim=0)
            if torch.equal(settled, kept):
                break
            kept = settled
        alive[begin:end] = kept
        survivors = torch.nonzero(kept).squeeze(1)
        step = max(1, _PAIRS // _SUPPRESSION_BLOCK)
        for left in range(end, total, step):
            right = min(left + step, total)
            struck = _overlapping(
                block[:, survivors], block_labels[survivors], table[:, left:right], labels[left:right], threshold
            )
            alive[left:right] &= ~struck.any(dim=0)
    return alive
