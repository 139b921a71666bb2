"""Curves: metrics.csv across a resumption, and W&B that never ends a run."""

import csv
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from retable.errors import ConfigError
from retable.run import record
from retable.run.loggers import CsvLogger, WandbLogger, build_loggers
from retable.run.schema import LoggerConfig, Mode

pytestmark = pytest.mark.slow  # it trains, or starts processes of its own

ROOT = Path(__file__).parents[2]


def _rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


def test_csv_replaces_what_a_resumed_run_logs_again(tmp_path: Path) -> None:
    first = CsvLogger(tmp_path)
    for step in (0, 2, 4, 6):
        first.log_metrics({"train/loss": step, "epoch": step // 4}, step)
    first.save()
    second = CsvLogger(tmp_path)
    second.log_metrics({"train/loss": 40.0, "epoch": 1}, 4)
    second.log_metrics({"val/x": 1.0, "epoch": 1}, 5)
    second.save()
    rows = _rows(tmp_path)
    assert [row["step"] for row in rows] == ["0", "2", "4", "5"]
    assert [row["train/loss"] for row in rows] == ["0.0", "2.0", "40.0", ""]
    assert rows[3]["val/x"] == "1.0"


class FakeRun:
    def __init__(self) -> None:
        self.logged: list[dict[str, Any]] = []
        self.summary: dict[str, Any] = {}
        self.finished = False

    def log(self, values: dict[str, Any]) -> None:
        self.logged.append(values)

    def finish(self) -> None:
        self.finished = True


def fake_wandb(monkeypatch: pytest.MonkeyPatch, init: Callable[..., Any]) -> None:
    fake = SimpleNamespace(init=init, Settings=lambda **_: None, Image=lambda path: f"image {path}")
    monkeypatch.setitem(sys.modules, "wandb", fake)


def _settings() -> dict[str, Any]:
    return {"mode": "offline", "project": "p"}


def test_the_id_that_a_wandb_agent_has_chosen_is_the_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WANDB_RUN_ID", "agents1")
    assert WandbLogger(tmp_path, _settings()).run_id == "agents1"


def test_wandb_gets_config_metrics_pictures_and_summary(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    run, calls = FakeRun(), []
    fake_wandb(monkeypatch, lambda **arguments: calls.append(arguments) or run)
    logger = WandbLogger(tmp_path, _settings())
    logger.start({"seed": 1})
    logger.log_metrics({"a": 1.0}, 3)
    logger.log_pictures({"curves": tmp_path / "curves.png"})
    logger.finish({"test/a": 2.0})
    assert calls[0]["id"] == logger.run_id == (tmp_path / "wandb_id.txt").read_text().strip()
    assert calls[0]["config"] == {"seed": 1}
    assert run.logged[0] == {"a": 1.0, "trainer/step": 3}
    assert run.logged[1] == {"curves": f"image {tmp_path / 'curves.png'}"}
    assert run.summary == {"test/a": 2.0}
    assert run.finished
    assert WandbLogger(tmp_path, _settings()).run_id == logger.run_id  # a resumed run keeps its id


@pytest.mark.parametrize("moment", ["init", "log", "summary", "finish"])
def test_wandb_failures_are_a_warning(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture, moment: str
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ConnectionError("no network")

    run = FakeRun()
    if moment == "summary":
        run.summary = SimpleNamespace(update=fail)  # type: ignore[assignment]
    elif moment != "init":
        setattr(run, moment, fail)
    fake_wandb(monkeypatch, fail if moment == "init" else lambda **_: run)
    logger = WandbLogger(tmp_path, _settings())
    logger.start({})
    logger.log_metrics({"a": 1.0}, 1)
    logger.finish({"b": 1.0})
    logger.log_metrics({"a": 1.0}, 2)
    assert logger.failed
    assert "W&B is left alone from here on: ConnectionError: no network" in caplog.text


def test_a_hanging_wandb_is_left_behind(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ended = threading.Event()
    fake_wandb(monkeypatch, lambda **_: ended.wait())
    logger = WandbLogger(tmp_path, _settings())
    logger.start({})
    logger.finish({}, seconds=0.2)  # would never return if it waited for W&B
    assert "left behind" in caplog.text
    ended.set()


def test_online_without_a_login_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setitem(sys.modules, "wandb", SimpleNamespace(api=SimpleNamespace(api_key=None)))
    with pytest.raises(ConfigError, match="wandb login"):
        build_loggers(LoggerConfig(wandb=True, mode=Mode.online), tmp_path, [])


def test_a_run_survives_a_broken_wandb(
    monkeypatch: pytest.MonkeyPatch, train_here: Callable[..., int], tmp_path: Path
) -> None:
    def fail(**_: Any) -> None:
        raise RuntimeError("service did not start")

    fake_wandb(monkeypatch, fail)
    finish, written = WandbLogger.finish, []

    def waits(logger: WandbLogger, *rest: Any) -> None:
        written.append(record.read(tmp_path / "run").wandb_id)
        finish(logger, *rest)

    monkeypatch.setattr(WandbLogger, "finish", waits)
    assert train_here("hydra.run.dir=run", "logger=wandb") == 0
    assert written == [record.read(tmp_path / "run").wandb_id], "the record is there before W&B is waited for"
    assert written[0]
