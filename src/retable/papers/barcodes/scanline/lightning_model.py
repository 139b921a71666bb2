"""The reader as Lightning trains and tests it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torchmetrics import MeanMetric

from retable.errors import DivergenceError
from retable.nn import schedules
from retable.nn.fusion import fuse_batch_norm
from retable.papers.barcodes.reading import Reading, ReadSymbols
from retable.papers.barcodes.scanline import grammar
from retable.papers.barcodes.scanline.network import ScanlineNet
from retable.papers.barcodes.scanline.schema import ScanlineReaderConfig
from retable.papers.barcodes.symbol_reader import Batch, SymbolReader

_LARGEST = 30.0  # nats of a symbol that count: those that nobody can read have no end


class ScanlineReader(SymbolReader):
    """The network with the grammar of EAN-13.

    What it learns is how probable the true code is among all 10^12 valid ones and there being none, so that this
    probability, which an answer comes with, tells how often such answers are right.

    Attributes:
        network: The network.
    """

    config: ScanlineReaderConfig
    network: ScanlineNet

    def __init__(self, config: ScanlineReaderConfig) -> None:
        super().__init__(config)
        self.network = ScanlineNet(config)
        self.train_loss = MeanMetric()

    def loss(self, images: Tensor, digits: Tensor) -> Tensor:
        """Returns what is lost on each picture, in nats, differentiable.

        Args:
            images: (B, 1, H, W) in [0, 1].
            digits: (B, 13), -1 each where there is no symbol.
        """
        shapes, no_symbol = self.network(images)
        shapes, no_symbol = shapes.float(), no_symbol.float()
        told = torch.where(digits[:, 0] < 0, no_symbol, grammar.code_scores(shapes, digits.clamp(min=0)))
        return torch.logaddexp(grammar.log_total(shapes), no_symbol) - told

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """Computes the loss of a training batch.

        Raises:
            DivergenceError: It is not finite.
        """
        loss = self.loss(batch["images"], batch["digits"]).clamp(max=_LARGEST).mean()
        if not torch.isfinite(loss):
            raise DivergenceError(
                f"the loss is not finite at step {self.global_step}: try a lower model.lr or trainer.gradient_clip_val"
            )
        self.train_loss.update(loss.detach(), len(batch["images"]))
        self.log("train/loss", self.train_loss, on_step=False, on_epoch=True, prog_bar=True)
        return loss

    def configure_optimizers(self) -> Any:
        """AdamW and a cosine, after a warm-up, changing at every iteration."""
        config = self.config
        optimizer = torch.optim.AdamW(self.parameters(), lr=config.lr, weight_decay=config.weight_decay)
        return schedules.scheduled(optimizer, schedules.cosine(self.trainer.estimated_stepping_batches), config.warmup)

    def read(self, images: Tensor) -> list[Reading]:
        """Reads pictures (B, 1, H, W) in [0, 1] of symbols the right way up; returns B readings."""
        return self._read(self.network, images)

    def quick_read(self) -> ReadSymbols:
        """As `read`, with the batch normalisation folded away."""
        network = fuse_batch_norm(self.network)
        return lambda images: self._read(network, images.to(self.device))

    def _read(self, network: nn.Module, images: Tensor) -> list[Reading]:
        shapes, no_symbol = network(images)
        digits, log_probability = grammar.read(shapes.float(), no_symbol.float())
        found = zip(digits.tolist(), log_probability.exp().tolist(), strict=True)
        return [
            Reading("".join(map(str, code)) if probability >= self.config.certain else None, probability)
            for code, probability in found
        ]

    def example_input(self) -> Tensor:
        """A batch that the network takes, for `export.py`."""
        return torch.zeros(1, 1, self.config.height, self.config.width)
