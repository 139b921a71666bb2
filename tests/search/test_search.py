"""Searches over a dummy program: resuming, killing, failing, pruning."""

import csv
import math
import os
import random
import shlex
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.search.conftest import DUMMY, LR, Start

from retable.errors import ConfigError
from retable.run.command_line import compose
from retable.search import request, study
from retable.search.request import divide

pytestmark = pytest.mark.slow  # it trains, or starts processes of its own

Run = Callable[..., tuple[int, str]]


def _trials(folder: Path) -> list[dict[str, str]]:
    with (folder / "out/sweeps/search/trials.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def _starts(folder: Path) -> list[int]:
    trials = sorted((folder / "out/sweeps/search/trials").iterdir(), key=lambda path: int(path.name))
    return [len((trial / "starts.txt").read_text().split()) for trial in trials]


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 1200
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_finds_the_best_and_adds_only_what_is_missing(search: Run, tmp_path: Path) -> None:
    code, output = search(LR, "n_trials=10")
    assert code == 0
    assert "10 complete, 0 pruned, 0 failed" in output
    trials = _trials(tmp_path)
    assert [int(trial["trial"]) for trial in trials] == list(range(10))
    best = max(trials, key=lambda trial: float(trial["val/score"]))
    rate = float(best["model.lr"])
    assert float(best["val/score"]) == pytest.approx(-((math.log10(rate) + 2.5) ** 2) - 0.25)  # of the last epoch
    command = next(line for line in output.splitlines() if line.startswith("python "))
    assert shlex.split(command)[2:] == ["seed=1", f"model.lr={best['model.lr']}"]
    pictures = [tmp_path / "out/sweeps/search" / name for name in ("history.png", "importance.png")]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in pictures)

    code, output = search(LR, "n_trials=13")
    assert code == 0
    assert output.count("complete: trial") == 3
    assert _trials(tmp_path)[:10] == trials
    assert _starts(tmp_path) == [1] * 13
    rates = {trial["model.lr"] for trial in _trials(tmp_path)}
    assert len(rates) == 13  # the sampler has not begun from the start again

    code, output = search(LR, "n_trials=13")
    assert code == 0
    assert "complete: trial" not in output
    assert _starts(tmp_path) == [1] * 13


@pytest.mark.parametrize("seed", range(2))
def test_a_search_that_is_killed_ends_with_every_trial_once(
    start: Start, search: Run, tmp_path: Path, seed: int
) -> None:
    generator = random.Random(seed)
    for _ in range(3):
        process = start(*DUMMY, LR, "n_trials=8", "pruning=false", seconds=0.1)
        journal = tmp_path / "out/sweeps/search/journal.log"
        before = journal.stat().st_size if journal.exists() else 0
        _wait_for(lambda: process.poll() is not None or (journal.exists() and journal.stat().st_size > before))  # noqa: B023
        time.sleep(generator.uniform(0, 1.5))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    code, output = search(LR, "n_trials=8", "pruning=false")
    assert code == 0
    assert "8 trials (8 complete, 0 pruned, 0 failed)" in output
    assert [int(trial["trial"]) for trial in _trials(tmp_path)] == list(range(8))
    for trial in (tmp_path / "out/sweeps/search/trials").iterdir():  # each epoch is there once, whoever trained it
        rows = (trial / "metrics.csv").read_text().splitlines()[1:]
        assert [row.split(",")[0] for row in rows] == ["0", "1", "2", "3"]


def test_a_trial_that_is_killed_goes_on(search: Run, tmp_path: Path) -> None:
    code, output = search(LR, "n_trials=2", killed_once=True)
    assert code == 0
    assert "2 complete, 0 pruned, 0 failed" in output
    assert _starts(tmp_path) == [2, 2]


def test_a_trial_that_is_killed_again_and_again_has_failed(start: Start, tmp_path: Path) -> None:
    process = start(*DUMMY, LR, "n_trials=1", "engine.workers=1", seconds=5)
    killed = 0
    log = tmp_path / "out/sweeps/search/trials/0/starts.txt"
    while killed < 3:
        _wait_for(lambda: log.exists() and len(log.read_text().split()) > killed)  # noqa: B023
        os.kill(int(log.read_text().split()[-1]), signal.SIGKILL)
        killed += 1
    output, _ = process.communicate()
    assert process.returncode == 7
    assert "killed by SIGKILL" in _trials(tmp_path)[0]["reason"]
    assert "error: all 1 trials failed" in output


def test_divergence_and_crashes_are_failures_that_stop_nothing(search: Run, tmp_path: Path) -> None:
    code, output = search(LR, "n_trials=12", "sampler.n_startup_trials=99", nan_above=2e-2, crash_below=4e-4)
    assert code == 0
    trials = _trials(tmp_path)
    for trial in trials:
        rate = float(trial["model.lr"])
        assert trial["state"] == ("failed" if rate > 2e-2 or rate < 4e-4 else "complete")
        if rate > 2e-2:
            assert trial["reason"] == "the training diverged (exit code 5): the loss is not finite at step 3"
        if rate < 4e-4:
            assert trial["reason"] == "an unexpected error (exit code 1)"
    count = Counter(trial["state"] for trial in trials)
    assert min(count.values()) >= 2
    assert f"{count['complete']} complete, 0 pruned, {count['failed']} failed" in output
    assert "importance.png: needs 10 complete trials" in output
    assert _starts(tmp_path) == [1] * 12


