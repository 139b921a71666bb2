"""A model and data of a few numbers, for tests of what surrounds a training."""

import math
import time
from typing import Any, ClassVar

import torch
from pytorch_lightning import LightningDataModule, LightningModule
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset
from torchmetrics import MeanMetric

from retable.data.sampling import EpochSampler, ShardSampler
from retable.errors import DivergenceError


class TinyModule(LightningModule):
    """Fits a plane through noisy points; dropout makes it depend on the random state of every epoch."""

    monitor = "val/error"
    monitor_mode = "min"
    metric_info: ClassVar = {"error": ("squared", "lower")}
    weights_origin = "scratch"

    def __init__(self, lr: float, nan_at_step: int, seconds_per_step: float, width: int, dropout: float) -> None:
        super().__init__()
        self.lr, self.nan_at_step, self.seconds_per_step = lr, nan_at_step, seconds_per_step
        self.network = nn.Sequential(
            nn.Unflatten(1, (4, 1, 1)), nn.Conv2d(4, width, 1), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Dropout(dropout), nn.Flatten(), nn.Linear(width, 1),
        )  # fmt: skip
        self.error = MeanMetric()

    def example_input(self) -> Tensor:
        return torch.zeros(2, 4)

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        time.sleep(self.seconds_per_step)
        loss = (self.network(batch[0])[:, 0] - batch[1]).square().mean()
        if self.global_step == self.nan_at_step:
            loss = loss * math.nan
        if not torch.isfinite(loss):
            raise DivergenceError(f"the loss is not finite at step {self.global_step}")
        self.log("train/loss", loss)
        return loss

    def _evaluate(self, batch: tuple[Tensor, Tensor], name: str) -> None:
        self.error.update((self.network(batch[0])[:, 0] - batch[1]).square())
        self.log(name, self.error, on_epoch=True)

    def validation_step(self, batch: tuple[Tensor, Tensor], index: int) -> None:
        self._evaluate(batch, "val/error")

    def test_step(self, batch: tuple[Tensor, Tensor], index: int) -> None:
        self._evaluate(batch, f"{self.trainer.datamodule.test_name}/error")

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.SGD(self.parameters(), self.lr, momentum=0.9)
        # asking for the number of steps makes Lightning start the loader before it restores the epoch
        assert self.trainer.estimated_stepping_batches > 0
        return [optimizer], [torch.optim.lr_scheduler.StepLR(optimizer, 2)]


class _Keyed(torch.utils.data.Dataset[Any]):
    def __init__(self, points: TensorDataset) -> None:
        self.points = points

    def __getitem__(self, key: tuple[int, int]) -> Any:
        return self.points[key[1]]

    def __len__(self) -> int:
        return len(self.points)


class TinyData(LightningDataModule):
    """Points of a noisy plane."""

    def __init__(self, seed: int, root: str | None, test_name: str, batch_size: int, workers: int) -> None:
        super().__init__()
        self.first_epoch, self.workers = 0, workers
        self.seed, self.test_name, self.batch_size = seed, test_name, batch_size
        self.provenance = {
            "kind": "synthetic", "source": "plane", "fingerprint": "f0", "splits": {"train": 32, "val": 9, "test": 9},
        }  # fmt: skip
        generator = torch.Generator().manual_seed(5)
        x = torch.randn(50, 4, generator=generator)
        y = x.sum(1) + 0.1 * torch.randn(50, generator=generator)
        self.train_points = TensorDataset(x[:32], y[:32])
        self.val_points, self.test_points = TensorDataset(x[32:41], y[32:41]), TensorDataset(x[41:], y[41:])

    def train_dataloader(self) -> DataLoader[Any]:
        world = self.trainer.world_size
        each = self.batch_size // world
        sampler = EpochSampler(
            32, each, self.seed, rank=self.trainer.global_rank, world_size=world, epoch=self.first_epoch
        )
        points, workers = _Keyed(self.train_points), self.workers
        return DataLoader(points, batch_size=each, sampler=sampler, num_workers=workers, persistent_workers=workers > 0)

    def _loader(self, points: TensorDataset) -> DataLoader[Any]:
        sampler = ShardSampler(len(points), rank=self.trainer.global_rank, world_size=self.trainer.world_size)
        return DataLoader(points, batch_size=2, sampler=sampler)

    def val_dataloader(self) -> DataLoader[Any]:
        return self._loader(self.val_points)

    def test_dataloader(self) -> DataLoader[Any]:
        return self._loader(self.test_points)
