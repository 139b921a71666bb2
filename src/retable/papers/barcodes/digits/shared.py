"""Boosted trees of what a digit looks like, shared by all twelve places; the first digit follows from the code sets."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from retable.classification.estimators.features import Features
from retable.classification.estimators.network import EstimatorNetwork
from retable.papers.barcodes.digits.boosted import DigitsNetwork, FittedReader
from retable.papers.barcodes.digits.features import Projections
from retable.papers.barcodes.digits.schema import SharedBoostedDigitsConfig
from retable.papers.barcodes.scanline import grammar
from retable.papers.barcodes.symbology.ean13 import MODULES, PARITIES, SLOT_MODULES, SLOT_STARTS, SLOTS

_LEFT = 6
_SHAPES = 20  # ten digits in code sets L and G


class SharedBoostedDigitsNetwork(DigitsNetwork):
    """One model of windows around the digits, each of the seven modules of a digit and its neighbours.

    Set R is set L with dark and light exchanged, so windows on the right are exchanged, and one feature tells the side.
    Of all valid codes that one is read whose shapes are the most probable together.

    Args:
        config: The options.
    """

    def __init__(self, config: SharedBoostedDigitsConfig) -> None:
        super().__init__(Projections(config.features))
        self._bands = len(config.features.bands)
        within = np.arange((SLOT_MODULES + 2 * config.neighbours) * config.samples) + 0.5
        modules = SLOT_STARTS[:, None] - config.neighbours + within / config.samples
        self._columns = (modules * config.features.width / MODULES).astype(np.int64)  # (12, samples of a window)
        self.shapes = EstimatorNetwork(config.estimator, self.features, _SHAPES)

    @property
    def is_fitted(self) -> bool:
        """Whether the model is."""
        return len(self.shapes.fitted) > 0

    def fit(self, features: Features, digits: NDArray[np.int64]) -> None:
        """Fits features (N, F) of symbols and their digits (N, 13)."""
        sets = np.concatenate([PARITIES[digits[:, 0]], np.zeros((len(digits), SLOTS - _LEFT), np.int64)], axis=1)
        self.shapes.fit(self.windows(features), (10 * sets + digits[:, 1:]).ravel())

    def decide(self, features: Features) -> tuple[Tensor, Tensor]:
        """Reads features (B, F); returns digits (B, 13) and log probabilities (B,)."""
        found = self.shapes.classify(self.windows(features)).view(-1, SLOTS, _SHAPES)
        scores = torch.full((len(found), SLOTS, _SHAPES + 10), -torch.inf)
        scores[:, :_LEFT, :_SHAPES] = found[:, :_LEFT]
        scores[:, _LEFT:, _SHAPES:] = found[:, _LEFT:, :10]
        digits, log_probabilities = grammar.read(scores, torch.full((len(found),), -torch.inf))
        return digits, log_probabilities

    def windows(self, features: Features) -> Features:
        """Cuts the windows (B * 12, K) out of features (B, F)."""
        bands = features.reshape(-1, self._bands, features.shape[1] // self._bands)
        found = bands[..., self._columns].transpose(0, 2, 1, 3).reshape(-1, SLOTS, self._bands * self._columns.shape[1])
        found[:, _LEFT:] = 1 - found[:, _LEFT:]
        side = np.broadcast_to(np.arange(SLOTS)[:, None] >= _LEFT, (len(found), SLOTS, 1))
        return np.concatenate([found, side], axis=2, dtype=np.float32).reshape(len(found) * SLOTS, -1)


class SharedBoostedDigits(FittedReader):
    """The reader."""

    def __init__(self, config: SharedBoostedDigitsConfig) -> None:
        super().__init__(config)
        self.network = SharedBoostedDigitsNetwork(config)
