"""What the data modules of all papers share: batches divided among processes, loader workers, the way to the device."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import cv2
import torch
from pytorch_lightning import LightningDataModule
from torch.utils.data import DataLoader

from retable.data.sampling import EpochSampler, ShardSampler
from retable.data.splits import ROLES
from retable.errors import ConfigError


class ShardedDataModule(LightningDataModule):
    """A data module whose processes share batches out among them, by samplers that know ranks.

    Attributes:
        seed: The run's seed.
        batch_size: Samples of a training batch, over all processes.
        first_epoch: The epoch that training begins with; set for a resumed run before the loaders are made.
        roles: The splits that are read, checked and told of; a test leaves the tested one.
        workers: Loader processes of each process; None: one less than its cores, at least 1, at most 4.
    """

    seed: int
    batch_size: int
    first_epoch: int
    roles: Sequence[str] = ROLES
    workers: int | None = None

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        """Moves a batch; on the CPU it is there already, and Lightning's walk through it costs a per cent of a step."""
        if device.type == "cpu":
            return batch
        return super().transfer_batch_to_device(batch, device, dataloader_idx)

    def _training_sampler(self, length: int, drop_last: bool) -> EpochSampler:
        """The order of so many training samples; its `batch_size` is the share of one process.

        Raises:
            ConfigError: The batch cannot be divided among the processes.
        """
        world = self._world_size()
        if self.batch_size % world:
            raise ConfigError(f"data.batch_size={self.batch_size}: must be divisible by the {world} processes")
        return EpochSampler(
            length,
            self.batch_size // world,
            self.seed,
            rank=self._rank(),
            world_size=world,
            drop_last=drop_last,
            epoch=self.first_epoch,
        )

    def _evaluation_sampler(self, length: int) -> ShardSampler:
        """This process's share of so many samples, each of which comes exactly once."""
        return ShardSampler(length, rank=self._rank(), world_size=self._world_size())

    def _loader(
        self, dataset: Any, sampler: Any, batch_size: int, collate: Callable[[Any], Any], persistent: bool = True
    ) -> DataLoader[Any]:
        """A loader with worker processes, which stay from epoch to epoch where `persistent`."""
        workers = self._worker_count()
        return DataLoader(
            dataset,
            batch_size,
            sampler=sampler,
            collate_fn=collate,
            num_workers=workers,
            persistent_workers=persistent and workers > 0,
            worker_init_fn=initialise_worker,
            pin_memory=torch.cuda.is_available(),
        )

    def _worker_count(self) -> int:
        if self.workers is not None:
            return self.workers
        return max(1, min(4, (os.cpu_count() or 2) // self._world_size() - 1))

    def _world_size(self) -> int:
        return 1 if self.trainer is None else self.trainer.world_size

    def _rank(self) -> int:
        return 0 if self.trainer is None else self.trainer.global_rank


def as_it_is(batch: Any) -> Any:
    """Hands on a batch that the dataset made, where a loader would collate samples."""
    return batch


def initialise_worker(_worker: int) -> None:
    """Keeps OpenCV from starting threads in a loader worker, where each worker is one thread of the whole."""
    cv2.setNumThreads(0)
