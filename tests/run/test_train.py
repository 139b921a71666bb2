"""One run from its command line to its record, with a tiny model."""

import csv
import errno
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.run.tiny import TinyModule

from retable.errors import ConfigError, DataError
from retable.metrics import image_results
from retable.metrics.image_results.classifications import ClassificationResults
from retable.run import checkpoints, interrupts, record

pytestmark = pytest.mark.slow  # it trains, or starts processes of its own

Train = Callable[..., int]
Start = Callable[..., subprocess.Popen[str]]


def test_leaves_a_finished_folder(train_here: Train, tmp_path: Path) -> None:
    assert train_here("hydra.run.dir=run", "seed=3") == 0
    folder = tmp_path / "run"
    assert {"record.json", "config.yaml", "metrics.csv", "checkpoints", "plots", "train.log"} <= {
        path.name for path in folder.iterdir()
    }
    assert not list(folder.rglob(".*"))  # no temporary files
    kept = record.read(folder)
    assert kept.seed == 3
    assert kept.choices["model"] == "tiny"
    assert kept.config["model"]["lr"] == 0.05
    assert kept.metrics["test/error"] == pytest.approx(kept.metrics["test/error"])
    assert 0 < kept.metrics["test/error"] < 4  # the plane's own variance
    assert kept.metric_info["test/error"] == {"unit": "squared", "direction": "lower"}
    assert kept.metrics["train/epochs"] == 3
    assert kept.metrics["train/steps"] == 12
    assert kept.data["fingerprint"] == "f0"
    assert kept.data["tested_split"] == "test"
    assert kept.model["parameters"] == 4 * 8 + 8 + 8 * 2 + 8 + 1
    assert kept.checkpoints["tested"] == "checkpoints/best.ckpt"
    with (folder / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows if row["val/error"]] == ["0", "1", "2"]


