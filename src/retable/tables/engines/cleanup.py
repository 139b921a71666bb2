"""Cleans up after a runner that was killed or has never run: tells how its cell failed, ends what it has left."""

import contextlib
from datetime import UTC, datetime
from pathlib import Path

from retable.tables import lease, store
from retable.tables.engines import Job
from retable.tables.store import Failure


def note_failure(job: Job, reason: str, log: Path | None = None) -> None:
    """Writes into a cell's folder how it failed, as its runner could not.

    Without this a cell that always loses its node would be started again and again.

    Args:
        job: The cell's job.
        reason: In words.
        log: Output of what ran the runner, whose last lines may say why.
    """
    end_orphan(job)
    if store.is_done(job.folder) or store.read_failure(job.folder) is not None:
        return
    lines = store.tail(job.folder / store.LOG, 8) + (store.tail(log, 8) if log is not None else ())
    now = datetime.now(UTC).isoformat(timespec="seconds")
    with contextlib.suppress(OSError):
        store.write_failure(job.folder, Failure(reason, -1, lines, attempts=1, transient=True, finished=now))


def end_orphan(job: Job) -> None:
    """Ends the process that a killed runner has left on this machine.

    Whoever takes its lease next would do so too, but that may be long.
    """
    with contextlib.suppress(OSError):
        held = lease.acquire(job.folder)
        if held is not None:
            lease.release(job.folder, held)
