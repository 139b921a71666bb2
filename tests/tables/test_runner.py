import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from retable.tables import lease, runner, store
from retable.tables.store import State, Store

pytestmark = pytest.mark.slow  # it trains, or starts processes of its own

RECORD = """
import json, sys
sys.path.insert(0, {root!r})
from pathlib import Path
from tests.tables.dummy import record
record(sys.argv, Path({folder!r}).name, 1, 0.5).write(Path({folder!r}))
"""
ROOT = Path(__file__).parents[2]


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def writes_record(folder: Path) -> list[str]:
    return python(RECORD.format(root=str(ROOT), folder=str(folder)))


def start(folder: Path, command: list[str], *flags: str) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "retable.tables.runner", "--folder", str(folder), *flags, "--", *command]
    return subprocess.Popen(words)


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 300
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.01)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cells" / "c0ffee"


@pytest.fixture
def state(tmp_path: Path) -> Store:
    return Store(tmp_path)


def test_a_cell_runs_once(folder: Path, state: Store) -> None:
    assert state.status("c0ffee").state is State.pending
    assert runner.run(folder, writes_record(folder)) == runner.DONE
    assert state.status("c0ffee").state is State.done
    assert not (folder / lease.LEASE).exists()
    assert runner.run(folder, python("raise SystemExit(3)")) == runner.DONE, "a cell that is done is left alone"


def test_a_failure_is_kept_with_its_last_lines(folder: Path, state: Store) -> None:
    code = "import sys; [print(i) for i in range(40)]; print('10%\\r50%\\r100%'); sys.exit(3)"
    assert runner.run(folder, python(code)) == runner.FAILED
    failure = state.status("c0ffee").failure
    assert failure is not None
    assert (failure.exit_code, failure.attempts, failure.transient) == (3, 1, False)
    assert "data error" in failure.reason
    assert failure.lines[-2:] == ("39", "100%")
    runner.run(folder, python(code))
    failure = state.status("c0ffee").failure
    assert failure is not None
    assert failure.attempts == 2
    assert runner.run(folder, writes_record(folder)) == runner.DONE
    assert state.status("c0ffee").state is State.done


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import os; os.kill(os.getpid(), 9)", "killed by SIGKILL"),
        ("raise SystemExit(6)", "a result could not be written (exit code 6)"),
        ("raise SystemExit(143)", "interrupted (exit code 143)"),
        ("raise SystemExit(130)", "interrupted (exit code 130)"),
    ],
)
def test_what_may_go_better_next_time(folder: Path, code: str, reason: str) -> None:
    runner.run(folder, python(code))
    failure = store.read_failure(folder)
    assert failure is not None
    assert failure.transient
    assert failure.reason.startswith(reason)


def test_an_end_without_record_is_a_failure(folder: Path) -> None:
    assert runner.run(folder, python("pass")) == runner.FAILED
    failure = store.read_failure(folder)
    assert failure is not None
    assert failure.reason == "it ended without a record"


def test_a_time_out(folder: Path) -> None:
    assert runner.run(folder, ["sleep", "60"], timeout=0.5) == runner.FAILED
    failure = store.read_failure(folder)
    assert failure is not None
    assert failure.reason == "time-out after 0 s"
    assert not failure.transient


def test_asked_to_stop_it_interrupts_the_command_and_leaves_the_cell_pending(folder: Path, state: Store) -> None:
    code = f"import time\ntry: open({str(folder / 'up')!r}, 'w').close(); time.sleep(60)\nfinally: print('tidied')"
    process = start(folder, python(code))
    wait_for(folder / "up")
    assert state.status("c0ffee").state is State.running
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == runner.STOPPED
    assert state.status("c0ffee").state is State.pending
    assert "tidied" in (folder / store.LOG).read_text()


def test_a_second_runner_is_refused(folder: Path) -> None:
    process = start(folder, python(f"open({str(folder / 'up')!r}, 'w').close(); import time; time.sleep(60)"))
    wait_for(folder / "up")
    assert runner.run(folder, writes_record(folder)) == runner.BUSY
    process.send_signal(signal.SIGTERM)
    process.wait(10)


def test_it_stops_when_its_parent_is_gone(folder: Path) -> None:
    code = f"open({str(folder / 'up')!r}, 'w').close(); import time; time.sleep(60)"
    words = [sys.executable, "-m", "retable.tables.runner", "--folder", str(folder), "--parent"]
    begin = f"subprocess.Popen({words!r} + [str(os.getpid()), '--', *{python(code)!r}])"
    starter = f"import os, subprocess, time; {begin}; time.sleep(60)"
    parent = subprocess.Popen(python(starter))
    wait_for(folder / "up")
    held = lease.read(folder)
    assert held is not None
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 300
    while (folder / lease.LEASE).exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert not alive(held.child)


def test_what_a_killed_runner_left_is_ended_before_the_cell_runs_again(folder: Path) -> None:
    code = f"open({str(folder / 'up')!r}, 'w').close(); import time; time.sleep(60)"
    process = start(folder, python(code))
    wait_for(folder / "up")
    held = lease.read(folder)
    assert held is not None
    assert held.child
    process.kill()
    process.wait()
    assert alive(held.child)
    assert runner.run(folder, writes_record(folder)) == runner.DONE
    assert not alive(held.child)


def test_a_truncated_record_counts_as_not_done(folder: Path, state: Store) -> None:
    runner.run(folder, writes_record(folder))
    text = (folder / "record.json").read_text()
    (folder / "record.json").write_text(text[:100])
    status = state.status("c0ffee")
    assert status.state is State.pending
    assert "damaged" in status.warning
    assert "counts as not done" in status.warning
    assert runner.run(folder, writes_record(folder)) == runner.DONE
    assert (folder / "damaged-record.json").read_text() == text[:100]


def test_a_record_of_an_older_schema_or_of_another_run_counts_as_not_done(folder: Path, state: Store) -> None:
    runner.run(folder, writes_record(folder))
    values = json.loads((folder / "record.json").read_text())
    (folder / "record.json").write_text(json.dumps({**values, "schema": 0}))
    assert "schema" in state.status("c0ffee").warning
    (folder / "record.json").write_text(json.dumps({**values, "config_hash": "beef"}))
    assert "another run (beef)" in state.status("c0ffee").warning
    assert state.status("c0ffee").state is State.pending


def test_the_command_line_tells_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = subprocess.run(
        [sys.executable, "-m", "retable.tables.runner", "--folder", str(tmp_path / "file" / "x"), "--", "true"],
        capture_output=True, text=True, check=False, env={**os.environ},
    )  # fmt: skip
    assert done.returncode == 6
    assert done.stderr.startswith("error: ")
