"""The twelve models from their configuration through a step or two, and one whole run."""

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from pytorch_lightning import Trainer
from tests.papers.cars.training.tiny import TinyImages, TinyScores

from retable.run import checkpoints, record
from retable.run.build import build
from retable.run.command_line import compose
from retable.run.places import CONFIGURATIONS

ROOT = Path(__file__).parents[4]
MODELS = sorted(path.parent.name for path in (CONFIGURATIONS / "budget" / "model").glob("*/smoke.yaml")
                if "/budget/model/gan/" in path.read_text())  # fmt: skip
BATCHES = {"dcgan_hinge": 512, "sagan": 512, "sagan_ortho": 512, "resnet18_salogan": 350}


def test_there_are_twelve() -> None:
    assert len(MODELS) == 12


@pytest.mark.filterwarnings("ignore:.*LeafSpec.*:FutureWarning")
@pytest.mark.filterwarnings("ignore:.*does not have many workers.*")
@pytest.mark.parametrize("name", MODELS)
def test_every_model_takes_two_steps_and_a_test(name: str, tmp_path: Path) -> None:
    config = compose("train", [f"model={name}", "data=cars", "budget=smoke", "hydra=quiet"])
    config.model.fidelity = None
    model, data = build(config.model), TinyImages(image_size=config.data.image_size, batch_size=4, count=8)
    model.fidelity = TinyScores()
    before = {key: value.clone() for key, value in model.network.named_parameters()}
    trainer = Trainer(
        default_root_dir=tmp_path, accelerator="cpu", max_epochs=1, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=0, use_distributed_sampler=False,
        log_every_n_steps=1,
    )  # fmt: skip
    trainer.fit(model, datamodule=data)
    assert trainer.global_step == 2
    for key, value in model.network.named_parameters():
        assert value.isfinite().all(), key
        assert not torch.equal(value, before[key]), key
    trainer.test(model, datamodule=data, verbose=False)
    assert trainer.callback_metrics["test/fid_domain"] >= 0


@pytest.mark.parametrize("name", MODELS)
def test_paper_budget_is_the_essays(name: str) -> None:
    config = compose("train", [f"model={name}", "data=cars", "budget=paper", "hydra=quiet"])
    assert config.data.batch_size == BATCHES.get(name, 256)
    assert config.trainer.max_epochs == 3500
    model = config.model
    assert (model.lr, model.weight_decay) == (1e-4, 1e-3)
    assert model.gradient_clip == (1.0 if name.startswith("resnet") and not name.endswith("noclip") else None)
    assert model.loss._target_.endswith("Hinge" if name == "dcgan_hinge" else "BinaryCrossEntropy")
    assert ("latent" in model and model.latent is not None) == ("logan" in name)
    assert (model.encoder is not None) == name.startswith("bidirectional")
    assert (model.orthogonal > 0) == (name == "sagan_ortho")
    assert model.initialisation._target_.rpartition(".")[2] == (
        "xavier_uniform" if name.startswith("resnet") else "orthogonal" if name == "sagan_ortho" else "dcgan"
    )
    assert model.generator.channels == model.discriminator.channels == 64


@pytest.mark.parametrize("name", MODELS)
def test_budgets_keep_the_method(name: str) -> None:
    found = []
    for budget in ("smoke", "small", "paper"):
        model = compose("train", [f"model={name}", "data=cars", f"budget={budget}", "hydra=quiet"]).model
        model.image_size = 64
        for part in ("generator", "discriminator", "encoder"):
            if model[part] is not None:
                model[part].channels = 1
        found.append(model)
    assert found[0] == found[1] == found[2]


def test_the_sets_of_latent_optimisation() -> None:
    large = compose("train", ["model=logan", "data=cars", "model/latent=biggan", "hydra=quiet"]).model.latent
    assert (large.alpha, large.beta, large.fraction, large.weight, large.detach) == (0.9, 5.0, 0.5, 300.0, False)
    small = compose("train", ["model=logan", "data=cars", "hydra=quiet"]).model.latent
    assert (small.alpha, small.beta, small.fraction, small.weight, small.detach) == (0.9, 0.1, 0.8, 0.1, False)


RUN = (
    "model=logan", "data=cars", "budget=smoke", "trainer=cpu", "logger=csv", "model/fidelity=domain", "data.count=32",
    "data.batch_size=8", "trainer.max_epochs=3", "trainer.enable_progress_bar=false", "model.ema_decay=0.9",
)  # fmt: skip


def _start(folder: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(ROOT / "train.py"), *RUN, f"hydra.run.dir={folder}", *words], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


@pytest.mark.slow
def test_a_run_that_was_killed_ends_as_the_uninterrupted_one(tmp_path: Path) -> None:
    whole = _start(tmp_path / "whole")
    killed = _start(tmp_path / "killed")
    last = tmp_path / "killed" / "checkpoints" / "last.ckpt"
    until = time.monotonic() + 100
    while not last.exists() and killed.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    resumed = _start(tmp_path / "killed", "resume=auto")
    for process in (whole, resumed):
        output, _ = process.communicate(timeout=110)
        assert process.returncode == 0, output
    first, second = (checkpoints.load(tmp_path / name / "checkpoints" / "last.ckpt") for name in ("whole", "killed"))
    assert first["epoch"] == second["epoch"] == 2
    for key, value in first["state_dict"].items():
        assert torch.equal(second["state_dict"][key], value), key
    grids = [(tmp_path / name / "plots" / "samples" / "epoch_0003.png").read_bytes() for name in ("whole", "killed")]
    assert grids[0] == grids[1]
    kept, again = record.read(tmp_path / "whole"), record.read(tmp_path / "killed")
    assert kept.metrics["test/fid_domain"] == again.metrics["test/fid_domain"]
    assert kept.metrics["test/samples"] == 32
    assert kept.metrics["train/steps"] == 12
    assert kept.metric_info["test/fid_domain"]["direction"] == "lower"
    drawn = {path.name for path in (tmp_path / "whole" / "plots").iterdir()}
    assert [*kept.pictures] == [f"plots/{name}.png" for name in ("samples", "neighbours", "scores", "curves")]
    assert {"curves.png", "neighbours.png", "scores.png"} <= drawn
    with (tmp_path / "whole" / "metrics.csv").open() as file:
        header = set(next(csv.reader(file)))
    assert {"train/loss_discriminator", "train/loss_generator", "train/latent_shift", "val/fid_domain"} <= header
