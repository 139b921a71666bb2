"""Speed of the generators of barcodes, photos of 640 x 480 and symbols, and of the localiser on a photo, on one core.

Leaves with 1 under 150 photos or 2,000 symbols a second, or when the masks of a photo of 640 x 480 take the network of
budget=small more than 20 ms. The fastest of several batches counts, in processor time, so that other work on the
machine does not decide.
"""

from __future__ import annotations

import sys
import time

import cv2
import torch

from plate_scenes import rate
from retable.nn.fusion import fuse_batch_norm
from retable.papers.barcodes.artwork.packages import PACKAGES, package
from retable.papers.barcodes.localiser.network import UNet
from retable.papers.barcodes.scenes import BarcodeScenes
from retable.papers.barcodes.scenes.surroundings import PLACES, place
from retable.papers.barcodes.symbols.dataset import BarcodeSymbols
from retable.run.command_line import compose

PHOTOS, SYMBOLS, LONGEST = 150.0, 2000.0, 20.0  # a second, a second, ms
BATCHES, BATCH = 10, 100


def main() -> int:
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    start = time.process_time()
    for number in range(PACKAGES):
        package(number)
    for number in range(PLACES):
        place(number)
    print(f"stock of packages and places, once a process: {time.process_time() - start:.2f} s")
    photos = rate(BarcodeScenes("train", (BATCHES + 1) * BATCH).load, BATCHES, BATCH)
    print(f"photos of 640 x 480: {photos:6.0f} a second  target {PHOTOS:.0f}: {photos / PHOTOS:.2f}x")
    symbols = rate(BarcodeSymbols((BATCHES + 1) * 500).image, BATCHES, 500)
    print(f"symbols of 416 x 32: {symbols:6.0f} a second  target {SYMBOLS:.0f}: {symbols / SYMBOLS:.2f}x")
    config = compose("train", ["model=barcode_unet", "data=barcodes", "budget=small", "hydra=quiet"]).model
    network = fuse_batch_norm(UNet(config.stem, config.widths, config.shrink)).to(memory_format=torch.channels_last)
    image = torch.rand(1, 3, 512, 640).contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        milliseconds = 1000.0 / rate(lambda _: network(image), BATCHES, 10)
    print(f"masks of a photo: {milliseconds:.1f} ms  target {LONGEST:.0f} ms")
    return 1 if photos < PHOTOS or symbols < SYMBOLS or milliseconds > LONGEST else 0


if __name__ == "__main__":
    sys.exit(main())
