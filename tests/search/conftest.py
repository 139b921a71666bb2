"""Searches in processes of their own, mostly over a program that only looks like a training."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests import programs

ROOT = Path(__file__).parents[2]
DUMMY = [
    f"program={Path(__file__).parent / 'dummy.py'}", "metric=val/score", "direction=higher", "name=search",
    "outputs=out", "engine.workers=2",
]  # fmt: skip
LR = "space.model.lr=log(1e-4,1e-1)"

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Starts sweep.py; the keywords are what the dummy does."""

    def call(*words: str, **behaviour: Any) -> subprocess.Popen[str]:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "DUMMY": json.dumps(behaviour), "COLUMNS": "120"}
        return subprocess.Popen(
            [sys.executable, str(ROOT / "sweep.py"), *words],
            cwd=tmp_path, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    return call


@pytest.fixture
def search(tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Runs sweep.py over the dummy in this process and returns its exit code and output."""

    def call(*words: str, **behaviour: Any) -> tuple[int, str]:
        environment = {"OMP_NUM_THREADS": "1", "DUMMY": json.dumps(behaviour), "COLUMNS": "120"}
        return programs.call("sweep", *DUMMY, *words, folder=tmp_path, **environment)

    return call
