"""The notebook's perceptron: all thirteen digits at once."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchmetrics import MeanMetric

from retable.errors import DivergenceError
from retable.papers.barcodes.digits.boosted import most_probable, readings
from retable.papers.barcodes.digits.features import Projections
from retable.papers.barcodes.digits.schema import PerceptronConfig
from retable.papers.barcodes.reading import Reading
from retable.papers.barcodes.symbol_reader import Batch, SymbolReader
from retable.papers.barcodes.symbology.ean13 import DIGITS


class PerceptronReader(SymbolReader):
    """Two hidden layers over the projections.

    Attributes:
        network: Maps features (B, F) to logits (B, 13, 10).
        features: Describe symbols (B, 1, H, W) by rows (B, F).
    """

    config: PerceptronConfig

    def __init__(self, config: PerceptronConfig) -> None:
        super().__init__(config)
        self.features = Projections(config.features)
        self.network = nn.Sequential(
            nn.Linear(self.features.count, config.hidden),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.hidden, config.hidden),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.hidden, DIGITS * 10),
            nn.Unflatten(1, (DIGITS, 10)),
        )
        self.train_loss, self.evaluation_loss = MeanMetric(), MeanMetric()

    def losses(self, images: Tensor, digits: Tensor) -> Tensor:
        """Returns of each symbol the sum of its thirteen digits' cross-entropies (B,), 0 where there is no code.

        Args:
            images: (B, 1, H, W) in [0, 1].
            digits: (B, 13), -1 each where there is no code.
        """
        logits = self.logits(images).transpose(1, 2)
        return F.cross_entropy(logits, digits, ignore_index=-1, reduction="none").sum(dim=1)

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """Computes the loss of a training batch, the mean over symbols with a code.

        Raises:
            DivergenceError: It is not finite.
        """
        known = (batch["digits"][:, 0] >= 0).sum()
        loss: Tensor = self.losses(batch["images"], batch["digits"]).sum() / known.clamp(min=1)
        if not torch.isfinite(loss):
            raise DivergenceError(f"the loss is not finite at step {self.global_step}: try a lower model.lr")
        self.train_loss.update(loss.detach(), known)
        self.log("train/loss", self.train_loss, on_step=False, on_epoch=True, prog_bar=True)
        return loss

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        """Reads a batch of validation symbols, and logs its loss."""
        super().validation_step(batch, batch_index)
        self._log_loss(batch, "val")

    def test_step(self, batch: Batch, batch_index: int) -> dict[str, Any]:
        """Reads a batch of test symbols, and logs its loss."""
        found = super().test_step(batch, batch_index)
        self._log_loss(batch, self.trainer.datamodule.test_name)  # type: ignore[attr-defined]
        return found

    def logits(self, images: Tensor) -> Tensor:
        """Returns the logits (B, 13, 10) of symbols (B, 1, H, W) in [0, 1]."""
        found: Tensor = self.network(torch.from_numpy(self.features(images)).to(images.device))
        return found

    def read(self, images: Tensor) -> list[Reading]:
        """Reads symbols (B, 1, H, W) in [0, 1]; every one is answered."""
        return readings(*most_probable(self.logits(images).float().log_softmax(dim=2)))

    def configure_optimizers(self) -> Any:
        """Makes the optimiser; its rate stays."""
        return self.config.optimizer(self.parameters(), lr=self.config.lr)

    def example_input(self) -> Tensor:
        """Returns features (2, F) as the network takes them."""
        return torch.zeros(2, self.features.count)

    def _log_loss(self, batch: Batch, split: str) -> None:
        images, digits = batch["images"], batch["digits"]
        views = images if images.dim() == 5 else images[:, None]
        # of several views one is the right way up, that with the smaller loss
        every = self.losses(views.flatten(0, 1), digits.repeat_interleave(views.shape[1], dim=0))
        self.evaluation_loss.update(every.view(len(digits), -1).amin(dim=1)[digits[:, 0] >= 0])
        self.log(f"{split}/loss", self.evaluation_loss, on_step=False, on_epoch=True)
