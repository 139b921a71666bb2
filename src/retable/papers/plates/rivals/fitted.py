"""Detectors of proposals that learn by one fit."""

from abc import ABC
from typing import Any

import torch
from torch import Tensor

from retable.errors import DataError
from retable.nn.fitting import FittedOnce
from retable.papers.plates.rivals.detector import LearntDetector
from retable.papers.plates.rivals.schema import FittedRivalConfig


class FittedDetector(FittedOnce, LearntDetector, ABC):
    """Base of them: the features of one epoch's proposals are collected and fitted once.

    Attributes:
        network: Has ``features``, which describes cut-out proposals by rows (N, F); ``fit``, which takes such rows and
            labels (N,) of 1 for plates and 0 for others; and the buffer ``fitted``.
    """

    config: FittedRivalConfig

    def __init__(self, config: FittedRivalConfig) -> None:
        super().__init__(config)
        self._collected: list[tuple[Tensor, Tensor]] = []

    @property
    def is_fitted(self) -> bool:
        """Whether the network is."""
        return bool(self.network.fitted)

    @torch.no_grad()
    def collect(self, batch: dict[str, Any]) -> None:
        """Takes the features of a batch's proposals."""
        patches, labels = self.examples(batch)
        if len(patches):
            self._collected.append((self.network.features(patches).cpu(), labels.cpu()))

    def fit(self) -> None:
        """Fits the network.

        Raises:
            DataError: The training images have no plates, or nothing else.
        """
        features, labels = (torch.cat(parts) for parts in zip(*self._collected, strict=True))
        self._collected = []
        drawn = torch.randperm(len(labels))[: self.config.examples]
        features, labels = features[drawn], labels[drawn]
        if not 0 < labels.mean() < 1:
            what = "plate" if labels[0] == 0 else "proposal that is no plate"
            raise DataError(f"the training images hold no {what}; check the dataset")
        self.network.fit(features, labels)
        self.log("train/examples", float(len(labels)), on_step=False, on_epoch=True, batch_size=1)
