"""Speed of the ship-scene generator: images a second on one core, for both profiles.

Prints one line a profile; exits with 1 when a profile stays under 100 images (512 x 512) a second. The fastest of
several batches counts, in processor time, so that other work on the machine does not decide.
"""

from __future__ import annotations

import argparse
import sys
import time

import cv2

from retable.papers.larsd.scenes import ShipScenes
from retable.papers.larsd.scenes.textures import clouds, ground, ripple, swell
from retable.synthetic.noise import sensor_grain

TARGET = 100.0


def images_per_second(profile: str, image_size: int, batches: int, batch: int) -> float:
    dataset = ShipScenes("train", batch, image_size, profile)
    dataset.load(0)
    best = float("inf")
    for _ in range(batches):
        start = time.process_time()
        for index in range(batch):
            dataset.load(index)
        best = min(best, time.process_time() - start)
    return batch / best


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", type=int, default=5)
    parser.add_argument("--batch", type=int, default=200)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    start = time.perf_counter()
    for texture in (clouds, ground, swell, ripple, sensor_grain):
        texture()
    print(f"noise textures, once a process: {time.perf_counter() - start:.2f} s")
    missed = False
    for profile in ("hrsd", "hrsc2016"):
        for image_size in (512, 256):
            rate = images_per_second(profile, image_size, arguments.batches, arguments.batch)
            verdict = ""
            if image_size == 512:
                missed |= rate < TARGET
                verdict = f"  target {TARGET:.0f}: {rate / TARGET:.2f}x"
            print(f"{profile:9s} {image_size} x {image_size}: {rate:6.1f} images/s{verdict}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
