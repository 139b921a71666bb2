"""A training step through Lightning, as train.py sets it up, against the same step in a bare PyTorch loop.

Target: at most 1.02x at steps of about 25 ms, and less than 2 % of the time spent waiting for data. Both sides train
the same small LARSD on the same batches; they alternate, and the medians are compared.
"""

import statistics
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Callback

from retable.boxes import upright_size
from retable.run.build import build
from retable.run.callbacks import ProgressBar, RunClock, SeedEpochs
from retable.run.checkpoints import AtomicCheckpointIO
from retable.run.command_line import compose
from retable.run.loggers import CsvLogger

STEPS, ROUNDS, TARGET, WAIT_TARGET = 120, 5, 1.02, 0.02
SIZES = ["data.scene_size=96", "data.image_size=64", "data.tile_overlap=16", "data.batch_size=4", "model.channels=16",
         "model.backbone_width=0.25", "data.counts.train=480", "data.counts.val=1"]  # fmt: skip


class _Times(Callback):
    """Times of the steps that Lightning takes, and of waiting for the batches in between."""

    def __init__(self) -> None:
        self.starts: list[float] = []
        self.ends: list[float] = []

    def on_train_batch_start(self, *_: Any) -> None:
        self.starts.append(time.perf_counter())

    def on_train_batch_end(self, *_: Any) -> None:
        self.ends.append(time.perf_counter())


class _Batches:
    """Batches that wait in memory; Lightning would take a bare list for a list of loaders."""

    def __init__(self, batches: list[Any]) -> None:
        self.batches = batches

    def __iter__(self) -> Any:
        return iter(self.batches)

    def __len__(self) -> int:
        return len(self.batches)


def _parts(sizes: list[str]) -> tuple[LightningModule, Any]:
    config = compose("train", ["budget=small", "hydra=quiet", "trainer=cpu", *sizes])
    torch.manual_seed(0)
    data, model = build(config.data, seed=1), build(config.model)
    model.network.priors.fit(upright_size(data.training_boxes()))
    return model, data


def through_lightning(batches: list[Any]) -> float:
    """Seconds a step through the Trainer as train.py builds it, logging and progress bar included."""
    model, data = _parts(SIZES)
    data.train_dataloader = lambda: _Batches(batches)
    times = _Times()
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            accelerator="cpu", max_epochs=1, limit_val_batches=0, logger=[CsvLogger(Path(folder))],
            callbacks=[times, SeedEpochs(1), RunClock(time.time()), ProgressBar()], plugins=[AtomicCheckpointIO()],
            log_every_n_steps=20, use_distributed_sampler=False, enable_model_summary=False,
            enable_checkpointing=False, default_root_dir=folder,
        )  # fmt: skip
        trainer.fit(model, datamodule=data)
    # from the start of a step to the start of the next: all that Lightning does between them counts
    return statistics.median(b - a for a, b in pairwise(times.starts[10:]))


def bare(batches: list[Any]) -> float:
    """Seconds a step in a plain loop with the same network, loss, optimiser and schedule."""
    model, _ = _parts(SIZES)
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1.0)
    starts = []
    for batch in batches:
        starts.append(time.perf_counter())
        optimizer.zero_grad()
        model.loss(batch["images"], batch["targets"]).total.backward()
        optimizer.step()
        schedule.step()
    return statistics.median(b - a for a, b in pairwise(starts[10:]))


def data_wait() -> float:
    """Part of the training time of budget=small in which the loop waits for its loader, with the default workers."""
    model, data = _parts(["data.counts.train=240", "data.counts.val=1"])
    times = _Times()
    trainer = Trainer(
        accelerator="cpu", max_epochs=2, limit_val_batches=0, logger=False, callbacks=[times],
        use_distributed_sampler=False, enable_model_summary=False, enable_checkpointing=False,
        enable_progress_bar=False,
    )  # fmt: skip
    trainer.fit(model, datamodule=data)
    first = len(times.starts) // 2 + 5  # the second epoch: decoded images are in the cache, as in all later epochs
    waits = [s - e for e, s in zip(times.ends[first:], times.starts[first + 1 :], strict=False)]
    return sum(waits) / (times.ends[-1] - times.starts[first])


def main() -> int:
    """Prints both sides and the ratio."""
    _, data = _parts(SIZES)
    data.workers = 0
    batches = [batch for _, batch in zip(range(STEPS), data.train_dataloader(), strict=False)]
    ours, plain = [], []
    for _ in range(ROUNDS):
        ours.append(through_lightning(batches))
        plain.append(bare(batches))
    lightning, loop = statistics.median(ours), statistics.median(plain)
    ratio, wait = lightning / loop, data_wait()
    print(f"step through Lightning {lightning * 1e3:.2f} ms, bare loop {loop * 1e3:.2f} ms: {ratio:.3f}x (<= {TARGET})")
    print(f"waiting for data: {wait:.2%} of the time (<= {WAIT_TARGET:.0%})")
    return int(ratio > TARGET or wait > WAIT_TARGET)


if __name__ == "__main__":
    sys.exit(main())
