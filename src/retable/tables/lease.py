"""The right to run a cell: a file with a heartbeat, which only one process on any machine can hold.

The short moments in which a lease is taken, given to a child or ended are guarded by a lock that the kernel lifts when
its process dies. A lease is dead when its process is (on the same machine) or when its heartbeat stopped; whoever takes
it over first ends what the dead process had started.

A heartbeat is a time stamp, and machines' clocks may differ. A stamp that is in the future says nothing of its age; so
such a lease is watched: it is dead when its stamp has stood still for a lease's whole life by the watcher's own clock.
"""

import fcntl
import json
import os
import signal
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import psutil

from retable.files import write_text

LEASE = "lease.json"
_LOCK = ".lease.lock"
EXPIRY_SECONDS = 60.0
_KILL_SECONDS = 10.0
_WATCH_SECONDS = 0.25


@dataclass(frozen=True)
class Lease:
    """Who runs a cell.

    Attributes:
        token: Different for each acquisition.
        host: Name of the machine.
        pid: Process that holds the lease.
        started: When that process started, as a process id alone may be used again.
        child: Leader of the process group that does the work, 0 while there is none.
        child_started: When that one started.
    """

    token: str
    host: str
    pid: int
    started: float
    child: int = 0
    child_started: float = 0.0


def acquire(folder: Path, expiry: float = EXPIRY_SECONDS) -> Lease | None:
    """Takes the lease of a cell's folder, which is made if need be.

    Returns:
        The lease, or None if a living process holds it. A lease with a stamp in the future is watched before that, for
        `expiry` seconds at most.

    Raises:
        OSError: The folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    first = _stamp(folder)
    while seconds_ahead(folder) > expiry and is_held(folder, expiry) and _stamp(folder) == first:
        time.sleep(_WATCH_SECONDS)
    with _locked(folder):
        held = read(folder)
        if held is not None:
            if not _is_dead(held, folder, expiry):
                return None
            if held.host == socket.gethostname() and _is_alive(held.child, held.child_started):
                end_group(held.child)
        process = psutil.Process()
        lease = Lease(uuid.uuid4().hex, socket.gethostname(), process.pid, process.create_time())
        _write(folder, lease)
    return lease


def give_child(folder: Path, lease: Lease, child: int) -> Lease:
    """Notes the process that does the work; returns the lease with it."""
    lease = replace(lease, child=child, child_started=psutil.Process(child).create_time())
    with _locked(folder):
        _write(folder, lease)
    return lease


def beat(folder: Path, lease: Lease) -> bool:
    """Says that the holder lives; False if somebody else has taken the lease over."""
    held = read(folder)
    if held is None or held.token != lease.token:
        return False
    os.utime(folder / LEASE)
    return True


def release(folder: Path, lease: Lease) -> None:
    """Gives the lease back, unless somebody else has it by now."""
    with _locked(folder):
        held = read(folder)
        if held is not None and held.token == lease.token:
            (folder / LEASE).unlink()


def is_held(folder: Path, expiry: float = EXPIRY_SECONDS) -> bool:
    """Whether a living process holds the lease."""
    held = read(folder)
    return held is not None and not _is_dead(held, folder, expiry)


def read(folder: Path) -> Lease | None:
    """The lease as it stands, dead or alive; None if there is none or a machine's crash has left it empty."""
    try:
        return Lease(**json.loads((folder / LEASE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def end_group(leader: int) -> None:
    """Kills a process group and waits until its leader is gone."""
    try:
        started = psutil.Process(leader).create_time()
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError, psutil.Error):
        return  # gone already
    deadline = time.monotonic() + _KILL_SECONDS
    # a zombie counts as gone: in a container there may be nobody who reaps orphans
    while _is_alive(leader, started) and time.monotonic() < deadline:
        time.sleep(0.01)


def _is_dead(lease: Lease, folder: Path, expiry: float) -> bool:
    if lease.host == socket.gethostname() and not _is_alive(lease.pid, lease.started):
        return True
    stamp = _stamp(folder)
    if stamp is None:
        return True
    age = _now(folder) - stamp
    if age >= -expiry:
        return age > expiry
    known = _watched.get(folder)
    if known is None or known[:2] != (lease.token, stamp):
        known = _watched[folder] = (lease.token, stamp, time.monotonic())
    return time.monotonic() - known[2] > expiry


_watched: dict[Path, tuple[str, float, float]] = {}
"""Leases with a stamp in the future: token, stamp, and when this process first saw them."""


def seconds_ahead(folder: Path) -> float:
    """How far the last heartbeat is in the future by the clock of this machine or its file system; 0 of none."""
    stamp = _stamp(folder)
    return 0.0 if stamp is None else max(0.0, stamp - _now(folder))


def _stamp(folder: Path) -> float | None:
    try:
        return (folder / LEASE).stat().st_mtime
    except OSError:
        return None


def _now(folder: Path) -> float:
    # the clock of the file system, which is the one that stamps heartbeats: machines' clocks differ
    try:
        os.utime(folder / _LOCK)
        return (folder / _LOCK).stat().st_mtime
    except OSError:
        return time.time()


def _is_alive(pid: int, started: float) -> bool:
    try:
        process = psutil.Process(pid)
        return abs(process.create_time() - started) < 1.0 and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, ValueError):
        return False


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / _LOCK).open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _write(folder: Path, lease: Lease) -> None:
    write_text(folder / LEASE, json.dumps(asdict(lease)))
