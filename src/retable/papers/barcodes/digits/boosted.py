"""Boosted trees: thirteen of them, one for each digit of a code, as in the notebook."""

from __future__ import annotations

from abc import ABC, abstractmethod
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from retable.classification.estimators.features import Features
from retable.classification.estimators.network import EstimatorNetwork
from retable.errors import DataError
from retable.nn.fitting import FittedOnce
from retable.papers.barcodes.digits.features import Projections
from retable.papers.barcodes.digits.schema import BoostedDigitsConfig
from retable.papers.barcodes.reading import Reading
from retable.papers.barcodes.symbol_reader import Batch, SymbolReader
from retable.papers.barcodes.symbology.ean13 import DIGITS


class DigitsNetwork(nn.Module, ABC):
    """Base of fitted models that map symbols (B, 1, H, W) to digits (B, 13) and the codes' log probabilities (B,)."""

    def __init__(self, features: Projections) -> None:
        super().__init__()
        self.features = features

    @property
    @abstractmethod
    def is_fitted(self) -> bool:
        """Whether it is."""

    @abstractmethod
    def fit(self, features: Features, digits: NDArray[np.int64]) -> None:
        """Fits features (N, F) of symbols and their digits (N, 13)."""

    @abstractmethod
    def decide(self, features: Features) -> tuple[Tensor, Tensor]:
        """Reads features (B, F); returns digits (B, 13) and log probabilities (B,)."""

    @torch.compiler.disable  # type: ignore[untyped-decorator]  # nothing in it is for a compiler
    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Reads symbols (B, 1, H, W) in [0, 1]; returns digits (B, 13) and log probabilities (B,)."""
        digits, log_probabilities = self.decide(self.features(images))
        return digits.to(images.device), log_probabilities.to(images.device)


class FittedReader(FittedOnce, SymbolReader, ABC):
    """Base of readers that fit once."""

    kind = "model of boosted trees"
    config: BoostedDigitsConfig
    network: DigitsNetwork

    def __init__(self, config: BoostedDigitsConfig) -> None:
        super().__init__(config)
        self._collected: list[tuple[Features, Tensor, Tensor]] = []

    @property
    def is_fitted(self) -> bool:
        """Whether the trees are."""
        return self.network.is_fitted

    def collect(self, batch: Batch) -> None:
        """Takes the features of a batch."""
        self._collected.append((self.network.features(batch["images"]), batch["digits"], batch["indices"]))

    def fit(self) -> None:
        """Fits the trees.

        Raises:
            DataError: There is no symbol with a code.
        """
        rows, codes, places = zip(*self._collected, strict=True)
        digits, indices = (torch.cat(parts).cpu().numpy() for parts in (codes, places))
        # a last batch that was filled up repeats images; and the order of the epoch must not matter
        _, first = np.unique(indices, return_index=True)
        first = first[digits[first, 0] >= 0]
        if not len(first):
            raise DataError("none of the training images shows a code; check the dataset")
        self._collected = []
        features = np.concatenate(rows)[first]
        self.network.fit(features, digits[first])
        right = self.network.decide(features)[0].numpy() == digits[first]
        self.log("train/character_accuracy", float(right.mean()), on_step=False, on_epoch=True, batch_size=1)

    def read(self, images: Tensor) -> list[Reading]:
        """Reads symbols (B, 1, H, W) in [0, 1]; every one is answered."""
        return readings(*self.network(images))


def readings(digits: Tensor, log_probabilities: Tensor) -> list[Reading]:
    """Returns B readings of digits (B, 13) and the codes' log probabilities (B,)."""
    found = zip(digits.tolist(), log_probabilities.exp().tolist(), strict=True)
    return [Reading("".join(map(str, code)), probability) for code, probability in found]


def most_probable(log_probabilities: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the digits (B, 13) and the codes' log probabilities (B,), of those (B, 13, 10) of each digit."""
    best, digits = log_probabilities.max(dim=2)
    return digits, best.sum(dim=1)


class BoostedDigitsNetwork(DigitsNetwork):
    """A model of each digit, which sees the whole symbol.

    Args:
        features: What they see.
        estimator: A new one, of which each digit has a copy.
    """

    def __init__(self, features: Projections, estimator: Any) -> None:
        super().__init__(features)
        self.places = nn.ModuleList(EstimatorNetwork(deepcopy(estimator), features, 10) for _ in range(DIGITS))

    @property
    def is_fitted(self) -> bool:
        """Whether all are."""
        return all(len(place.fitted) > 0 for place in self._places())

    def fit(self, features: Features, digits: NDArray[np.int64]) -> None:
        """Fits features (N, F) of symbols and their digits (N, 13)."""
        for place, column in zip(self._places(), digits.T, strict=True):
            place.fit(features, column)

    def decide(self, features: Features) -> tuple[Tensor, Tensor]:
        """Reads features (B, F); returns digits (B, 13) and log probabilities (B,)."""
        return most_probable(torch.stack([place.classify(features) for place in self._places()], dim=1))

    def _places(self) -> list[EstimatorNetwork]:
        return list(self.places)  # type: ignore[arg-type]


class BoostedDigits(FittedReader):
    """The notebook's reader."""

    def __init__(self, config: BoostedDigitsConfig) -> None:
        super().__init__(config)
        self.network = BoostedDigitsNetwork(Projections(config.features), config.estimator)