def test_says_when_all_have_failed(search: Run, tmp_path: Path) -> None:
    code, output = search(LR, "n_trials=3", nan_above=0.0)
    assert code == 7
    assert "error: all 3 trials failed (trials.csv says why)" in output
    assert "history.png: no trial is complete yet" in output
    assert [trial["state"] for trial in _trials(tmp_path)] == ["failed"] * 3


HOPELESS = "space.model.lr=choice(3e-3,4e-3,1e-9)"
IN_TURN = "sampler._target_=tests.search.samplers.InTurn"


def test_prunes_a_hopeless_trial_early(search: Run, tmp_path: Path) -> None:
    words = [HOPELESS, IN_TURN, "engine.workers=1", "trainer.max_epochs=25", "pruning.n_startup_trials=2", "n_trials=3"]
    code, output = search(*words, seconds=0.1)
    assert code == 0
    assert "2 complete, 1 pruned, 0 failed" in output
    pruned = _trials(tmp_path)[2]
    assert (pruned["model.lr"], pruned["state"]) == ("1e-9", "pruned")
    assert 2 <= int(pruned["epochs"]) < 20
    folder = tmp_path / "out/sweeps/search/trials/2"
    assert not (folder / "record.json").exists()
    assert not (folder / "failed.json").exists()

    code, output = search(*words, seconds=0.1)  # pruned is an end: it is not continued
    assert code == 0
    assert _starts(tmp_path) == [1, 1, 1]


def test_pruning_can_be_switched_off(search: Run) -> None:
    code, output = search(HOPELESS, IN_TURN, "pruning=false", "n_trials=7", seconds=0.3)
    assert code == 0
    assert "7 complete, 0 pruned, 0 failed" in output


def test_refuses_another_search_under_its_name(search: Run, tmp_path: Path) -> None:
    def kept(*words: str) -> tuple[str, str] | None:
        divided = divide([*DUMMY, f"outputs={tmp_path / 'out'}", *words])
        config = compose("sweep", list(divided.own))
        return study.read_goal(request.read(config, divided), config.metric, config.direction.name)

    assert search(LR, "n_trials=1")[0] == 0
    code, output = search(LR, "n_trials=2", "seed=3")
    assert code == 2
    assert output == "error: seed: the search search has 1, not 3; give another name=...\n"
    assert len(_trials(tmp_path)) == 1
    assert kept(LR, "n_trials=99", "engine.workers=1", "pruning=false") == ("val/score", "higher")
    for words, difference in (
        (["space.model.lr=log(1e-4,1)"], "space.model.lr: the search search has log(1e-4,1e-1), not log(1e-4,1)"),
        ([LR, "space.model.momentum=uniform(0,1)"], "model.momentum: the search search has 0.9, not none"),
        ([LR, "trainer.max_epochs=3"], "trainer.max_epochs: the search search has "),
        ([LR, "direction=lower"], "direction: the search search has higher, not lower"),
    ):
        with pytest.raises(ConfigError) as told:
            kept(*words)
        assert str(told.value).startswith(difference)


def test_refuses_a_second_process(start: Start, search: Run, tmp_path: Path) -> None:
    first = start(*DUMMY, LR, "n_trials=2", seconds=100)
    _wait_for(lambda: (tmp_path / "out/sweeps/search/trials/0").exists())
    code, output = search(LR, "n_trials=2")
    first.send_signal(signal.SIGTERM)
    first.communicate()
    assert code == 2
    assert output.startswith("error: name: another process is running the search search")
    assert first.returncode == 143


def test_refuses_a_metric_that_runs_do_not_log(search: Run) -> None:
    code, output = search(LR, "n_trials=9", metric="val/other")
    assert code == 2
    assert "has logged no val/score, but val/other" in output


def test_an_interrupt_leaves_what_can_be_continued(start: Start, search: Run, tmp_path: Path) -> None:
    process = start(*DUMMY, LR, "n_trials=4", seconds=0.5)
    _wait_for(lambda: (tmp_path / "out/sweeps/search/trials/1/metrics.csv").exists())
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate()
    assert process.returncode == 130
    assert "error: interrupted; the same command goes on" in output
    alive = subprocess.run(["pgrep", "-f", str(tmp_path)], capture_output=True, check=False)
    assert alive.stdout == b""
    assert not list((tmp_path / "out/sweeps/search/trials").glob("*/failed.json"))
    code, output = search(LR, "n_trials=4")
    assert code == 0
    assert "4 complete, 0 pruned, 0 failed" in output


def test_mends_a_journal_that_was_cut_off(search: Run, tmp_path: Path) -> None:
    assert search(LR, "n_trials=2")[0] == 0
    with (tmp_path / "out/sweeps/search/journal.log").open("a") as file:
        file.write('{"op_code":4,"wor')
    code, output = search(LR, "n_trials=3")
    assert code == 0
    assert "3 complete" in output


def test_does_not_take_old_trials_for_new_ones(search: Run, tmp_path: Path) -> None:
    assert search(LR, "n_trials=2")[0] == 0
    (tmp_path / "out/sweeps/search/journal.log").unlink()
    code, output = search(LR, "n_trials=2")
    assert code == 2
    assert "is there, but not in journal.log; remove" in output


def test_says_so_when_the_disk_is_full(search: Run, tmp_path: Path) -> None:
    code, output = search(LR, "n_trials=3", exit_code=6)
    assert code == 6
    assert "a result could not be written; make room, the same command goes on" in output
    code, output = search(LR, "n_trials=3")
    assert code == 0
    assert "3 complete, 0 pruned, 0 failed" in output
