import os
import re
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from retable.tables import lease
from retable.tables.store import State, Store

HOLD = """
import sys, time
from pathlib import Path
from retable.tables import lease
held = lease.acquire(Path(sys.argv[1]))
print("held" if held else "refused", flush=True)
time.sleep(float(sys.argv[2]))
"""


def hold(folder: Path, seconds: float = 60) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder), str(seconds)], stdout=subprocess.PIPE, text=True
    )  # fmt: skip
    return process


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    word = process.stdout.readline().strip()
    process.stdout.close()
    return word


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    held = lease.acquire(tmp_path)
    assert held is not None
    assert lease.is_held(tmp_path)
    assert lease.acquire(tmp_path) is None
    lease.release(tmp_path, held)
    assert not lease.is_held(tmp_path)
    assert lease.acquire(tmp_path) is not None


def test_of_many_that_ask_at_once_one_gets_it(tmp_path: Path) -> None:
    askers = [hold(tmp_path, 3) for _ in range(6)]
    words = [said(asker) for asker in askers]
    for asker in askers:
        asker.kill()
        asker.wait()
    assert sorted(words) == ["held"] + ["refused"] * 5


def test_a_killed_owner_loses_it_at_once(tmp_path: Path) -> None:
    owner = hold(tmp_path)
    assert said(owner) == "held"
    assert lease.acquire(tmp_path) is None
    owner.kill()
    owner.wait()
    assert not lease.is_held(tmp_path)
    assert lease.acquire(tmp_path) is not None


def test_an_owner_elsewhere_loses_it_when_its_heartbeat_stops(tmp_path: Path) -> None:
    held = lease.acquire(tmp_path)
    assert held is not None
    lease._write(tmp_path, replace(held, host="another machine"))
    assert lease.is_held(tmp_path, expiry=5)
    os.utime(tmp_path / lease.LEASE, (time.time() - 60, time.time() - 60))
    assert not lease.is_held(tmp_path, expiry=5)
    taken = lease.acquire(tmp_path, expiry=5)
    assert taken is not None
    assert not lease.beat(tmp_path, held), "the former owner is told that it lost the lease"
    lease.release(tmp_path, held)
    assert lease.is_held(tmp_path, expiry=5), "what the former owner gives back is not its own any more"


def _of_another_machine(folder: Path, ahead: float) -> lease.Lease:
    held = lease.acquire(folder)
    assert held is not None
    held = replace(held, host="another machine")
    lease._write(folder, held)
    os.utime(folder / lease.LEASE, (time.time() + ahead,) * 2)
    return held


def test_a_lease_of_the_future_is_taken_over_when_it_stands_still(tmp_path: Path) -> None:
    held = _of_another_machine(tmp_path, 3600)
    assert lease.seconds_ahead(tmp_path) == pytest.approx(3600, abs=60)
    assert lease.is_held(tmp_path, expiry=0.5), "one look says nothing"
    began = time.monotonic()
    taken = lease.acquire(tmp_path, expiry=0.5)
    assert taken is not None
    assert time.monotonic() - began > 0.4
    assert not lease.beat(tmp_path, held)


def test_a_lease_of_the_future_that_beats_is_held(tmp_path: Path) -> None:
    _of_another_machine(tmp_path, 3600)
    beats = threading.Timer(0.3, lambda: os.utime(tmp_path / lease.LEASE, (time.time() + 3601,) * 2))
    beats.start()
    assert lease.acquire(tmp_path, expiry=2) is None
    beats.join()


def test_clocks_that_disagree_are_told(tmp_path: Path) -> None:
    folder = tmp_path / "cells" / "c0ffee"
    held = _of_another_machine(folder, 7200)
    status = Store(tmp_path).status("c0ffee")
    assert status.state is State.running
    assert re.search(
        rf"process {held.pid} on another machine holds it until 2.* by a clock that is 7\d\d\d s ahead", status.warning
    )


def test_a_heartbeat_keeps_it(tmp_path: Path) -> None:
    held = lease.acquire(tmp_path)
    assert held is not None
    os.utime(tmp_path / lease.LEASE, (time.time() - 60, time.time() - 60))
    assert lease.beat(tmp_path, held)
    assert lease.is_held(tmp_path, expiry=5)


def test_a_process_id_that_is_used_again_is_no_owner(tmp_path: Path) -> None:
    held = lease.acquire(tmp_path)
    assert held is not None
    lease._write(tmp_path, replace(held, started=held.started - 1000))
    assert lease.acquire(tmp_path) is not None


def test_who_takes_over_ends_what_the_dead_owner_started(tmp_path: Path) -> None:
    orphan = subprocess.Popen(["sleep", "60"], start_new_session=True)
    owner = hold(tmp_path)
    assert said(owner) == "held"
    held = lease.read(tmp_path)
    assert held is not None
    lease.give_child(tmp_path, held, orphan.pid)
    owner.kill()
    owner.wait()
    assert lease.acquire(tmp_path) is not None
    assert psutil.Process(orphan.pid).status() == psutil.STATUS_ZOMBIE
    assert orphan.wait() < 0


def test_a_lease_file_that_a_crash_left_empty_is_none(tmp_path: Path) -> None:
    (tmp_path / lease.LEASE).touch()
    assert not lease.is_held(tmp_path)
    assert lease.acquire(tmp_path) is not None


@pytest.mark.parametrize("leader", [2**22 - 1])
def test_ending_a_group_that_is_gone_is_no_error(leader: int) -> None:
    assert not psutil.pid_exists(leader)
    lease.end_group(leader)
