"""Runs one cell: takes its lease, starts the command, keeps the heartbeat, says how it ended.

    python -m retable.tables.runner --folder FOLDER -- python train.py ...

This is a process of its own, so that a cell belongs to nobody else: whoever started it may die, and it stops by itself;
if it is killed, whoever comes next ends what it left running. It imports nothing heavy.
"""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from retable.errors import CheckpointError, ConfigError, DataError, DivergenceError, StorageError
from retable.run import interrupts, paths
from retable.tables import lease, store
from retable.tables.store import Failure

DONE, FAILED, BUSY, STOPPED = 0, 1, 75, 130
"""Exit codes: BUSY is a cell that another process runs, STOPPED one that was asked to stop."""

_MEANINGS = {
    1: "an unexpected error",
    ConfigError.exit_code: "a configuration error",
    DataError.exit_code: "a data error",
    CheckpointError.exit_code: "a checkpoint error",
    DivergenceError.exit_code: "the training diverged",
    StorageError.exit_code: "a result could not be written",
    **dict.fromkeys(interrupts.CODES, "interrupted"),
}
STOP = "stop"
"""Name of a file in a cell's folder that asks its runner to stop it, on whatever machine that is."""
_LINES = 15
_GRACE_SECONDS = 30.0

# The command may begin only when its process id is in the lease: it waits for a line, and ends if there is none.
_GATE = ["/bin/sh", "-c", 'read -r _ && exec "$@" </dev/null', "sh"]


def run(
    folder: Path,
    command: Sequence[str],
    timeout: float | None = None,
    expiry: float = lease.EXPIRY_SECONDS,
    parent: int | None = None,
) -> int:
    """Runs a command in a cell's folder until it has left a record.

    Args:
        folder: The cell's folder; the output goes to ``log.txt`` in it.
        command: What to run; it is expected to write ``record.json`` last.
        timeout: Seconds after which the command is ended and counts as failed.
        expiry: Seconds without heartbeat after which others may take the cell over.
        parent: Process without which the cell is not to go on; None lets it.

    Returns:
        `DONE`, `FAILED`, `BUSY` or `STOPPED`.

    Raises:
        OSError: The folder cannot be written.
    """
    held = lease.acquire(folder, expiry)
    if held is None:
        return BUSY
    stop = threading.Event()
    with contextlib.suppress(ValueError):  # where this is not the main thread, others see to signals
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: stop.set())
    try:
        if store.is_done(folder, fresh=True):
            return DONE
        if store.is_done(folder):
            store.set_aside(folder, keep=(lease.LEASE, STOP))
        earlier = store.read_failure(folder)
        attempts = 1 + (earlier.attempts if earlier is not None else 0)
        (folder / store.FAILED).unlink(missing_ok=True)
        with contextlib.suppress(FileNotFoundError):  # a run refuses to write over a record, also a damaged one
            (folder / paths.RECORD).replace(folder / f"damaged-{paths.RECORD}")
        with (folder / store.LOG).open("a", encoding="utf-8") as log:
            log.write(f"\n== attempt {attempts}, {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC\n")
            log.flush()
            child = subprocess.Popen(
                [*_GATE, *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            held = lease.give_child(folder, held, child.pid)
            assert child.stdin is not None
            child.stdin.write(b"go\n")
            child.stdin.close()
            reason = _wait(child, folder, held, stop, timeout, expiry, parent)
        finally:
            _end(child)
        if store.is_done(folder):
            return DONE
        if reason == _LOST:  # somebody else runs it by now: what is in the folder is theirs
            return BUSY
        if reason == _STOPPED:
            return STOPPED
        store.write_failure(folder, _failure(folder, child.returncode, reason, attempts))
        return FAILED
    finally:
        lease.release(folder, held)


_LOST, _STOPPED = "lost", "stopped"


def _wait(
    child: subprocess.Popen[bytes],
    folder: Path,
    held: lease.Lease,
    stop: threading.Event,
    timeout: float | None,
    expiry: float,
    parent: int | None,
) -> str:
    """Waits for the child to end; returns why it was ended, or "" if it ended by itself."""
    started = beaten = time.monotonic()
    while True:
        try:
            child.wait(0.25)
            return ""
        except subprocess.TimeoutExpired:
            pass
        now = time.monotonic()
        if stop.is_set() or (parent is not None and os.getppid() != parent) or (folder / STOP).exists():
            return _STOPPED
        if timeout is not None and now - started > timeout:
            return f"time-out after {timeout:.0f} s"
        if now - beaten > expiry / 6:
            beaten = now
            with contextlib.suppress(OSError):  # a full disk or a network that is away for a while
                if not lease.beat(folder, held):
                    return _LOST


def _end(child: subprocess.Popen[bytes]) -> None:
    """Asks the child and all that it started to stop as Ctrl-C would, then ends what is left."""
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_GRACE_SECONDS)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _failure(folder: Path, code: int, reason: str, attempts: int) -> Failure:
    transient = code < 0 or code in (StorageError.exit_code, *interrupts.CODES)
    if reason:
        transient = False
    elif code < 0:
        reason = f"killed by {signal.Signals(-code).name}"
        if -code == signal.SIGKILL:
            reason += " (by hand, or for want of memory)"
    elif code == 0:
        reason = "it ended without a record"
    else:
        reason = meaning(code)
    lines = store.tail(folder / store.LOG, _LINES)
    return Failure(reason, code, lines, attempts, transient, datetime.now(UTC).isoformat(timespec="seconds"))


def meaning(code: int) -> str:
    """An exit code in words."""
    return f"{_MEANINGS.get(code, 'an error')} (exit code {code})"


def words(folder: Path, command: Sequence[str], timeout_minutes: float | None, expiry: float) -> list[str]:
    """The command line of `main` for a cell."""
    timeout = [] if timeout_minutes is None else ["--timeout", str(60 * timeout_minutes)]
    return ["--folder", str(folder), "--expiry", str(expiry), *timeout, "--", *command]


def main() -> int:
    """Runs the cell of the command line; returns the exit code."""
    parser = argparse.ArgumentParser(description="Runs one cell of a table.")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--timeout", type=float)
    parser.add_argument("--expiry", type=float, default=lease.EXPIRY_SECONDS)
    parser.add_argument("--parent", type=int)
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    try:
        return run(**vars(arguments))
    except OSError as error:
        print(f"error: {arguments.folder}: {error.strerror}", file=sys.stderr)
        return StorageError.exit_code


if __name__ == "__main__":
    sys.exit(main())
