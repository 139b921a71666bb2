"""Processor milliseconds for a photo of 672 x 672: the paper's detector as predict.py uses it, and plain eager float32.

Plain is the network with channels first, as torch builds it; eager with channels last, as Retable trains it, stands
beside it. predict.py folds the batch normalisations into the convolutions, and has those of many channels done by
Winograd's way. All cores work, and the time of all of them is counted, the fastest of several calls, sides in turn.

Outputs (offsets, logarithms of sizes, objectness) may differ by 1e-3 at most: that moves a score by 0.00025, a box by
0.004 pixels and its size by 0.1 %, and AP at IoU 0.5 changes by 0.1 point only where one plate in a thousand lies so
near the threshold. Nothing is trained: batch normalisation has the statistics of the image. Exit code 1 if the ratio
is below 2 or the outputs differ by more.
"""

import copy
import os
import sys

# processors that wait for each other must not count as work; read when torch is loaded
os.environ.update(OMP_WAIT_POLICY="PASSIVE", GOMP_SPINCOUNT="0")

import torch
from torch import nn

from emoji_inference import fastest
from retable.run.build import build
from retable.run.command_line import compose

TARGET, TOLERANCE = 2.0, 1e-3
REPETITIONS = 6


def warmed_up(network: nn.Module, images: torch.Tensor) -> None:
    """Gives all batch normalisations the statistics of these images, and a factor where they start with 0."""
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = 1.0
            nn.init.ones_(layer.weight)
    network.train()(images)
    network.eval()


def main() -> int:
    """Prints the three sides and the ratios."""
    torch.set_num_threads(os.cpu_count() or 1)
    torch.manual_seed(0)
    detector = build(compose("train", ["model=yolov2_resnet40", "data=plates", "budget=paper"]).model)
    images = torch.rand(1, 3, 672, 672)
    with torch.no_grad():
        nn.init.normal_(detector.network.output.weight, std=0.03)  # outputs of about 1, as a trained network has
        warmed_up(detector.network, images)
    eager = detector.network
    plain = copy.deepcopy(eager).to(memory_format=torch.contiguous_format)
    with torch.inference_mode(), detector.quick():
        quick = detector.network

        def channels_first() -> torch.Tensor:
            (maps,) = plain.backbone(images)  # the network itself would put channels last
            outputs: torch.Tensor = plain.output(plain.head(maps))
            return outputs

        expected = eager(images)
        differences = (quick(images) - expected).abs()
        difference, usual = float(differences.max()), float(differences.mean())
        before, ours = fastest(channels_first, lambda: quick(images), REPETITIONS)
        last, again = fastest(lambda: eager(images), lambda: quick(images), REPETITIONS)
    print(f"yolov2_resnet40, 672 x 672, {torch.get_num_threads()} threads, milliseconds of all processors together")
    print(f"plain eager float32 {before:.0f}, predict {ours:.0f}: {before / ours:.2f}x (>= {TARGET})")
    print(f"eager, channels last {last:.0f}, predict {again:.0f}: {last / again:.2f}x")
    print(
        f"outputs, of standard deviation {float(expected.std()):.2f}, differ by {usual:.1e} in the mean, "
        f"by {difference:.1e} at most (<= {TOLERANCE})"
    )
    return int(before / ours < TARGET or difference > TOLERANCE)


if __name__ == "__main__":
    sys.exit(main())
