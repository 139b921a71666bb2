"""References that share no code with the package: NumPy corners, shapely intersections, greedy NMS."""

import numpy as np
import shapely
import torch
from torch import Tensor


def corners_of(boxes: Tensor) -> np.ndarray:
    array = boxes.to(torch.float64).numpy()
    points = []
    for sign_w, sign_h in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        along, across = sign_w * array[:, 2] / 2, sign_h * array[:, 3] / 2
        cosine, sine = np.cos(array[:, 4]), np.sin(array[:, 4])
        x = array[:, 0] + along * cosine - across * sine
        y = array[:, 1] + along * sine + across * cosine
        points.append(np.stack([x, y], axis=-1))
    return np.stack(points, axis=1)


def same_points(first: np.ndarray, second: np.ndarray) -> float:
    """Largest distance from a point of one set (4, 2) to the nearest of the other, both ways."""
    distance = np.linalg.norm(np.asarray(first)[:, None] - np.asarray(second)[None], axis=-1)
    return float(max(distance.min(axis=0).max(), distance.min(axis=1).max()))


def shapely_iou(boxes1: Tensor, boxes2: Tensor) -> np.ndarray:
    """(N, M) in float64. Each row is moved to its own origin first: shapely itself errs far from the origin."""
    rows = []
    for box in boxes1.to(torch.float64):
        shift = torch.zeros(5, dtype=torch.float64)
        shift[:2] = box[:2]
        one = shapely.polygons(corners_of((box - shift)[None]))
        many = shapely.polygons(corners_of(boxes2.to(torch.float64) - shift))
        overlap = shapely.area(shapely.intersection(one, many))
        union = shapely.area(one) + shapely.area(many) - overlap
        rows.append(np.where(union > 0, overlap / np.where(union > 0, union, 1), 0))
    return np.stack(rows)


def random_boxes(count: int, extent: float, seed: int, offset: float = 0.0) -> Tensor:
    """Ship-like boxes: 10 to 200 px long, aspect ratios 1 to 9, angles beyond the canonical range."""
    generator = torch.Generator().manual_seed(seed)
    uniform = torch.rand(count, 5, generator=generator)
    length = 10 + 190 * uniform[:, 2]
    return torch.stack(
        [
            offset + extent * uniform[:, 0],
            offset + extent * uniform[:, 1],
            length,
            length / (1 + 8 * uniform[:, 3]),
            (uniform[:, 4] - 0.5) * 8,
        ],
        dim=1,
    )


def greedy_nms(boxes: Tensor, scores: Tensor, threshold: float, labels: Tensor | None = None) -> list[int]:
    order = sorted(range(len(boxes)), key=lambda k: (-float(scores[k]), k))
    iou = shapely_iou(boxes, boxes)
    kept: list[int] = []
    for k in order:
        rivals = [i for i in kept if labels is None or labels[i] == labels[k]]
        if all(iou[i, k] <= threshold for i in rivals):
            kept.append(k)
    return kept


def points_in_boxes(points: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
    """Tells which of P points lie in which of N boxes, sides included: (P, N) bool."""
    covered = shapely.covers(shapely.polygons(corners_of(boxes)), shapely.points(points.double().numpy())[:, None])
    return torch.from_numpy(covered)
