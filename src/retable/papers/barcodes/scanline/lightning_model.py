"""The reader as Lightning trains and tests it."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torchmetrics import CatMetric, MeanMetric

from retable.nn.fusion import fuse_batch_norm
from retable.nn.training import AdamWTraining, check_finite
from retable.papers.barcodes.reading import Reading, ReadSymbols
from retable.papers.barcodes.scanline import grammar
from retable.papers.barcodes.scanline.network import ScanlineNet
from retable.papers.barcodes.scanline.schema import ScanlineReaderConfig
from retable.papers.barcodes.symbol_reader import Batch, SymbolReader

_SURE = 0.9  # probability below which answers are withheld before the first validation
_LEAST_SURE, _MOST_SURE = 0.5, 0.999  # of few validation pictures one alone must not decide that nothing is answered
_LARGEST = 30.0  # nats of a symbol that count: those that nobody can read have no end


class ScanlineReader(AdamWTraining, SymbolReader):
    """The network with the grammar of EAN-13.

    What it learns is how probable the true code is among all 10^12 valid ones and there being none, so that this
    probability, which an answer comes with, tells how often such answers are right.

    Attributes:
        network: The network.
    """

    monitor = "val/loss"
    monitor_mode = "min"
    config: ScanlineReaderConfig
    network: ScanlineNet

    def __init__(self, config: ScanlineReaderConfig) -> None:
        super().__init__(config)
        self.network = ScanlineNet(config)
        self.train_loss, self.validation_loss = MeanMetric(), MeanMetric()
        self._wrong = CatMetric()  # of each validation picture its probability, where the answer is wrong, else 0
        self._lowest = _SURE

    @property
    def threshold(self) -> float:
        """Probability below which an answer is withheld, as the last validation set it or as `certain` tells."""
        return self._lowest if self.config.certain is None else self.config.certain

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        """Reads a batch of validation symbols, and keeps how sure wrong answers are."""
        readings = self._evaluate(batch, self.validation_metric)
        codes = ["".join(map(str, code)) if code[0] >= 0 else None for code in batch["digits"].tolist()]
        wrong = [
            0.0 if reading.code == code else reading.confidence for reading, code in zip(readings, codes, strict=True)
        ]
        self._wrong.update(torch.tensor(wrong, device=self.device))
        images, digits = batch["images"], batch["digits"]
        if images.dim() == 5:  # views, of which one is the right way up
            digits = digits.repeat_interleave(images.shape[1], 0)
        losses = self.loss(images.flatten(0, -4), digits).view(len(images), -1).amin(dim=1)
        self.validation_loss.update(losses.clamp(max=_LARGEST))

    def on_validation_epoch_start(self) -> None:
        """Starts the counts of a validation."""
        super().on_validation_epoch_start()
        self._wrong.reset()
        self.validation_loss.reset()

    def on_validation_epoch_end(self) -> None:
        """Logs the metrics of a validation, and sets the threshold for what comes after it."""
        super().on_validation_epoch_end()
        self.log("val/loss", self.validation_loss.compute(), sync_dist=True)
        gathered: Any = self._wrong.compute()
        wrong = torch.as_tensor(gathered).reshape(-1).sort(descending=True).values
        allowed = int(self.config.wrong_answers * len(wrong))
        surest = float(wrong[allowed]) if allowed < len(wrong) else 0.0
        self._lowest = min(max(_LEAST_SURE, math.nextafter(surest, 1.0)), _MOST_SURE)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keeps the threshold."""
        checkpoint["lowest"] = self._lowest

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Takes up the threshold."""
        self._lowest = float(checkpoint.get("lowest", _SURE))

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
        check_finite(loss, self.global_step)
        self.train_loss.update(loss.detach(), len(batch["images"]))
        self.log("train/loss", self.train_loss, on_step=False, on_epoch=True, prog_bar=True)
        return loss

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
        return [Reading("".join(map(str, code)), probability) for code, probability in found]

    def example_input(self) -> Tensor:
        """A batch that the network takes, for `export.py`."""
        return torch.zeros(1, 1, self.config.height, self.config.width)
