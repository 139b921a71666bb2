"""Small detectors, and plates that cost nothing to draw."""

from functools import partial
from typing import Any

import numpy as np
import torch

from retable.nn.phases import TwoPhases
from retable.nn.schema import PhaseConfig, TwoPhasesConfig
from retable.papers.plates.anchors import PyramidAnchors
from retable.papers.plates.detector.lightning_model import Yolov2Module
from retable.papers.plates.detector.schema import PyramidAnchorsConfig, Yolov2Config


class BrightPlates:
    """Bright rectangles, each wider than high, on dark ground."""

    def __init__(self, split: str, count: int, image_size: int, seed: int) -> None:
        self.split, self.count, self.size, self.seed = split, count, image_size, seed
        self.classes = ["plate"]
        self.image_ids = [f"{split}{index}" for index in range(count)]

    def __len__(self) -> int:
        return self.count

    def image_size(self, index: int) -> tuple[int, int]:
        return self.size, self.size

    def country(self, index: int) -> str:
        return ("br", "us", "")[index % 3]

    def target(self, index: int) -> dict[str, np.ndarray]:
        generator = np.random.default_rng([self.seed, len(self.split), index])
        centre = generator.uniform(0.25, 0.75, (1, 2)) * self.size
        half = np.array([[1.0, 0.4]]) * generator.uniform(8, 14)
        boxes = np.round(np.concatenate([centre - half, centre + half], axis=1)).astype(np.float32)
        return {"boxes": boxes, "labels": np.zeros(1, np.int64), "difficult": np.zeros(1, np.bool_)}

    def load(self, index: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        target = self.target(index)
        image = np.random.default_rng(index).integers(20, 60, (self.size, self.size, 3), np.uint8)
        for x1, y1, x2, y2 in target["boxes"].astype(int):
            image[y1:y2, x1:x2] = 220
        return image, target

    @property
    def provenance(self) -> dict[str, Any]:
        return {"kind": "synthetic", "source": "plates", "fingerprint": self.split}


def small_pyramid() -> PyramidAnchors:
    """Six anchors."""
    return PyramidAnchors(PyramidAnchorsConfig(minimum=[[6, 14], [8, 8]], levels=3, scale=1.4))


def phases(lr: float) -> TwoPhases:
    """One epoch after the other at one rate."""
    first = PhaseConfig(partial(torch.optim.AdamW, weight_decay=0.0), lr=lr, every=100)
    return TwoPhases(TwoPhasesConfig(first=first, second=first))


def config(**changes: Any) -> Yolov2Config:
    """A detector of few weights."""
    keys: dict[str, Any] = {
        "backbone": "resnet18", "backbone_width": 0.125, "weights": "none", "head_layers": 1,
        "anchors": small_pyramid(), "phases": phases(3e-3),
    }  # fmt: skip
    return Yolov2Config(**{**keys, **changes})


def detector(**changes: Any) -> Yolov2Module:
    """Such a detector, always the same."""
    torch.manual_seed(0)
    return Yolov2Module(config(**changes))