def test_what_was_found_in_each_image_is_kept(
    train_here: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = ClassificationResults(np.array([0, 1]), np.array([1, 1]), np.array(["a", "b"]), "x", "y")
    monkeypatch.setattr(TinyModule, "image_results", lambda self: kept, raising=False)
    assert train_here("hydra.run.dir=run") == 0
    assert image_results.load(tmp_path / "run" / "images.npz").metrics() == kept.metrics()


def test_tests_the_best_epoch(train_here: Train, tmp_path: Path) -> None:
    assert train_here("hydra.run.dir=run", "trainer.max_epochs=6", "model.lr=0.1") == 0
    kept = record.read(tmp_path / "run")
    with (tmp_path / "run" / "metrics.csv").open() as file:
        scores = [float(row["val/error"]) for row in csv.DictReader(file) if row["val/error"]]
    assert kept.checkpoints["best_epoch"] == scores.index(min(scores))
    assert kept.checkpoints["best_score"] == pytest.approx(min(scores))
    best = checkpoints.load(tmp_path / "run" / "checkpoints" / "best.ckpt")
    assert best["epoch"] == kept.checkpoints["best_epoch"]


def test_a_split_that_stands_in_for_test_keeps_its_name(train_here: Train, tmp_path: Path) -> None:
    assert train_here("hydra.run.dir=run", "data.test_name=val") == 0
    kept = record.read(tmp_path / "run")
    assert kept.data["tested_split"] == "val"
    assert not any(name.startswith("test/") for name in kept.metrics)
    assert kept.metrics["val/error"] > 0


def test_equal_seeds_give_equal_runs(train_here: Train, tmp_path: Path) -> None:
    for folder, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert train_here(f"hydra.run.dir={folder}", f"seed={seed}") == 0
    a, b, c = (record.read(tmp_path / name).metrics["test/error"] for name in "abc")
    assert a == b
    assert a != c


def test_refuses_a_folder_that_holds_a_run(train_here: Train, capsys: pytest.CaptureFixture[str]) -> None:
    assert train_here("hydra.run.dir=run") == 0
    assert train_here("hydra.run.dir=run") == 2
    assert "already holds a run; add resume=auto" in capsys.readouterr().err


def test_resuming_a_finished_run_leaves_it_alone(train_here: Train, tmp_path: Path) -> None:
    assert train_here("hydra.run.dir=run") == 0
    before = (tmp_path / "run" / "record.json").read_bytes()
    assert train_here("hydra.run.dir=run", "resume=auto") == 0
    assert (tmp_path / "run" / "record.json").read_bytes() == before


def test_resuming_with_other_settings_is_refused(train_here: Train, capsys: pytest.CaptureFixture[str]) -> None:
    assert train_here("hydra.run.dir=run") == 0
    assert train_here("hydra.run.dir=run", "resume=auto", "model.lr=0.01") == 2
    assert "run has 0.05, not 0.01; give another hydra.run.dir" in capsys.readouterr().err


def test_who_is_refused_a_folder_leaves_it_to_its_owner(
    train_here: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def held(folder: Path, refusal: str) -> None:
        (folder / "config.yaml").write_text("the owner's, written just now")
        raise ConfigError(refusal)

    monkeypatch.setattr("retable.run.train.alone", held)
    assert train_here("hydra.run.dir=run") == 2
    assert (tmp_path / "run" / "config.yaml").read_text() == "the owner's, written just now"


def test_a_run_that_is_refused_before_its_first_step_leaves_nothing(train_here: Train, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").touch()
    for where in ("hydra.run.dir=mine", "hydra.run.dir=new", "outputs=out"):
        assert train_here(where, "trainer.accelerator=gpu") == 2
    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*"))
    assert left == ["mine", "mine/notes.txt", "out", "out/runs"]


def test_a_finished_run_can_be_given_more_epochs(train_here: Train, tmp_path: Path) -> None:
    assert train_here("hydra.run.dir=run") == 0
    first = (tmp_path / "run" / "record.json").read_bytes()
    assert train_here("hydra.run.dir=run", "resume=auto", "trainer.max_epochs=2") == 2, "fewer are another run"
    assert train_here("hydra.run.dir=run", "resume=auto", "trainer.max_epochs=5", "seed=4") == 2
    assert train_here("hydra.run.dir=run", "resume=auto", "trainer.max_epochs=5") == 0
    assert train_here("hydra.run.dir=run", "resume=auto", "trainer.max_epochs=5") == 0
    found = record.read(tmp_path / "run")
    assert (found.extended, found.resumed, found.metrics["train/epochs"]) == ([3], 1, 5)
    assert found.config["trainer"]["max_epochs"] == 5
    assert (tmp_path / "run" / "record-3.json").read_bytes() == first


def test_an_interrupted_run_goes_on_with_the_same_data_only(
    train_here: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train_here("hydra.run.dir=run", "model.nan_at_step=6") == 5
    kept = tmp_path / "run" / "data.json"
    changed = json.loads(kept.read_text())
    for content in ({**changed, "fingerprint": "other"}, {**changed, "splits": {}}, [], None):
        kept.write_text("torn" if content is None else json.dumps(content))
        assert train_here("hydra.run.dir=run", "model.nan_at_step=6", "resume=auto") == 3
        assert "another hydra.run.dir" in capsys.readouterr().err


@pytest.mark.parametrize("seconds", [0.3, 1.5])
def test_killed_and_resumed_run_equals_the_uninterrupted_one(
    start_train: Start, train_here: Train, tmp_path: Path, capsys: pytest.CaptureFixture[str], seconds: float
) -> None:
    # a loader worker fetches ahead, which is where a resumed run could take samples of a wrong epoch
    words = ["trainer.max_epochs=8", "model.seconds_per_step=0.06", "data.workers=1"]
    assert train_here("hydra.run.dir=whole", *words) == 0
    process = start_train("hydra.run.dir=killed", *words)
    last = tmp_path / "killed" / "checkpoints" / "last.ckpt"
    deadline = time.monotonic() + 900
    while not last.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert train_here("hydra.run.dir=killed", "resume=auto", *words) == 2, "two processes in one folder"
    assert f"is in use; wait for that run, or give another folder (process {process.pid} on" in capsys.readouterr().err
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (tmp_path / "killed" / "record.json").exists()
    assert train_here("hydra.run.dir=killed", "resume=auto", *words) == 0
    whole, killed = record.read(tmp_path / "whole"), record.read(tmp_path / "killed")
    assert killed.resumed == 1
    assert killed.metrics["test/error"] == whole.metrics["test/error"]
    assert killed.checkpoints == whole.checkpoints
    assert killed.wall_seconds > 0
    curves = [(tmp_path / name / "metrics.csv").read_text() for name in ("whole", "killed")]
    assert curves[0] == curves[1]


@pytest.mark.parametrize("number", interrupts.SIGNALS)
def test_each_way_of_asking_to_stop_ends_a_run_alike(
    train_here: Train,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    number: signal.Signals,
) -> None:
    step = TinyModule.training_step

    def asked(module: TinyModule, *rest: Any) -> Any:
        if module.global_step == 5:
            os.kill(os.getpid(), number)
        return step(module, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(TinyModule, "training_step", asked)
        assert train_here("hydra.run.dir=run") == 128 + number
    assert capsys.readouterr().err.endswith(
        "error: interrupted; the same command with resume=auto goes on from the last epoch\n"
    )
    assert not (tmp_path / "run" / "record.json").exists()
    assert train_here("hydra.run.dir=run", "resume=auto") == 0
    assert record.read(tmp_path / "run").resumed == 1


def test_a_signal_to_the_whole_group_is_an_interruption_as_well(
    train_here: Train, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def asked(module: TinyModule, *_: Any) -> Any:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        except KeyboardInterrupt as error:
            raise RuntimeError("DataLoader worker (pid 1) is killed by signal: Terminated.") from error

    monkeypatch.setattr(TinyModule, "training_step", asked)
    assert train_here("hydra.run.dir=run") == 128 + signal.SIGTERM
    assert capsys.readouterr().err.startswith("error: interrupted; the same command with resume=auto")


def test_resume_finds_the_unfinished_run_of_the_same_configuration(train_here: Train, tmp_path: Path) -> None:
    assert train_here("model.nan_at_step=6", "outputs=out") == 5
    folders = list((tmp_path / "out" / "runs" / "tiny-tiny").iterdir())
    assert len(folders) == 1
    assert (folders[0] / "checkpoints" / "last.ckpt").exists()
    assert train_here("model.nan_at_step=6", "outputs=out", "resume=auto") == 5
    assert train_here("outputs=out", "resume=auto") == 0  # another configuration: another folder
    assert len(list((tmp_path / "out" / "runs" / "tiny-tiny").iterdir())) == 2


def test_divergence_ends_without_a_record(
    train_here: Train, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train_here("hydra.run.dir=run", "model.nan_at_step=5") == 5
    assert "not finite at step 5" in capsys.readouterr().err
    assert not (tmp_path / "run" / "record.json").exists()


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), RuntimeError("write failed")])
def test_full_disk_leaves_no_half_checkpoint(
    train_here: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    error: Exception,
) -> None:  # fmt: skip
    def save(checkpoint: object, path: Path) -> None:
        path.write_bytes(b"half")
        raise error

    monkeypatch.setattr(torch, "save", save)
    assert train_here("hydra.run.dir=run") == 6
    assert "cannot write the checkpoint" in capsys.readouterr().err
    assert not list((tmp_path / "run" / "checkpoints").iterdir())


def test_fast_dev_run_writes_no_record(train_here: Train, tmp_path: Path) -> None:
    assert train_here("hydra.run.dir=run", "trainer.fast_dev_run=true") == 0
    assert not (tmp_path / "run" / "record.json").exists()


def test_ema_is_what_gets_tested(train_here: Train, tmp_path: Path) -> None:
    assert train_here("hydra.run.dir=plain", "trainer.max_epochs=2") == 0
    assert train_here("hydra.run.dir=ema", "trainer.max_epochs=2", "callbacks=ema") == 0
    plain, ema = (record.read(tmp_path / name).metrics["test/error"] for name in ("plain", "ema"))
    assert plain != ema


def test_early_stopping_uses_the_models_own_metric(train_here: Train, tmp_path: Path) -> None:
    words = ("trainer.max_epochs=60", "callbacks=early_stopping", "callbacks.early_stopping.patience=2", "model.lr=0.1")
    assert train_here("hydra.run.dir=run", *words) == 0
    assert record.read(tmp_path / "run").metrics["train/epochs"] < 60


def test_compile_keeps_the_weights_names(train_here: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = []
    monkeypatch.setattr(torch.nn.Module, "compile", lambda self, *a, **k: compiled.append(type(self)))
    assert train_here("hydra.run.dir=run", "compile=true") == 0
    assert compiled == [torch.nn.Sequential]


def test_multirun_runs_each_value(train_here: Train, tmp_path: Path) -> None:
    assert train_here("-m", "model.lr=0.1,0.01", "outputs=out") == 0
    found = sorted((tmp_path / "out" / "sweeps").glob("*/*/record.json"))
    assert [json.loads(path.read_text())["config"]["model"]["lr"] for path in found] == [0.1, 0.01]


def test_multirun_refuses_ddp(train_here: Train, capsys: pytest.CaptureFixture[str]) -> None:
    assert train_here("-m", "model.lr=0.1,0.01", "trainer.strategy=ddp", "trainer.devices=2") == 2
    assert "ddp does not work under -m" in capsys.readouterr().err


def test_multirun_goes_on_after_a_failure_and_reports_it(train_here: Train, tmp_path: Path) -> None:
    assert train_here("-m", "model.nan_at_step=2,-1", "outputs=out") == 5
    assert len(list((tmp_path / "out" / "sweeps").glob("*/1/record.json"))) == 1


def test_two_processes_give_the_metrics_of_one(start_train: Start, train_here: Train, tmp_path: Path) -> None:
    # dropout draws per process, so it is the one thing that must be off
    words = ("trainer.max_epochs=3", "model.lr=0.02", "model.dropout=0.0")
    process = start_train("hydra.run.dir=two", "trainer=ddp", "trainer.accelerator=cpu", *words, script="train.py")
    output, _ = process.communicate()
    assert process.returncode == 0, output
    two = record.read(tmp_path / "two")
    assert two.devices["count"] == 2
    assert train_here("hydra.run.dir=one", *words) == 0
    one = record.read(tmp_path / "one")
    assert one.config_hash == two.config_hash
    assert one.metrics["train/steps"] == two.metrics["train/steps"]
    assert two.metrics["test/error"] == pytest.approx(one.metrics["test/error"], rel=1e-5)
    first, second = (checkpoints.load(tmp_path / name / "checkpoints" / "last.ckpt") for name in ("one", "two"))
    for name, weight in first["state_dict"].items():  # running statistics of batch normalisation among them
        torch.testing.assert_close(second["state_dict"][name], weight, rtol=1e-4, atol=1e-6)


def test_records_are_checked(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not a finished run"):
        record.read(tmp_path)
    (tmp_path / "record.json").write_text('{"schema": 1, "met')
    with pytest.raises(DataError, match="damaged"):
        record.read(tmp_path)
    (tmp_path / "record.json").write_text('{"schema": 0}')
    with pytest.raises(DataError, match="not a record of schema 1"):
        record.read(tmp_path)
