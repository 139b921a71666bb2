"""A subject of four classes that costs nothing: images of stripes, thin or wide, level or upright."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from pytorch_lightning import Trainer
from torch import nn
from torch.utils.data import DataLoader, Dataset

from retable.classification.classifier import Batch
from retable.classification.subject import ClassList, Image
from retable.data.module import ShardedDataModule
from retable.errors import DataError

CLASSES = ClassList(("thin_level", "wide_level", "thin_upright", "wide_upright"))


def image(index: int, seed: int = 0, side: int = 16) -> Image:
    """Image `index`, of class `index` modulo 4: uint8 (S, S, 3)."""
    pixels = np.random.default_rng([seed, index]).integers(235, 256, (side, side, 3), dtype=np.uint8)
    dark = np.arange(side) // (1 + index % 2) % 2 == 0
    pixels[dark if index % 4 < 2 else (slice(None), dark)] = 30
    return pixels


class StripesSubject:
    """Images are stretched to 16 x 16 pixels; those without any contrast are refused."""

    classes = CLASSES
    margin = 0.0

    def prepare(self, image: Image) -> Image:
        if int(image.max()) == int(image.min()):
            raise DataError("the image shows nothing")
        return np.asarray(cv2.resize(image, (16, 16)), np.uint8) if image.shape != (16, 16, 3) else image


class _Keys(Dataset[Any]):
    """Samples are the indices of the samplers' keys; `_batch` makes the images."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __getitem__(self, key: Any) -> int:
        return int(key[1] if isinstance(key, tuple) else key)

    def __len__(self) -> int:
        return self._count


class StripesData(ShardedDataModule):
    """So many images for training, and 8 each for validation and test."""

    classes = CLASSES.names
    test_name = "test"

    def __init__(self, count: int = 24, batch_size: int = 8, seed: int = 1) -> None:
        super().__init__()
        self.count, self.batch_size, self.seed, self.first_epoch, self.workers = count, batch_size, seed, 0, 0

    def train_dataloader(self) -> DataLoader[Batch]:
        sampler = self._training_sampler(self.count, drop_last=False)
        return DataLoader(_Keys(self.count), self.batch_size, sampler=sampler, collate_fn=lambda keys: _batch(keys, 0))

    def val_dataloader(self) -> DataLoader[Batch]:
        return DataLoader(_Keys(8), 3, collate_fn=lambda keys: _batch(keys, 1))

    def test_dataloader(self) -> DataLoader[Batch]:
        return DataLoader(_Keys(8), 3, collate_fn=lambda keys: _batch(keys, 2))


def _batch(indices: list[int], seed: int) -> Batch:
    pixels = torch.from_numpy(np.stack([image(index, seed) for index in indices]))
    labels = torch.tensor(indices)
    return {"images": pixels.permute(0, 3, 1, 2).float() / 255, "labels": labels % 4, "indices": labels}


def network(input_size: int, classes: int) -> nn.Sequential:
    """One convolution."""
    side = (input_size - 3) // 2 + 1
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(8 * side * side, classes)
    )


def trainer(folder: Path, **changes: Any) -> Trainer:
    """A trainer of one epoch that keeps and shows nothing."""
    keys: dict[str, Any] = {
        "max_epochs": 1, "logger": False, "enable_checkpointing": False, "enable_progress_bar": False,
        "enable_model_summary": False, "num_sanity_val_steps": 0, "use_distributed_sampler": False,
    }  # fmt: skip
    return Trainer(default_root_dir=folder, accelerator="cpu", devices=1, **{**keys, **changes})
