"""Trainings in processes of their own: two that share a batch, and one that is killed and resumed."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from retable.run import checkpoints, record

ROOT = Path(__file__).parents[4]
SECONDS = 1200  # of a process that hangs
RUN = (
    "model=logan", "data=cars", "budget=smoke", "trainer=cpu", "logger=csv", "model/fidelity=domain", "data.count=32",
    "data.batch_size=8", "trainer.max_epochs=3", "trainer.enable_progress_bar=false", "model.ema_decay=0.9",
)  # fmt: skip
SCRIPT = """
import json, os, signal, sys, time, traceback
from pathlib import Path

import torch
from pytorch_lightning.callbacks import Callback
from retable.commands import train
from tests.papers.cars.training.tiny import TinyImages, tiny_gan, tiny_latent, tiny_trainer
import retable.run.train  # all imports once, before the processes part

FOLDER, SECONDS, RUN = Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]

class Keep(Callback):
    def __init__(self, path):
        self.path = path
    def on_train_end(self, trainer, model):
        kept = {"state": model.state_dict(), "metrics": dict(trainer.callback_metrics)}
        torch.save(kept, f"{self.path}-{trainer.world_size}-{trainer.global_rank}.pt")

def alone_and_by_two():
    for name, options in {"latent": {"latent": tiny_latent()}, "turns": {"bidirectional": True}}.items():
        for several in ({}, {"strategy": "ddp_fork", "devices": 2}):
            model = tiny_gan(ema_decay=0.9, gradient_clip=0.5, **options)
            tiny_trainer(FOLDER, 2, callbacks=[Keep(FOLDER / name)], **several).fit(model, TinyImages())

def run(name, *words):
    sys.argv = ["train.py", *RUN, f"hydra.run.dir={FOLDER / name}", *words]
    train.main()

def start(task, *arguments):
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        task(*arguments)
        code = 0
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    os._exit(code)

def end(process):
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])

killed, whole = start(run, "killed"), start(run, "whole")
until = time.monotonic() + SECONDS
while not (FOLDER / "killed/checkpoints/last.ckpt").exists() and time.monotonic() < until:
    time.sleep(0.02)
os.kill(killed, signal.SIGKILL)
codes = {"killed": end(killed), "resumed": end(start(run, "killed", "resume=auto")), "whole": end(whole)}
codes["two"] = end(start(alone_and_by_two))
(FOLDER / "codes.json").write_text(json.dumps(codes))
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What all of them have left."""
    folder = tmp_path_factory.mktemp("processes")
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder), str(SECONDS / 2), *RUN], text=True, capture_output=True,
        timeout=SECONDS, check=False, env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": path},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    codes = json.loads((folder / "codes.json").read_text())
    assert codes.pop("killed") in (-9, 0)  # 0 where it came to its end between two looks at its checkpoint
    assert set(codes.values()) == {0}, done.stdout + done.stderr
    return folder


def test_two_processes_train_as_one(folder: Path) -> None:
    for kind in ("latent", "turns"):
        one, first, second = (torch.load(folder / f"{kind}-{name}.pt") for name in ("1-0", "2-0", "2-1"))
        for key, value in first["state"].items():
            assert torch.equal(second["state"][key], value), key
            torch.testing.assert_close(value, one["state"][key], rtol=1e-3, atol=2e-5, msg=key)
        for name in ("train/loss_discriminator", "train/loss_generator"):
            torch.testing.assert_close(first["metrics"][name], one["metrics"][name], rtol=1e-4, atol=1e-5)
            assert torch.equal(first["metrics"][name], second["metrics"][name])


def test_a_run_that_was_killed_ends_as_the_uninterrupted_one(folder: Path) -> None:
    first, second = (checkpoints.load(folder / name / "checkpoints" / "last.ckpt") for name in ("whole", "killed"))
    assert first["epoch"] == second["epoch"] == 2
    for key, value in first["state_dict"].items():
        assert torch.equal(second["state_dict"][key], value), key
    grids = [(folder / name / "plots" / "samples" / "epoch_0003.png").read_bytes() for name in ("whole", "killed")]
    assert grids[0] == grids[1]
    kept, again = record.read(folder / "whole"), record.read(folder / "killed")
    assert kept.metrics["test/fid_domain"] == again.metrics["test/fid_domain"]
    assert kept.metrics["test/samples"] == 32
    assert kept.metrics["train/steps"] == 12
    assert kept.metric_info["test/fid_domain"]["direction"] == "lower"
    drawn = {path.name for path in (folder / "whole" / "plots").iterdir()}
    assert [*kept.pictures] == [f"plots/{name}.png" for name in ("samples", "neighbours", "scores", "curves")]
    assert {"curves.png", "neighbours.png", "scores.png"} <= drawn
    with (folder / "whole" / "metrics.csv").open() as file:
        header = set(next(csv.reader(file)))
    assert {"train/loss_discriminator", "train/loss_generator", "train/latent_shift", "val/fid_domain"} <= header
