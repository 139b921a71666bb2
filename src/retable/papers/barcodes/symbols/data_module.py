"""The symbols of one run as the trainer's loaders."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from retable.data.fingerprint import fingerprint_files
from retable.data.provenance import combine_provenances
from retable.errors import DataError
from retable.papers.barcodes.datasets.loaders import BarcodeLoaders
from retable.papers.barcodes.datasets.parts import PhotoPart
from retable.papers.barcodes.locating import load_localiser
from retable.papers.barcodes.reading import Locate
from retable.papers.barcodes.symbol_reader import Batch
from retable.papers.barcodes.symbols.cut import CutSymbols
from retable.papers.barcodes.symbols.dataset import BarcodeSymbols
from retable.papers.barcodes.symbols.schema import BarcodeSymbolsConfig
from retable.run import paths
from retable.synthetic.raster import Image

log = logging.getLogger(__name__)


class Symbols(Protocol):
    """Pictures of symbols with their digits."""

    kind: str
    source: str

    def __len__(self) -> int: ...

    def sample(self, index: int, epoch: int = 0) -> tuple[Image, NDArray[np.int64]]:
        """Returns a picture, uint8 (H, W), or views of it (V, H, W), and its thirteen digits, -1 each for no symbol."""

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
            "images": torch.from_numpy(np.stack([image for image, _ in found])).unsqueeze(-3).float().div_(255),
            "digits": torch.from_numpy(np.stack([digits for _, digits in found])),
            "indices": torch.tensor([index for _, index in pairs]),
        }


class SymbolsDataModule(BarcodeLoaders):
    """Loaders of symbols; see `BarcodeLoaders`."""

    config: BarcodeSymbolsConfig

    def __init__(self, config: BarcodeSymbolsConfig, seed: int) -> None:
        super().__init__(config, seed)

    @cached_property
    def parts(self) -> dict[str, Symbols]:
        """The symbols of each of `roles`.

        Raises:
            ConfigError: The localiser's folder is no run of one, or files without corners are to be cut out by them.
            DataError: The files have a fault, or show no symbols.
        """
        config = self.config
        if config.corners is None and config.root is None:
            return {role: self._generated(role) for role in self.roles}
        locate, told = None, "reference"
        if config.corners not in (None, "reference"):
            folder = Path(str(config.corners)).expanduser()
            locate, about = load_localiser(str(folder), torch.device("cpu"), "data.corners")
            told = fingerprint_files({}, {"localiser": folder / paths.CHECKPOINTS / about["checkpoint"]}, [])
        photos = config.photos(self.seed)
        photos.roles = self.roles
        found = {role: self._cut(photos.parts[role], role, locate, told) for role in self.roles}
        self.notes += photos.notes
        return found

    def _cut(self, parts: Sequence[PhotoPart], role: str, locate: Locate | None, told: str) -> Symbols:
        config = self.config
        found = CutSymbols(parts, config.width, config.height, config.margin, locate, told, role == "train")
        if not len(found):
            raise DataError(f"data.corners={config.corners}: no symbols are left for {role}")
        if found.missed:
            lost = "are left out" if role == "train" else "count as not answered"
            self.notes.append(f"{found.missed} of {found.symbols} symbols of {role} were not found and {lost}")
            log.warning("%s", self.notes[-1])
        return found

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """Kind, source, fingerprint and split sizes of the data, as plain values."""
        return combine_provenances(
            {
                role: {
                    "kind": part.kind,
                    "source": part.source,
                    "fingerprint": part.fingerprint(),
                    "splits": {role: len(part)},
                    "notes": self.notes,
                }
                for role, part in self.parts.items()
            }
        )

    def samples(self, role: str, learnt: bool) -> SymbolSamples:
        """Returns the symbols of a split."""
        return SymbolSamples(self.parts[role], learnt and self.config.fresh)

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
