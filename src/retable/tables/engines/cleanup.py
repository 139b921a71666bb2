"""What is left to do for a cell whose runner was killed or has never run."""

import contextlib
from datetime import UTC, datetime
from pathlib import Path

from retable.tables import lease, store
from retable.tables.engines import Job
from retable.tables.store import Failure


def note_failure(job: Job, reason: str, log: Path | None = None) -> None:
    """Says in a cell's folder how it failed, when its runner could not: it was killed or has never run.

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
    """Ends what a killed runner has left on this machine: the next to take its lease would, but that may be long."""
    with contextlib.suppress(OSError):
        held = lease.acquire(job.folder)
        if held is not None:
            lease.release(job.folder, held)
