"""K nearest neighbours on proposals."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from retable.classification.estimators.features import OrientedGradients
from retable.classification.schema import OrientedGradientsConfig
from retable.errors import CheckpointError
from retable.papers.plates.rivals.fitted import FittedDetector
from retable.papers.plates.rivals.schema import NeighboursConfig


class Neighbours(nn.Module):
    """Remembers proposals; the nearest of them vote, the nearer the more. Its state is what it remembers.

    Args:
        config: The options.

    Raises:
        ConfigError: `input_size` is not of whole cells.
    """

    rows: Tensor
    is_plate: Tensor

    def __init__(self, config: NeighboursConfig) -> None:
        super().__init__()
        self._config = config
        self._gradients = OrientedGradients(OrientedGradientsConfig(cell=config.cell, bins=config.bins))
        self._width = self.features(torch.zeros(1, 3, *config.input_size)).shape[1]
        self.register_buffer("rows", torch.zeros(0, self._width))
        self.register_buffer("is_plate", torch.zeros(0))

    @property
    def fitted(self) -> bool:
        """Whether it remembers anything."""
        return len(self.rows) > 0

    def features(self, patches: Tensor) -> Tensor:
        """Describes cut-out proposals (N, 3, h, w) by (N, F)."""
        return torch.from_numpy(self._gradients(patches)).to(patches.device)

    def forward(self, patches: Tensor) -> Tensor:
        """Scores cut-out proposals (N, 3, h, w) in [0, 1]; returns (N,) from 0 to 1, 0 before the fit."""
        if not self.fitted:
            return patches.new_zeros(len(patches))
        distances = torch.cdist(self.features(patches), self.rows)
        nearest, places = distances.topk(min(self._config.neighbours, len(self.rows)), largest=False)
        votes = 1 / (nearest + 1e-3)
        return (votes * self.is_plate[places]).sum(dim=1) / votes.sum(dim=1)

    def fit(self, features: Tensor, labels: Tensor) -> None:
        """Remembers rows (N, F) and labels (N,) of 1 and 0."""
        self.rows, self.is_plate = features.to(self.rows), labels.to(self.is_plate)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        # the remembered ones are as many as they are
        for name in ("rows", "is_plate"):
            stored = state_dict.get(prefix + name)
            if stored is not None:
                setattr(self, name, torch.empty_like(stored, device=getattr(self, name).device))
        super()._load_from_state_dict(state_dict, prefix, *rest)
        votes = self.is_plate
        if self.rows.shape != (len(votes), self._width) or not ((votes >= 0) & (votes <= 1)).all():
            raise CheckpointError("what it remembers does not fit together")


class NeighboursDetector(FittedDetector):
    """The detector."""

    kind = "nearest-neighbour classifier"
    weights_origin = "scratch"
    published_time = "the paper's Table III: 27 ms a photo by nearest neighbours"
    config: NeighboursConfig

    def __init__(self, config: NeighboursConfig) -> None:
        super().__init__(config)
        self.network = Neighbours(config)
