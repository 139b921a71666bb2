"""What the data modules of photos and of symbols share: how their samples become the trainer's loaders."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from torch.utils.data import DataLoader

from retable.data.module import ShardedDataModule, as_it_is


class BarcodeLoaders(ShardedDataModule, ABC):
    """Loaders of the samples that a subclass makes.

    Args:
        config: Options; of these `batch_size`, `eval_batch_size` and `workers` count here.
        seed: The run's seed.

    Attributes:
        test_name: The split that is tested.
        notes: What a reader of the record must know of the data, once they are read.
    """

    test_name = "test"

    def __init__(self, config: Any, seed: int) -> None:
        super().__init__()
        self.config, self.seed, self.first_epoch = config, seed, 0
        self.batch_size, self.workers = config.batch_size, config.workers
        self.notes: list[str] = []

    @abstractmethod
    def samples(self, role: str, learnt: bool) -> Any:
        """Returns the dataset of a split that makes whole batches: varied ones to learn from, or all as they are."""

    def train_dataloader(self) -> DataLoader[Any]:
        """Makes training batches; data.batch_size is divided among the processes, and a last batch is filled up."""
        samples = self.samples("train", learnt=True)
        sampler = self._training_sampler(len(samples), drop_last=False)
        return self._loader(samples, sampler, sampler.batch_size, as_it_is)

    def val_dataloader(self) -> DataLoader[Any]:
        """Makes batches of the validation samples, each exactly once."""
        return self._evaluation_loader("val", persistent=True)

    def test_dataloader(self) -> DataLoader[Any]:
        """Makes batches of the test samples, each exactly once."""
        return self._evaluation_loader(self.test_name, persistent=False)

    def _evaluation_loader(self, role: str, persistent: bool) -> DataLoader[Any]:
        samples = self.samples(role, learnt=False)
        sampler = self._evaluation_sampler(len(samples))
        return self._loader(samples, sampler, self.config.eval_batch_size, as_it_is, persistent)
