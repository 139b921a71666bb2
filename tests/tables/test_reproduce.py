"""reproduce.py as a user calls it, with a dummy in the place of train.py."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests import programs

from retable.tables.reproduce import words

pytestmark = pytest.mark.slow  # it trains, or starts processes of its own

ROOT = Path(__file__).parents[2]
TABLE = """\
title: A title
source: Somebody, "A paper", Table I
base: model=larsd data=hrsd
metric: ap50_voc07
scale: 100
rows:
  None: model.lasa=none
  Five: model.lasa=diamond-5
  Nine: model.lasa=diamond-9
  Rival: {not_available: no model yet}
columns:
  AP: ""
  Again: model.levels=[P2]
printed:
  None: {AP: 80.5, Again: 70}
  Rival: {AP: 12.3}
claims:
  - Five > None
"""
Start = Callable[..., "subprocess.Popen[str]"]
Call = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Starts reproduce.py in an empty folder with the table above as demo/1."""
    path = tmp_path / "experiments" / "demo" / "table1.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(TABLE)

    def begin(*given: str, outputs: str = "outputs", wandb: str = "none", **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, str(ROOT / "reproduce.py"), *given, *own_words(tmp_path, outputs, wandb)],
            cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "160", **environment},
        )  # fmt: skip

    return begin


