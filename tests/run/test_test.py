"""test.py and export.py on a run of the tiny model."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hydra.core.global_hydra import GlobalHydra

from retable.commands import export, test
from retable.run import record

pytestmark = pytest.mark.slow  # it trains, or starts processes of its own


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Calls an entry point in this process; returns its exit code and what it told on standard error."""

    def run(module: object, *words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["program.py", *words])
        monkeypatch.setenv("RETABLE_PAPERS", str(Path(__file__).parent))
        GlobalHydra.instance().clear()
        try:
            module.main()  # type: ignore[attr-defined]
        except SystemExit as end:
            return int(end.code or 0), capsys.readouterr().err
        return 0, capsys.readouterr().err

    return run


@pytest.fixture
def run(train_here: Callable[..., int], tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    assert train_here(f"hydra.run.dir={folder}") == 0
    return folder


def the_record(folder: Path) -> record.Record:
    (found,) = (folder / "tests").iterdir()
    return record.read(found)


def test_a_test_of_a_run_gives_its_metric_again(run: Path, call: Callable[..., tuple[int, str]]) -> None:
    assert call(test, f"run={run}", "accelerator=cpu") == (0, "")
    found, trained = the_record(run), record.read(run)
    assert found.metrics["test/error"] == trained.metrics["test/error"]
    assert found.trained is not None
    assert found.trained["config_hash"] == trained.config_hash == found.config_hash
    assert found.trained["data"] == found.data == trained.data
    assert found.checkpoints == {"tested": "checkpoints/best.ckpt"}


def test_another_split_other_weights_other_data(run: Path, call: Callable[..., tuple[int, str]]) -> None:
    assert call(test, f"run={run}", "accelerator=cpu", "split=val", "data.batch_size=4", "checkpoint=last") == (0, "")
    found = the_record(run)
    assert "val/error" in found.metrics
    assert found.data["tested_split"] == "val"
    assert found.config["data"]["batch_size"] == 4
    assert found.checkpoints == {"tested": "checkpoints/last.ckpt"}
    assert found.overrides[-1] == "data.batch_size=4"


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["model.width=4"], 2, "model.width: it acts in training, so a test cannot change it from 8"),
        (["seed=3"], 2, "seed: it acts in training"),
        (["data.btch_size=4"], 2, "data.btch_size: there is no such key; did you mean data.batch_size?"),
        (["split=train"], 2, "split: 'train' is not one of test, val"),
    ],
)
def test_what_a_test_cannot_change_is_told(
    run: Path, call: Callable[..., tuple[int, str]], words: list[str], code: int, told: str
) -> None:
    found, error = call(test, f"run={run}", "accelerator=cpu", *words)
    assert found == code
    assert told in error


def test_a_folder_without_a_record_is_told(tmp_path: Path, call: Callable[..., tuple[int, str]]) -> None:
    assert call(test, f"run={tmp_path}") == (3, f"error: {tmp_path}: not a finished run, it has no record.json\n")


def test_an_exported_network_is_the_trained_one(run: Path, call: Callable[..., tuple[int, str]]) -> None:
    assert call(export, f"run={run}")[0] == 0
    program = torch.export.load(run / "network.pt2").module()
    about = json.loads((run / "network.json").read_text())
    assert about["input"] == ["batch", 4]
    assert about["outputs"] == [["batch", 1]]
    images = torch.randn(5, 4, generator=torch.Generator().manual_seed(1))
    from retable.run.predict import load_run

    model, _ = load_run(run)
    with torch.no_grad():
        torch.testing.assert_close(program(images), model.network(images))
