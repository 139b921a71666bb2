"""Training batches of 256 cars of 64 x 64 pixels: from memory, against a DataLoader of single images, on one core.

The other side is the usual way: a dataset that decodes the image file of each index into a float tensor, and torch's
own collation, without worker processes. A further line, which decides nothing, shows the same with the decoded images
in memory: there both sides spend most of their time on the memory of the float batch. All sides make the same batches.
Processor times, the fastest of several epochs, in turn; leaves with 1 when the ratio is below 3.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from retable.data.images import read_image
from retable.papers.cars.data_module import CarsDataModule
from retable.papers.cars.scenes import CarScenes
from retable.papers.cars.schema import CarsConfig

TARGET = 3.0
SIZE, BATCH = 64, 256
CPU = torch.device("cpu")


class Singles(Dataset[tuple[Tensor, int]]):
    """One image at each index."""

    def __init__(self, read: Callable[[int], Tensor], length: int) -> None:
        self.read, self.length = read, length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.read(index), index


def seconds_of_epoch(batches: Callable[[], int]) -> float:
    """Processor seconds of an epoch, for each image."""
    start = time.process_time()
    images = batches()
    return (time.process_time() - start) / images


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2048)
    parser.add_argument("--epochs", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    config = CarsConfig(scenes=CarScenes, count=arguments.count, image_size=SIZE, batch_size=BATCH)
    data = CarsDataModule(config, seed=1)
    start = time.process_time()
    images = data.images
    print(
        f"generated      {arguments.count / (time.process_time() - start):10,.0f} images/s, with compiling or loading"
    )
    loader = data.train_dataloader()
    order = [int(index) for keys in loader for index in keys[:, 0]]

    def from_memory() -> int:
        return sum(len(data.transfer_batch_to_device(keys, CPU, 0)["images"]) for keys in loader)

    with tempfile.TemporaryDirectory() as folder:
        for index, image in enumerate(images):
            pixels = image.permute(1, 2, 0).numpy()
            cv2.imwrite(str(Path(folder) / f"{index}.png"), cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))

        def decoded(index: int) -> Tensor:
            return torch.from_numpy(read_image(Path(folder) / f"{index}.png")).permute(2, 0, 1).float() / 255

        def in_memory(index: int) -> Tensor:
            return images[index].float() / 255

        sides: dict[str, Callable[[], int]] = {"from memory": from_memory}
        for name, read in (("single files", decoded), ("single, memory", in_memory)):
            singles = DataLoader(Singles(read, len(images)), batch_size=BATCH, sampler=order)
            sides[name] = lambda singles=singles: sum(len(batch) for batch, _ in singles)
        for ours, theirs in zip(loader, singles, strict=True):  # the same batches
            torch.testing.assert_close(data.transfer_batch_to_device(ours, CPU, 0)["images"], theirs[0])
        best = dict.fromkeys(sides, float("inf"))
        for _ in range(arguments.epochs):
            for name, batches in sides.items():
                best[name] = min(best[name], seconds_of_epoch(batches))
    for name, seconds in best.items():
        ratio = f"  {seconds / best['from memory']:6.1f}x" if name != "from memory" else ""
        print(f"{name:14} {1 / seconds:10,.0f} images/s{ratio}")
    ratio = best["single files"] / best["from memory"]
    print(f"ratio {ratio:.1f}x, target {TARGET:.0f}x")
    return 1 if ratio < TARGET else 0


if __name__ == "__main__":
    sys.exit(main())