@pytest.fixture
def call(start: Start, tmp_path: Path) -> Call:
    """Runs reproduce.py to its end, in this process; with W&B, which stays until the end, in one of its own."""

    def run(
        *given: str, outputs: str = "outputs", wandb: str = "none", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        if wandb != "none":
            process = start(*given, outputs=outputs, wandb=wandb, **environment)
            output, _ = process.communicate()
            return subprocess.CompletedProcess(given, process.returncode, output)
        code, output = programs.call(
            "reproduce", *given, *own_words(tmp_path, outputs, wandb), folder=tmp_path, COLUMNS="160", **environment
        )
        return subprocess.CompletedProcess(given, code, output)

    return run


def own_words(folder: Path, outputs: str, wandb: str) -> list[str]:
    own = [f"papers={folder}", f"program={ROOT / 'tests' / 'tables' / 'dummy.py'}"]
    return [*own, f"wandb={wandb}", f"outputs={folder / outputs}"]


@pytest.fixture
def no_other_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves out the built-in tables and larger budgets, so that they need not be composed."""
    monkeypatch.setattr("retable.run.places.EXPERIMENTS", tmp_path / "builtin")
    monkeypatch.setattr("retable.tables.reproduce.BUDGETS", ("smoke",))


def records(tmp_path: Path, outputs: str = "outputs") -> list[Path]:
    return sorted((tmp_path / outputs / "cells").glob("*/record.json"))


def test_a_table_from_nothing_to_its_report(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    builtin = tmp_path / "builtin" / "larsd"  # one of them; all are composed in test_experiments.py
    shutil.copytree(ROOT / "experiments" / "larsd", builtin, ignore=lambda _, names: [n for n in names if "2" not in n])
    monkeypatch.setattr("retable.run.places.EXPERIMENTS", builtin.parent)
    listed = call()
    assert listed.returncode == 0
    assert "demo/1" in listed.stdout
    assert "0/6" in listed.stdout
    done = call("table=demo/1", "budget=smoke")
    assert done.returncode == 0, done.stdout
    assert len(records(tmp_path)) == 6
    folder = tmp_path / "outputs" / "tables" / "demo" / "1" / "smoke"
    reports = ["cells.csv", "report.html", "report.md", "report.tex"]
    assert sorted(path.name for path in folder.iterdir()) == [*reports, "standing.json"]
    assert "inconclusive" in done.stdout
    stamps = [path.stat().st_mtime_ns for path in records(tmp_path)]
    again = call("table=demo/1", "budget=smoke")
    assert again.returncode == 0
    assert [path.stat().st_mtime_ns for path in records(tmp_path)] == stamps, "what is done is not run again"
    assert "6/6" in call().stdout


def test_a_finished_table_is_logged_to_wandb_once(call: Call, tmp_path: Path) -> None:
    runs = tmp_path / "outputs" / "wandb"
    for _ in range(2):
        done = call("table=demo/1", "budget=smoke", wandb="offline", WANDB_API_KEY="")
        assert done.returncode == 0, done.stdout
        assert len(list(runs.glob("offline-run-*"))) == 1
    tables = {path.name.partition("_")[0]: json.loads(path.read_text()) for path in runs.glob("*/files/media/table/*")}
    assert set(tables) == {"table", "claims"}
    assert ["None", "AP", "synthetic", 80.5] in [line[:4] for line in tables["table"]["data"]]
    assert tables["claims"]["data"][0][2] == "inconclusive"


def test_status_report_and_dry_run_start_nothing(call: Call, tmp_path: Path) -> None:
    status = call("status", "table=demo/1")
    assert status.returncode == 0, status.stdout
    assert "pending" in status.stdout
    assert not (tmp_path / "outputs" / "tables").exists()
    assert call("report", "table=demo/1").returncode == 0
    assert (tmp_path / "outputs" / "tables" / "demo" / "1" / "small" / "report.md").exists()
    printed = call("table=demo/1", "dry_run=true", "seeds=[4,5]")
    lines = [line for line in printed.stdout.splitlines() if "dummy.py" in line]
    assert len(lines) == 12
    assert all("seed=4" in line or "seed=5" in line for line in lines)
    assert not (tmp_path / "outputs" / "cells").exists()


@pytest.mark.usefixtures("no_other_tables")
def test_the_index_counts_the_cells_of_all_tables_as_they_were_asked_for(call: Call, tmp_path: Path) -> None:
    (tmp_path / "experiments" / "demo" / "table2.yaml").write_text(TABLE.replace("  Nine: model.lasa=diamond-9\n", ""))
    folder = tmp_path / "outputs" / "tables"
    path = folder / "index.md"
    nothing = call("report")
    assert nothing.returncode == 0, nothing.stdout
    assert f"{folder}/index.html" in nothing.stdout
    assert "Nothing has been run yet." in path.read_text()
    assert "`python reproduce.py table=demo/1 budget=smoke` runs one." in path.read_text()

    call("table=demo/1", "budget=smoke", "only=row:None,column:AP", "seeds=[1,5]")
    assert "| demo/1 | Table I | A title | smoke | 2 of 12 | 0 of 2 (2 inconclusive) |" in path.read_text()
    assert "| demo/2 | Table I | A title | not run yet |" in path.read_text()

    kept = folder / "demo" / "1" / "smoke" / "standing.json"
    kept.write_text(kept.read_text().replace('"done": 2', '"done": 1'))
    assert call("report").returncode == 0
    assert "| demo/1 | Table I | A title | smoke | 2 of 12 |" in path.read_text(), "counted again, for the same seeds"
    assert "| demo/2 | Table I | A title | smoke | 1 of 4 | " in path.read_text(), "it shares cells, and has no report"
    assert re.findall(r"\]\((.*?)\)", path.read_text()) == [f"demo/1/smoke/report.{form}" for form in ("html", "md")]

    kept.write_text(kept.read_text().replace('"overrides": ""', '"overrides": "model.lsaa=none"'))
    assert "warning: demo/1 under budget=smoke is as of its last report: " in call("report").stdout
    assert "| demo/1 | Table I | A title | smoke | 2 of 12 |" in path.read_text()


def test_rows_that_only_evaluate_run_after_their_trainings(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "experiments" / "demo" / "table1.yaml"
    path.write_text(TABLE.replace("Nine: model.lasa=diamond-9", "Nine: {of: None, overrides: model.lasa=diamond-9}"))
    done = call("table=demo/1", "budget=smoke", "only=row:Nine,column:AP", "engine.workers=1")
    assert done.returncode == 0, done.stdout
    trained, tested = sorted(records(tmp_path), key=lambda path: path.stat().st_mtime_ns)
    of = json.loads(tested.read_text())["trained"]
    assert of == {"run": trained.parent.name, "finished": json.loads(trained.read_text())["finished"]}
    status = call("status", "table=demo/1", "budget=smoke")
    assert len(records(tmp_path)) == 2, status.stdout
    assert call("table=demo/1", "budget=smoke", "select=own", "only=row:Nine,column:AP").returncode == 0
    assert len(records(tmp_path)) == 3, "a training of its own"
    printed = call("table=demo/1", "dry_run=true", "budget=smoke", "only=row:Nine,column:AP").stdout
    assert f"run={trained.parent} output={tested.parent} model.lasa=diamond-9" in printed


def test_seeds_are_added_once_by_a_plan_that_is_written_before(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "experiments" / "demo" / "table1.yaml"
    path.write_text(TABLE.replace("  Again: model.levels=[P2]\n", "").replace(", Again: 70", ""))
    words = ("table=demo/1", "budget=smoke", "seeds=3", "engine.workers=2", "add_seeds=auto")
    done = call(*words, "minutes=0.001", DUMMY_EFFECT="0.03")
    assert (done.returncode, len(records(tmp_path))) == (0, 9), done.stdout
    assert "0.001 more minutes would decide no open claim" in done.stdout
    folder = tmp_path / "outputs" / "tables" / "demo" / "1" / "smoke"
    assert not (folder / "second_look.json").exists(), "there is no time for it"
    done = call(*words, DUMMY_EFFECT="0.03")
    assert done.returncode == 0, done.stdout
    plan = json.loads((folder / "second_look.json").read_text())
    assert (plan["first"], plan["added"]) == ([1, 2, 3], [4, 5, 6])
    assert set(plan["cells"]) == {"None", "Five"}, "Nine is in no claim"
    assert len(records(tmp_path)) == 9 + 6, done.stdout
    assert "looked at twice" in (folder / "report.md").read_text()
    again = call(*words, DUMMY_EFFECT="0.03")
    assert "demo/1: its second look was planned on" in again.stdout
    assert json.loads((folder / "second_look.json").read_text()) == plan, "once"
    kept = json.loads((folder / "standing.json").read_text())
    assert (kept["asked"]["seeds"], kept["cells"]) == ([1, 2, 3], 9 + 6), "what the index counts again"


def test_only_some_cells(call: Call, tmp_path: Path) -> None:
    done = call("table=demo/1", "budget=smoke", "only=row:Five,row:Nine,column:AP", "seeds=2")
    assert done.returncode == 0, done.stdout
    assert len(records(tmp_path)) == 4


def test_rows_and_columns_of_ones_own(call: Call, tmp_path: Path) -> None:
    done = call(
        "table=demo/1", "budget=smoke", "rows.My idea=model.lasa=diamond-13", "columns.Small=data.image_size=64 seed=9"
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "My idea" in done.stdout
    text = (tmp_path / "outputs" / "tables" / "demo" / "1" / "smoke" / "report.md").read_text()
    assert "My idea" in text
    assert "Small" in text


def test_failed_cells_are_shown_and_do_not_stop_the_others(call: Call, tmp_path: Path) -> None:
    done = call("table=demo/1", "budget=smoke", DUMMY_FAILS="diamond-5")
    assert done.returncode == 7
    assert "a data error (exit code 3)" in done.stdout
    assert "| this is why" in done.stdout
    assert len(records(tmp_path)) == 4
    again = call("table=demo/1", "budget=smoke")
    assert again.returncode == 7, "what failed by itself is not tried again unasked"
    assert "not tried again" in again.stdout
    assert len(records(tmp_path)) == 4
    retried = call("table=demo/1", "budget=smoke", "retry=failed")
    assert retried.returncode == 0, retried.stdout
    assert len(records(tmp_path)) == 6


def test_ctrl_c_stops_the_cells_and_says_how_to_go_on(start: Start, call: Call, tmp_path: Path) -> None:
    process = start("table=demo/1", "budget=smoke", DUMMY_SECONDS="30")
    deadline = time.monotonic() + 300
    while not list((tmp_path / "outputs" / "cells").glob("*/lease.json")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate()
    assert process.returncode == 130
    assert "interrupted; the same command does what is missing" in output
    assert not list((tmp_path / "outputs" / "cells").glob("*/lease.json"))
    assert call("table=demo/1", "budget=smoke").returncode == 0
    assert len(records(tmp_path)) == 6


def test_two_at_once_share_the_work(start: Start, tmp_path: Path) -> None:
    both = [start("table=demo/1", "budget=smoke", "seeds=2", "engine.workers=2") for _ in range(2)]
    for process in both:
        output, _ = process.communicate()
        assert process.returncode == 0, output
    assert len(records(tmp_path)) == 12
    assert not list((tmp_path / "outputs" / "cells").glob("*/overlapped"))
    assert not list((tmp_path / "outputs" / "cells").glob("*/ran_again"))
    assert all((path.parent / "log.txt").read_text().count("working") == 1 for path in records(tmp_path))


def made_by_other_code(path: Path) -> Any:
    """Has a record tell of another module than that on the disk; returns what it holds."""
    values = {**json.loads(path.read_text()), "code": {"retable.errors": "0"}}
    path.write_text(json.dumps(values))
    return values


def test_broken_and_stale_records_are_told_and_done_again(call: Call, tmp_path: Path) -> None:
    call("table=demo/1", "budget=smoke")
    damaged, stale = records(tmp_path)[:2]
    damaged.write_text("{")
    made = made_by_other_code(stale)
    status = call("status", "table=demo/1", "budget=smoke")
    assert "damaged" in status.stdout
    assert re.search(r"1 stale cell, not done .*, seed 1; changed since then: retable\.errors", status.stdout)
    assert call("table=demo/1", "budget=smoke").returncode == 0
    assert json.loads((stale.parent / "stale" / "record.json").read_text()) == made
    assert json.loads(stale.read_text())["code"] == {}
    made_by_other_code(stale)
    done = call("table=demo/1", "budget=smoke", "stale=accept")
    assert "damaged" not in done.stdout
    assert "1 stale cell, kept by stale=accept: " in done.stdout
    assert json.loads(stale.read_text()) == made, "it was not run again"
    report = (tmp_path / "outputs/tables/demo/1/smoke/report.md").read_text()
    assert "1 stale cell, kept by stale=accept: " in report


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (["table=demo/2"], "table: there is no 'demo/2'; did you mean demo/1?"),
        (["table=demo/1", "budget=smol"], "budget: there is no 'smol'; did you mean smoke?"),
        (["table=demo/1", "only=row:Fife"], "only: there is no row 'Fife'; did you mean Five?"),
        (["table=demo/1", "only=Five"], "only: 'Five' is none of row:LABEL, column:LABEL, seed:N"),
        (["table=demo/1", "seeds=0"], "seeds: a number of seeds such as 3"),
        (["table=demo/1", "seed=3"], "seed: there is no such key; did you mean seeds?"),
        (["table=demo/1", "engine.worker=2"], "engine.worker: there is no such key; did you mean engine.workers?"),
        (["table=demo/1", "engine.workers=0"], "engine.workers=0: must be 1 or more"),
        (["table=demo/1", "rows.Mine=model.lsaa=none"], "row Mine: model.lsaa: there is no such key"),
        (["table=demo/1", "overrides=trainer.max_epochs"], "overrides: 'trainer.max_epochs' is no override"),
        (["table=demo/1", "retry=all"], "retry: 'all' is not one of"),
        (["status"], "table: name one"),
    ],
)
def test_mistakes_start_nothing(call: Call, tmp_path: Path, given: list[str], problem: str) -> None:
    done = call(*given)
    assert done.returncode == 2, done.stdout
    assert problem in done.stdout
    assert "Traceback" not in done.stdout
    assert not (tmp_path / "outputs" / "cells").exists()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("status", "action=status"),
        ("table=a/1,b/*", "table=[a/1,b/*]"),
        ("only=row:RoI Transformer", "only='row:RoI Transformer'"),
        ("seeds=1,5", "seeds=[1,5]"),
        ("seeds=[1,5]", "seeds=[1,5]"),
        ("columns.X y=data=a data.root=/b", "columns=['X y=data=a data.root=/b']"),
        ("overrides=a=b c='d e'", r"overrides='a=b c=\'d e\''"),
        ("budget=smoke", "budget=smoke"),
        ("--help", "--help"),
    ],
)
def test_words_in_hydras_grammar(given: str, expected: str) -> None:
    assert words([given]) == [expected]
