"""Rotated IoU of 1000 x 1000 ships against torchvision's CPU kernel: time and error.

Both sides get the same number of threads and are called in turn. Exit code 1 if a target is missed.
"""

import sys

import torch
from torchvision.ops import box_iou

from _ships import TO_TORCHVISION, alternate, shapely_iou, ships
from retable.boxes import rotated_iou

COUNT = 1000
REPETITIONS = 9
# name, side of the sea in px, least speed-up
CASES = [("sparse", 640.0, 30.0), ("dense", 84.0, 4.0)]
LARGEST_ERROR = 1e-6


def main() -> int:
    generator = torch.Generator().manual_seed(0)
    print(f"rotated IoU, {COUNT} x {COUNT} ships, {torch.get_num_threads()} threads, median of {REPETITIONS}")
    header = ("case", "overlap", "torchvision", "retable", "ratio", "target", "error tv", "error retable")
    print("{:8}{:>9}{:>13}{:>11}{:>8}{:>8}{:>10}{:>15}".format(*header))
    failed = False
    for name, extent, target in CASES:
        first, second = ships(COUNT, extent, generator), ships(COUNT, extent, generator)
        first_tv, second_tv = first * TO_TORCHVISION, second * TO_TORCHVISION
        theirs, ours = alternate(
            lambda a=first_tv, b=second_tv: box_iou(a, b, fmt="cxcywhr"),
            lambda a=first, b=second: rotated_iou(a, b),
            REPETITIONS,
        )
        exact = shapely_iou(first, second)
        error = abs(rotated_iou(first, second).numpy() - exact).max()
        error_tv = abs(box_iou(first_tv, second_tv, fmt="cxcywhr").numpy() - exact).max()
        ratio = theirs / ours
        print(
            f"{name:8}{(exact > 0).mean():>9.1%}{1e3 * theirs:>10.1f} ms{1e3 * ours:>8.2f} ms{ratio:>7.1f}x"
            f"{target:>7.0f}x{error_tv:>10.1e}{error:>15.1e}"
        )
        failed |= ratio < target or error > LARGEST_ERROR
    print("missed" if failed else "met")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
