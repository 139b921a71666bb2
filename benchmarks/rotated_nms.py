"""Rotated NMS of 5,000 boxes against greedy NMS over torchvision's IoU matrix: time, and the set that is kept.

Both sides get the same number of threads and are called in turn. The reference set is greedy NMS over shapely's IoU.
Exit code 1 if the target is missed or the kept set differs from shapely's.
"""

import sys

import numpy as np
import torch
from torch import Tensor
from torchvision.ops import box_iou

from _ships import TO_TORCHVISION, alternate, shapely_iou, ships
from retable.boxes import rotated_nms

COUNT = 5000
THRESHOLD = 0.3
REPETITIONS = 3
TARGET = 50.0
# name, ships, side of the sea in px: detections crowd around fewer objects, or lie apart
CASES = [("crowded", 500, 2000.0), ("spread", 5000, 6000.0)]


def greedy(iou: np.ndarray, scores: Tensor) -> list[int]:
    """Keep by descending score, and strike out all that a kept box overlaps."""
    order = torch.argsort(scores, descending=True, stable=True).numpy()
    alive = np.ones(len(order), dtype=bool)
    kept = []
    for box in order:
        if alive[box]:
            kept.append(int(box))
            alive &= iou[box] <= THRESHOLD
    return kept


def main() -> int:
    generator = torch.Generator().manual_seed(0)
    print(f"rotated NMS of {COUNT} boxes, {torch.get_num_threads()} threads, median of {REPETITIONS}")
    header = ("case", "kept", "torchvision + greedy", "retable", "ratio", "target", "kept as shapely")
    print("{:9}{:>6}{:>22}{:>11}{:>9}{:>8}{:>17}".format(*header))
    failed = False
    for name, objects, extent in CASES:
        boxes = ships(objects, extent, generator)[torch.randint(objects, (COUNT,), generator=generator)]
        boxes = boxes + torch.randn(COUNT, 5, generator=generator) * torch.tensor([3.0, 3.0, 2.0, 0.5, 0.05])
        boxes[:, 2:4] = boxes[:, 2:4].clamp(min=1)
        scores = torch.rand(COUNT, generator=generator)
        boxes_tv = boxes * TO_TORCHVISION
        theirs, ours = alternate(
            lambda b=boxes_tv, s=scores: greedy(box_iou(b, b, fmt="cxcywhr").numpy(), s),
            lambda b=boxes, s=scores: rotated_nms(b, s, THRESHOLD),
            REPETITIONS,
        )
        kept = rotated_nms(boxes, scores, THRESHOLD).tolist()
        same = kept == greedy(shapely_iou(boxes, boxes), scores)
        ratio = theirs / ours
        print(
            f"{name:9}{len(kept):>6}{1e3 * theirs:>19.0f} ms{1e3 * ours:>8.2f} ms{ratio:>8.0f}x{TARGET:>7.0f}x"
            f"{'yes' if same else 'NO':>17}"
        )
        failed |= ratio < TARGET or not same
    print("missed" if failed else "met")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
