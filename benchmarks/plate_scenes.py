"""Speed of the generators of plates: scenes of 672 x 672 and crops a second, on one core.

Leaves with 1 when two such cores would stay under 300 scenes or 2,000 crops a second. The fastest of several batches
counts, in processor time, so that other work on the machine does not decide.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

import cv2

from retable.papers.plates.crops import PlateCrops
from retable.papers.plates.scenes import PlateScenes
from retable.papers.plates.scenes.surroundings import SIGNS, sign
from retable.papers.plates.scenes.vehicles import STOCK, vehicle

SCENES, CROPS = 300.0, 2000.0  # a second on two cores


def rate(make: Callable[[int], object], batches: int, batch: int) -> float:
    """Things a second of processor time, of the fastest of several batches."""
    for index in range(batch):
        make(index)
    best = float("inf")
    for number in range(1, batches + 1):
        start = time.process_time()
        for index in range(number * batch, (number + 1) * batch):
            make(index)
        best = min(best, time.process_time() - start)
    return batch / best


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", type=int, default=8)
    parser.add_argument("--batch", type=int, default=200)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    start = time.process_time()
    for number in range(STOCK):
        vehicle(number)
    for number in range(SIGNS):
        sign(number)
    print(f"stock of vehicles and signs, once a process: {time.process_time() - start:.2f} s")
    missed = False
    count = arguments.batch * (arguments.batches + 1)
    for size in (672, 336):
        found = rate(PlateScenes("train", count, size).load, arguments.batches, arguments.batch)
        verdict = f"  target {SCENES / 2:.0f}: {2 * found / SCENES:.2f}x" if size == 672 else ""
        missed |= size == 672 and 2 * found < SCENES
        print(f"scenes of {size} x {size}: {found:6.0f} a second{verdict}")
    for size in (64, 224):
        found = rate(PlateCrops(2 * count, size).image, arguments.batches, arguments.batch)
        missed |= 2 * found < CROPS
        print(f"crops to {size} x {size}: {found:6.0f} a second  target {CROPS / 2:.0f}: {2 * found / CROPS:.2f}x")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
