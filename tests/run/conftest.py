"""Runs of a tiny model, in this process or in one of their own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hydra.core.global_hydra import GlobalHydra

from retable.run.command_line import main
from retable.run.configuration import check_run

ROOT = Path(__file__).parents[2]
TINY = [f"papers={Path(__file__).parent}", "model=tiny", "data=tiny", "trainer=cpu"]
QUICK = ["logger=csv", "trainer.enable_progress_bar=false", "trainer.max_epochs=3", "trainer.log_every_n_steps=2"]


@pytest.fixture
def train_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., int]:
    """Calls the command line of train.py in this process and returns its exit code."""

    def call(*words: str) -> int:
        from retable.run.train import train

        monkeypatch.chdir(tmp_path)
        flags = [word for word in words if word.startswith("-")]  # argparse wants them first
        rest = [word for word in words if not word.startswith("-")]
        monkeypatch.setattr(sys, "argv", [str(ROOT / "train.py"), *flags, *TINY, *QUICK, *rest])
        GlobalHydra.instance().clear()
        try:
            main(train, "train", "", check=check_run)
        except SystemExit as end:
            return int(end.code or 0)
        return 0

    return call


@pytest.fixture
def start_train(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Starts train.py with the tiny model in a process of its own."""

    def start(*words: str, script: str = "train.py") -> subprocess.Popen[str]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        environment.pop("WANDB_API_KEY", None)
        return subprocess.Popen(
            [sys.executable, str(ROOT / script), *TINY, *QUICK, *words],
            cwd=tmp_path, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    return start
