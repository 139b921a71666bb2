"""Milliseconds an image on one core: emoji_cnn and emoji_net as predict.py uses them, against plain eager float32.

What predict.py changes is the order of the channels in memory and, where there is batch normalisation, that it is
folded into the convolutions; the paper's network has none, so nothing changes there. Reading and cropping a file is
shown beside it. Processor times, the fastest of several calls, both sides in turn. Target: emoji_net under 5 ms.
"""

import copy
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from retable.nn.fusion import fuse_batch_norm
from retable.papers.emoji.datasets.canvas import read_canvas
from retable.run.build import build
from retable.run.command_line import compose

TARGET = 5.0
MODELS = ("emoji_cnn", "emoji_net")


def fastest(first: Callable[[], object], second: Callable[[], object], repetitions: int) -> tuple[float, float]:
    """Least processor milliseconds of two functions that are called in turn."""
    best = [float("inf"), float("inf")]
    for _ in range(repetitions):
        for side, function in enumerate((first, second)):
            start = time.process_time()
            function()
            best[side] = min(best[side], time.process_time() - start)
    return best[0] * 1e3, best[1] * 1e3


def networks(model: str) -> tuple[nn.Module, nn.Module, int]:
    """The network as predict.py uses it, the plain one, and the input size."""
    config = compose("train", [f"model={model}", "data=emoji", "budget=small"])
    module = build(config.model).eval()
    plain = copy.deepcopy(module.network).to(memory_format=torch.contiguous_format)
    return fuse_batch_norm(module.network), plain, module.input_size


def reading(side: int) -> float:
    """Processor milliseconds to read a drawing of 200 x 200 pixels onto a canvas."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "drawing.png"
        cv2.imwrite(str(path), cv2.circle(np.full((200, 200, 3), 255, np.uint8), (100, 100), 80, (0, 0, 0), 4))
        milliseconds, _ = fastest(lambda: read_canvas(path, side, crop_to_ink=True), lambda: None, 50)
    return milliseconds


def main() -> int:
    """Prints both sides and the ratio."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    slowest = 0.0
    for model in MODELS:
        ours, plain, side = networks(model)
        count = sum(weight.numel() for weight in plain.parameters())
        for batch, repetitions in ((1, 100), (64, 10)):
            images: Tensor = torch.rand(batch, 3, side, side)
            with torch.inference_mode():
                torch.testing.assert_close(ours(images), plain(images), atol=1e-3, rtol=1e-3)
                mine, other = (
                    milliseconds / batch
                    for milliseconds in fastest(lambda: ours(images), lambda: plain(images), repetitions)  # noqa: B023
                )
            print(
                f"{model} ({count:,} weights), {batch} at a time: plain eager {other:.2f} ms an image, "
                f"predict {mine:.2f} ms: {other / mine:.2f}x"
            )
            if model == "emoji_net":
                slowest = max(slowest, mine)
    print(f"reading a 200 x 200 PNG onto a canvas: {reading(64):.2f} ms")
    print(f"emoji_net: {slowest:.2f} ms an image at most (<= {TARGET})")
    return int(slowest > TARGET)


if __name__ == "__main__":
    sys.exit(main())
