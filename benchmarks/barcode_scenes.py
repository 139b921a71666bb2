"""Speed of the generators of barcodes: photos of 640 x 480 and symbols a second, on one core.

Leaves with 1 under 150 photos or 2,000 symbols a second. The fastest of several batches counts, in processor time, so
that other work on the machine does not decide.
"""

from __future__ import annotations

import sys

import cv2

from plate_scenes import rate
from retable.papers.barcodes.scenes import BarcodeScenes
from retable.papers.barcodes.symbols import BarcodeSymbols

SCENES, SYMBOLS = 150.0, 2000.0  # a second on one core
BATCHES, SCENE_BATCH, SYMBOL_BATCH = 6, 60, 500


def main() -> int:
    """Prints both."""
    cv2.setNumThreads(1)
    scenes = rate(BarcodeScenes("train", 1000).load, BATCHES, SCENE_BATCH)
    symbols = rate(BarcodeSymbols(10_000).image, BATCHES, SYMBOL_BATCH)
    print(f"photos of 640 x 480: {scenes:6.0f} a second  target {SCENES:.0f}: {scenes / SCENES:.2f}x")
    print(f"symbols of 416 x 32: {symbols:6.0f} a second  target {SYMBOLS:.0f}: {symbols / SYMBOLS:.2f}x")
    return int(scenes < SCENES or symbols < SYMBOLS)


if __name__ == "__main__":
    sys.exit(main())
