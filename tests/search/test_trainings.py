"""Searches over real trainings: sweep.py and a W&B agent, both with the tiny model."""

import csv
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tests.search.conftest import ROOT, Start

from retable.run import record
from retable.run.command_line import compose

TINY = [f"hydra.searchpath=[file://{ROOT / 'tests/run/conf'}]", "model=tiny", "data=tiny", "trainer=cpu"]
QUICK = ["trainer.max_epochs=2", "trainer.enable_progress_bar=false"]

pytestmark = pytest.mark.slow


def test_searches_a_real_training(start: Start, tmp_path: Path) -> None:
    space = ["space.model.lr=choice(0.05,1e6)", "sampler._target_=tests.search.samplers.InTurn"]
    process = start(*TINY, *QUICK, *space, "logger=csv", "n_trials=2", "outputs=out", "engine.workers=1")
    output, _ = process.communicate()
    assert process.returncode == 0, output
    (folder,) = (tmp_path / "out/sweeps").iterdir()
    assert folder.name.startswith("tiny-tiny-")
    with (folder / "trials.csv").open(newline="") as file:
        good, bad = csv.DictReader(file)
    kept = record.read(folder / "trials/0")
    assert (good["state"], bad["state"]) == ("complete", "failed")
    assert float(good["val/error"]) == kept.checkpoints["best_score"]  # of the weights that were kept, not of the test
    assert float(good["val/error"]) != kept.metrics["test/error"]
    assert good["epochs"] == "2"
    assert bad["reason"].startswith("the training diverged (exit code 5): the loss is not finite")
    command = next(line for line in output.splitlines() if line.startswith("python "))
    words = shlex.split(command)
    assert words[:2] == ["python", "train.py"]
    config = compose("train", words[2:])
    assert config.model.lr == 0.05
    assert kept.config["trainer"]["max_epochs"] == config.trainer.max_epochs == 2


def test_a_wandb_agent_drives_train_py(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = yaml.safe_load((ROOT / "docs/wandb-sweep.yaml").read_text())
    assert set(sweep["parameters"]) >= {"model", "data", "model.lr"}
    assert "docs/wandb-sweep.yaml" in (ROOT / "docs/search.md").read_text()
    # what W&B's server would choose, with the tiny model; all else is the agent's own code and the file's command
    chosen = [*TINY, *QUICK, "logger.mode=offline", "model.lr=0.0123", f"outputs={tmp_path / 'out'}"]
    arguments = {key: {"value": value} for key, value in (word.split("=", 1) for word in chosen)}
    command = {"run_id": "sweeprun", "program": sweep["program"], "args": arguments}
    agent = (
        "import json, sys; from wandb.wandb_agent import Agent\n"
        "command, sweep = map(json.loads, sys.argv[1:])\n"
        "agent = Agent(None, None, sweep_id='abc')\n"
        "agent._sweep_command = sweep['command']\n"
        "agent._command_run(command)\n"
        "sys.exit(agent._run_processes['sweeprun'].wait())\n"
    )
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",  # the agent calls `python`
        "WANDB_DIR": str(tmp_path),
        "WANDB_SWEEP_ID": "abc",
        "OMP_NUM_THREADS": "1",
    }
    environment.pop("WANDB_API_KEY", None)
    run = subprocess.run(
        [sys.executable, "-c", agent, json.dumps(command), json.dumps(sweep)],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    (folder,) = (tmp_path / "out/runs/tiny-tiny").iterdir()
    kept = record.read(folder)
    assert kept.config["model"]["lr"] == 0.0123
    assert shlex.split(kept.command) == ["python", "train.py", *chosen]
    assert [path.name.split("-")[-1] for path in (folder / "wandb").glob("offline-run-*")] == ["sweeprun"]
