"""The symbols of one run as the trainer's loaders."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset

from retable.data.module import ShardedDataModule, as_it_is
from retable.data.provenance import combine_provenances
from retable.papers.barcodes.symbol_reader import Batch
from retable.papers.barcodes.symbols.dataset import BarcodeSymbols
from retable.papers.barcodes.symbols.schema import BarcodeSymbolsConfig
from retable.synthetic.raster import Image


class Symbols(Protocol):
    """Pictures of symbols with their digits."""

    def __len__(self) -> int: ...

    def sample(self, index: int, epoch: int = 0) -> tuple[Image, NDArray[np.int64]]:
        """Returns a picture, uint8 (H, W), and its thirteen digits, -1 each where there is no symbol."""

    def fingerprint(self) -> str:
        """Fingerprints the pictures and their digits."""


class SymbolSamples(Dataset[Batch]):
    """Batches of symbols.

    Args:
        symbols: Where they come from.
        fresh: Whether another epoch has others at the same places.
    """

    def __init__(self, symbols: Symbols, fresh: bool = False) -> None:
        self._symbols, self._fresh = symbols, fresh

    def __len__(self) -> int:
        return len(self._symbols)

    def __getitems__(self, keys: Sequence[tuple[int, int] | int]) -> Batch:
        """Makes a batch of (epoch, index) keys, as of `EpochSampler`; a bare index means epoch 0."""
        pairs = [(0, key) if isinstance(key, int) else key for key in keys]
        found = [self._symbols.sample(index, epoch if self._fresh else 0) for epoch, index in pairs]
        return {
            "images": torch.from_numpy(np.stack([image for image, _ in found])).unsqueeze(1).float().div_(255),
            "digits": torch.from_numpy(np.stack([digits for _, digits in found])),
            "indices": torch.tensor([index for _, index in pairs]),
        }


class SymbolsDataModule(ShardedDataModule):
    """Loaders of symbols.

    Args:
        config: Options.
        seed: The run's seed.

    Attributes:
        test_name: The split that is tested.
    """

    test_name = "test"

    def __init__(self, config: BarcodeSymbolsConfig, seed: int) -> None:
        super().__init__()
        self.config, self.seed, self.first_epoch = config, seed, 0
        self.batch_size, self.workers = config.batch_size, config.workers

    @cached_property
    def parts(self) -> dict[str, Symbols]:
        """The symbols of each of `roles`."""
        return {role: self._generated(role) for role in self.roles}

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """Kind, source, fingerprint and split sizes of the data, as plain values."""
        return combine_provenances(
            {
                role: {
                    "kind": "synthetic",
                    "source": "generated symbols",
                    "fingerprint": part.fingerprint(),
                    "splits": {role: len(part)},
                    "notes": [],
                }
                for role, part in self.parts.items()
            }
        )

    def train_dataloader(self) -> DataLoader[Batch]:
        """Makes training batches; data.batch_size is divided among the processes, and a last batch is filled up."""
        samples = SymbolSamples(self.parts["train"], self.config.fresh)
        sampler = self._training_sampler(len(samples), drop_last=False)
        return self._loader(samples, sampler, sampler.batch_size, as_it_is)

    def val_dataloader(self) -> DataLoader[Batch]:
        """Makes batches of the validation symbols, each exactly once."""
        return self._evaluation_loader("val", persistent=True)

    def test_dataloader(self) -> DataLoader[Batch]:
        """Makes batches of the test symbols, each exactly once."""
        return self._evaluation_loader(self.test_name, persistent=False)

    def _evaluation_loader(self, role: str, persistent: bool) -> DataLoader[Batch]:
        samples = SymbolSamples(self.parts[role])
        sampler = self._evaluation_sampler(len(samples))
        return self._loader(samples, sampler, self.config.eval_batch_size, as_it_is, persistent)

    def _generated(self, role: str) -> BarcodeSymbols:
        config = self.config
        return BarcodeSymbols(
            getattr(config.counts, role),
            config.width,
            config.height,
            config.margin,
            config.symbols_seed,
            role,
            config.others,
            config.clean,
        )
