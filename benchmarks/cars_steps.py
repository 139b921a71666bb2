"""Training steps of the car GANs: through Lightning against a bare PyTorch loop, and LOGAN against the hinge loss.

Both are measured at the essay's width (64 channels, 64 x 64 pixels) with batches of 16, which a core has time for.
Targets: the step with manual optimisation as train.py sets it up takes at most 1.03x that of a bare loop with the same
networks, losses and optimisers on the same batches; a LOGAN step at most 2.5x a step with the hinge loss and the same
networks. The sides alternate, and the medians are compared.
"""

import logging
import statistics
import sys
import tempfile
import time
import warnings
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import LightningDataModule, Trainer
from pytorch_lightning.callbacks import Callback

from retable.papers.cars.training.lightning_model import Gan
from retable.run.build import build
from retable.run.callbacks import ProgressBar, RunClock, SeedEpochs
from retable.run.checkpoints import AtomicCheckpointIO
from retable.run.command_line import compose
from retable.run.loggers import CsvLogger

STEPS, ROUNDS, TARGET, LATENT_TARGET = 10, 5, 1.03, 2.5
BATCH, SIZE = 16, 64


class _Starts(Callback):
    def __init__(self) -> None:
        self.times: list[float] = []

    def on_train_batch_start(self, *_: Any) -> None:
        self.times.append(time.perf_counter())


class _Batches(LightningDataModule):
    """Batches that wait in memory."""

    seed, image_size = 1, SIZE

    @cached_property
    def images(self) -> torch.Tensor:
        return torch.randint(0, 256, (BATCH, 3, SIZE, SIZE), dtype=torch.uint8)

    def train_dataloader(self) -> Any:
        return _Repeated({"images": self.images / 255, "indices": torch.arange(BATCH)})


class _Repeated:
    def __init__(self, batch: Any) -> None:
        self.batch = batch

    def __iter__(self) -> Any:
        return iter([self.batch] * STEPS)

    def __len__(self) -> int:
        return STEPS


def _model(name: str) -> Gan:
    config = compose("train", [f"model={name}", "data=cars", "budget=paper", "hydra=quiet"])
    torch.manual_seed(0)
    config.model.fidelity = None
    model: Gan = build(config.model)
    return model


def through_lightning(name: str) -> float:
    """Measures the seconds a step through the Trainer as train.py builds it, logging and progress bar included."""
    starts = _Starts()
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            accelerator="cpu", max_epochs=1, limit_val_batches=0, logger=[CsvLogger(Path(folder))],
            callbacks=[starts, SeedEpochs(1), RunClock(time.time()), ProgressBar()], plugins=[AtomicCheckpointIO()],
            log_every_n_steps=20, use_distributed_sampler=False, enable_model_summary=False,
            enable_checkpointing=False, default_root_dir=folder,
        )  # fmt: skip
        trainer.fit(_model(name), datamodule=_Batches())
    # from the start of a step to the start of the next: all that Lightning does between them counts
    return statistics.median(b - a for a, b in pairwise(starts.times[2:]))


def bare() -> float:
    """Measures the seconds a step of DCGAN in a plain loop, as the tutorial has it."""
    network, images = _model("dcgan").network.train(), _Batches().images / 255
    generator, discriminator = network.generator, network.discriminator
    optimizers = [
        torch.optim.Adam(part.parameters(), lr=1e-4, betas=(0.5, 0.999), weight_decay=1e-3)
        for part in (discriminator, generator)
    ]
    loss = torch.nn.functional.binary_cross_entropy_with_logits
    ones, zeros = torch.ones(BATCH), torch.zeros(BATCH)
    starts = []
    for _ in range(STEPS):
        starts.append(time.perf_counter())
        real = images * 2 - 1
        fake = generator(torch.randn(BATCH, 100))
        optimizers[0].zero_grad()
        (loss(discriminator(real), ones) + loss(discriminator(fake.detach()), zeros)).backward()
        optimizers[0].step()
        optimizers[1].zero_grad()
        discriminator.requires_grad_(False)
        loss(discriminator(fake), ones).backward()
        discriminator.requires_grad_(True)
        optimizers[1].step()
    return statistics.median(b - a for a, b in pairwise(starts[2:]))


def main() -> int:
    """Prints all sides and the ratios."""
    warnings.filterwarnings("ignore")
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    sides: dict[str, list[float]] = {"lightning": [], "bare": [], "hinge": [], "logan": []}
    for _ in range(ROUNDS):
        sides["lightning"].append(through_lightning("dcgan"))
        sides["bare"].append(bare())
        sides["hinge"].append(through_lightning("dcgan_hinge"))
        sides["logan"].append(through_lightning("logan"))
    lightning, loop, hinge, logan = (1e3 * statistics.median(times) for times in sides.values())
    ratio, latent = lightning / loop, logan / hinge
    print(f"DCGAN step through Lightning {lightning:.1f} ms, bare loop {loop:.1f} ms: {ratio:.3f}x (<= {TARGET})")
    print(f"LOGAN step {logan:.1f} ms, hinge step {hinge:.1f} ms: {latent:.2f}x (<= {LATENT_TARGET})")
    return int(ratio > TARGET or latent > LATENT_TARGET)


if __name__ == "__main__":
    sys.exit(main())
