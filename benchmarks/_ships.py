"""What the benchmarks of rotated boxes share: ships, clocks, and a shapely reference."""

import math
import statistics
import time
from collections.abc import Callable

import numpy as np
import shapely
import torch
from torch import Tensor

# torchvision counts degrees counter-clockwise, with y up as it were: the same box has the negative angle
TO_TORCHVISION = torch.tensor([1.0, 1.0, 1.0, 1.0, -180.0 / math.pi])


def ships(count: int, extent: float, generator: torch.Generator) -> Tensor:
    """Boxes (count, 5) of ships 30 to 180 px long of aspect ratios 3 to 8, on a square sea of side `extent` px."""
    uniform = torch.rand(count, 5, generator=generator)
    length = 30 + 150 * uniform[:, 2]
    columns = [extent * uniform[:, 0], extent * uniform[:, 1], length, length / (3 + 5 * uniform[:, 3])]
    return torch.stack([*columns, (uniform[:, 4] - 0.5) * math.pi], dim=1)


def alternate(first: Callable[[], object], second: Callable[[], object], repetitions: int) -> tuple[float, float]:
    """Median seconds of two functions that are called in turn, after one call of each that does not count."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for repetition in range(repetitions + 1):
        for function, times in zip((first, second), seconds, strict=True):
            start = time.perf_counter()
            function()
            if repetition > 0:
                times.append(time.perf_counter() - start)
    return statistics.median(seconds[0]), statistics.median(seconds[1])


def polygons(boxes: Tensor) -> np.ndarray:
    """Shapely polygons of boxes (N, 5), computed in float64."""
    cx, cy, width, height, theta = boxes.to(torch.float64).numpy().T
    along = np.stack([np.cos(theta), np.sin(theta)], axis=1) * width[:, None] / 2
    across = np.stack([-np.sin(theta), np.cos(theta)], axis=1) * height[:, None] / 2
    centre = np.stack([cx, cy], axis=1)
    ring = [centre - along - across, centre + along - across, centre + along + across, centre - along + across]
    return shapely.polygons(np.stack(ring, axis=1))


def shapely_iou(boxes1: Tensor, boxes2: Tensor) -> np.ndarray:
    """IoU (N, M) in float64; pairs that shapely's tree finds apart are zero."""
    first, second = polygons(boxes1), polygons(boxes2)
    iou = np.zeros((len(first), len(second)))
    i, j = shapely.STRtree(second).query(first, predicate="intersects")
    overlap = shapely.area(shapely.intersection(first[i], second[j]))
    iou[i, j] = overlap / (shapely.area(first[i]) + shapely.area(second[j]) - overlap)
    return iou
