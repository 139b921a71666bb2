"""Where cells run. An engine takes jobs and tells which have ended; what became of them is on the disk.

An engine is a class with the methods of `Engine`, named by ``_target_`` in ``conf/engine/``.
"""

import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from retable.tables import lease, store
from retable.tables.store import Failure


@dataclass(frozen=True)
class Job:
    """A command to run in a folder.

    Attributes:
        key: Name among the jobs.
        folder: Folder of the cell.
        command: The command.
        devices: GPUs that it asks for (on a machine without any: processes).
        after: Key of the job that must be done before; "" if none must.
    """

    key: str
    folder: Path
    command: tuple[str, ...]
    devices: int = 1
    after: str = ""


class Engine(Protocol):
    """What all engines can do."""

    @property
    def workers(self) -> int:
        """Jobs of one device that can run at the same time."""

    def start(self, job: Job) -> bool:
        """Starts a job; False if there is no room for it now."""

    def ended(self) -> dict[str, int]:
        """Keys of the jobs that have ended since the last call, with the exit codes of `retable.tables.runner`."""

    def stop(self) -> None:
        """Asks all jobs to stop, and waits until they have."""


def note_failure(job: Job, reason: str, log: Path | None = None) -> None:
    """Writes into a cell's folder how it failed, where its runner was killed or has never run.

    Without this a cell that always loses its node would be started again and again. The last lines of `log`, the output
    of what ran the runner, may say why.
    """
    end_orphan(job)
    if store.is_done(job.folder) or store.read_failure(job.folder) is not None:
        return
    lines = store.tail(job.folder / store.LOG, 8) + (store.tail(log, 8) if log is not None else ())
    now = datetime.now(UTC).isoformat(timespec="seconds")
    with contextlib.suppress(OSError):
        store.write_failure(job.folder, Failure(reason, -1, lines, attempts=1, transient=True, finished=now))


def end_orphan(job: Job) -> None:
    """Ends what a killed runner has left on this machine; whoever takes its lease next would, but that may be long."""
    with contextlib.suppress(OSError):
        held = lease.acquire(job.folder)
        if held is not None:
            lease.release(job.folder, held)
