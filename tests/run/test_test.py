"""test.py and export.py on a run of the tiny model."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hydra.core.global_hydra import GlobalHydra
from tests.run.test_loggers import FakeRun, fake_wandb

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


_TRAINED: list[Path] = []


@pytest.fixture
def run(train_here: Callable[..., int], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of its own for each test, trained once for all of them."""
    if not _TRAINED:
        folder = tmp_path_factory.mktemp("trained") / "run"
        assert train_here(f"hydra.run.dir={folder}") == 0
        _TRAINED.append(folder)
    return Path(shutil.copytree(_TRAINED[0], tmp_path / "run"))


def the_record(folder: Path) -> record.Record:
    (found,) = (folder / "tests").iterdir()
    return record.read(found)


def test_a_test_of_a_run_gives_its_metric_again(run: Path, call: Callable[..., tuple[int, str]]) -> None:
    assert call(test, f"run={run}", "accelerator=cpu") == (0, "")
    found, trained = the_record(run), record.read(run)
    assert found.metrics["test/error"] == trained.metrics["test/error"]
    assert found.trained is not None
    assert found.trained["config_hash"] == trained.config_hash != found.config_hash
    assert found.trained["finished"] == trained.finished
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


def test_several_runs_end_in_one_table(
    run: Path, call: Callable[..., tuple[int, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "an, other"
    shutil.copytree(run, other)
    shown: list[dict[str, record.Record]] = []
    monkeypatch.setattr("retable.run.report.compare", shown.append)
    assert call(test, f"run=[{run},'{other}']", "accelerator=cpu", "split=val") == (0, "")
    assert {name: found.metrics["val/error"] for name, found in shown[0].items()} == {
        "run": the_record(run).metrics["val/error"], "an, other": the_record(other).metrics["val/error"],
    }  # fmt: skip
    (other / "record.json").unlink()
    assert call(test, f"run={run},{tmp_path}", "accelerator=cpu", "checkpoint=last")[0] == 3
    assert len(list((run / "tests").iterdir())) == 1, "all runs are looked at before the first is evaluated"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["run=a"], ["run=[a]"]),
        (["run=a,b c"], ["run=[a,'b c']"]),
        (["run=[a,b]", "split=val"], ["run=[a,b]", "split=val"]),
        (["run=a", "data=ssdd", "data.root=/x y"], ["run=[a]", "overrides=['data=ssdd','data.root=/x y']"]),
    ],
)
def test_words_in_hydras_grammar(given: list[str], expected: list[str]) -> None:
    assert test.words(given) == expected


def test_a_folder_of_its_own_for_the_test_of_one_run(
    run: Path, call: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    assert call(test, f"run={run}", "accelerator=cpu", "test_checkpoint=last", f"output={tmp_path / 'x y'}") == (0, "")
    found = record.read(tmp_path / "x y")
    assert found.checkpoints == {"tested": "checkpoints/last.ckpt"}
    assert not (run / "tests").exists()
    code, told = call(test, f"run={run},{run}", f"output={tmp_path / 'z'}")
    assert (code, "one folder cannot hold the tests of several runs" in told) == (2, True)


def test_the_same_test_on_other_files_is_another_one(
    run: Path, call: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        assert call(test, f"run={run}", "accelerator=cpu", f"data.root={tmp_path / name}") == (0, "")
    assert len(list((run / "tests").iterdir())) == 2


def test_weights_and_biases_as_the_run_has_it(
    run: Path, call: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    logged, calls = FakeRun(), []
    fake_wandb(monkeypatch, lambda **arguments: calls.append(arguments) or logged)
    kept = json.loads((run / "record.json").read_text())
    (run / "record.json").write_text(json.dumps({**kept, "overrides": [*kept["overrides"], "logger=wandb"]}))
    assert call(test, f"run={run}", "accelerator=cpu") == (0, "")
    found = the_record(run)
    assert (calls[0]["id"], calls[0]["job_type"], calls[0]["mode"]) == (found.wandb_id, "test", "offline")
    assert logged.summary["test/error"] == found.metrics["test/error"]


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


def test_a_default_that_changed_since_the_training_stays_as_trained(
    run: Path, tmp_path: Path, call: Callable[..., tuple[int, str]]
) -> None:
    kept = json.loads((run / "record.json").read_text())
    key = next(key for key, value in kept["config"]["model"].items() if isinstance(value, float))
    kept["config"]["model"][key] *= 0.5  # as if the default had been another one
    older = shutil.copytree(run, tmp_path / "older")
    (older / "record.json").write_text(json.dumps(kept))
    assert call(test, f"run={older}")[0] == 0
    (tested,) = (older / "tests").iterdir()
    assert record.read(tested).config["model"][key] == kept["config"]["model"][key]


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
