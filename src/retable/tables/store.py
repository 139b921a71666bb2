"""Where cells live on disk, and in which state they are.

A cell's folder is ``outputs/cells/<id>``, the folder of its run. It is *done* with a valid ``record.json``, *running*
while a living process holds its lease, *failed* with ``failed.json``, else *pending*. A record is stale where the code
that made it has changed: unless that is accepted, its cell is not done.
"""

import json
import shutil
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path

from retable.errors import DataError
from retable.files import write_text
from retable.run import digests, paths, record
from retable.run.record import Record
from retable.tables import lease

FAILED = "failed.json"
LOG = "log.txt"
STALE = "stale"


class State(StrEnum):
    """State of a cell."""

    pending = "pending"
    running = "running"
    done = "done"
    failed = "failed"


@dataclass(frozen=True)
class Failure:
    """How a cell failed.

    Attributes:
        reason: In words: the exit code's meaning, the signal, the time-out.
        exit_code: Of the process; negative for a signal.
        lines: Last lines of its log.
        attempts: How often it has been tried.
        transient: Whether calling again tries it again (killed, interrupted, disk full), without ``retry=failed``.
        finished: When, in UTC, ISO 8601.
    """

    reason: str
    exit_code: int
    lines: tuple[str, ...]
    attempts: int
    transient: bool
    finished: str


@dataclass(frozen=True)
class Status:
    """What the disk says of a cell.

    Attributes:
        state: The state.
        folder: Its folder.
        record: Its record, if done.
        failure: How it failed, if failed.
        warning: What is wrong in the folder, or "": a damaged or outdated record counts as not done.
        stale: Which modules have changed since its record was made.
    """

    state: State
    folder: Path
    record: Record | None = None
    failure: Failure | None = None
    warning: str = ""
    stale: tuple[str, ...] = ()


class Store:
    """The cells below an outputs folder.

    Args:
        outputs: The folder that everything is written to.
        accept_stale: Whether a cell whose code has changed since is done all the same.
    """

    def __init__(self, outputs: Path, accept_stale: bool = False) -> None:
        self.outputs = outputs.absolute()
        self._accept_stale = accept_stale
        self._disk = digests.Disk()

    def folder(self, cell: str) -> Path:
        """Folder of a cell, by its id."""
        return self.outputs / "cells" / cell

    def has_cells(self) -> bool:
        """Whether any cell has a folder."""
        return any((self.outputs / "cells").glob("*"))

    def status(self, cell: str) -> Status:
        """What the disk says of a cell, by its id."""
        folder = self.folder(cell)
        warning = ""
        stale: tuple[str, ...] = ()
        if (folder / paths.RECORD).exists():
            try:
                found = record.read(folder)
                if found.config_hash != cell:
                    raise DataError(f"{folder / paths.RECORD}: is the record of another run ({found.config_hash})")
                stale = changed_since(folder, found, self._disk)
                if self._accept_stale or not stale:
                    return Status(State.done, folder, found, stale=stale)
            except DataError as error:
                warning = f"{error}; the cell counts as not done"
        if lease.is_held(folder):
            return Status(State.running, folder, warning=warning or _of_clocks(folder))
        failure = read_failure(folder)
        if failure is not None:
            return Status(State.failed, folder, failure=failure, warning=warning)
        return Status(State.pending, folder, warning=warning, stale=stale)


def _of_clocks(folder: Path) -> str:
    """What to tell of a lease whose clock is ahead of ours by more than its life."""
    held, ahead = lease.read(folder), lease.seconds_ahead(folder)
    if held is None or ahead <= lease.EXPIRY_SECONDS:
        return ""
    until = datetime.now(UTC) + timedelta(seconds=ahead + lease.EXPIRY_SECONDS)
    return (
        f"{folder}: process {held.pid} on {held.host} holds it until {until:%Y-%m-%d %H:%M:%S} UTC, by a clock that is "
        f"{ahead:.0f} s ahead of the one here; it is taken over if it gives no sign of life for "
        f"{lease.EXPIRY_SECONDS:.0f} s"
    )


def is_done(folder: Path, fresh: bool = False) -> bool:
    """Whether a folder holds a valid record, and where asked for one of the code as it is now."""
    try:
        found = record.read(folder)
    except DataError:
        return False
    return not (fresh and changed_since(folder, found, digests.Disk()))


def changed_since(folder: Path, found: Record, disk: digests.Disk) -> tuple[str, ...]:
    """What has changed since a record was made: modules of the code, or the training that it is a test of."""
    changed = disk.changed(found.code)
    if found.trained is not None and found.trained.get("finished") != _finished(folder.parent / found.trained["run"]):
        changed = (*changed, f"its training ({found.trained['run']})")
    return changed


def _finished(folder: Path) -> str | None:
    """When a run was finished; None if it is not, or no longer."""
    try:
        return _finished_at(folder, (folder / paths.RECORD).stat().st_mtime_ns)
    except (OSError, DataError):
        return None


@cache
def _finished_at(folder: Path, _written: int) -> str:
    """The same, of a record that was written then: a training has many tests, and each asks."""
    return record.read(folder).finished


def set_aside(folder: Path, keep: Collection[str]) -> None:
    """Moves what a cell was, its record last, into ``stale/``, so that it begins anew; an earlier one is replaced.

    Args:
        folder: The cell's folder.
        keep: Names of what belongs to whoever runs the cell now.
    """
    aside = folder / STALE
    aside.mkdir(exist_ok=True)
    left = [path for path in folder.iterdir() if path.name not in (*keep, LOG, STALE) and path.name[0] != "."]
    for path in sorted(left, key=lambda path: path.name == paths.RECORD):
        target = aside / path.name
        if target.is_dir():
            shutil.rmtree(target)
        path.replace(target)


def read_failure(folder: Path) -> Failure | None:
    """How the cell in a folder failed; None if it did not."""
    try:
        values = json.loads((folder / FAILED).read_text(encoding="utf-8"))
        return Failure(**{**values, "lines": tuple(values["lines"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def write_failure(folder: Path, failure: Failure) -> None:
    """Marks a cell as failed."""
    write_text(folder / FAILED, json.dumps(asdict(failure), indent=2) + "\n")


def tail(path: Path, count: int) -> tuple[str, ...]:
    """Last lines of a log, each as a terminal would show it in the end (progress bars overwrite themselves)."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 65536))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ()
    lines = (line.rstrip().rsplit("\r", 1)[-1] for line in text.split("\n"))
    return tuple(line for line in lines if line.strip())[-count:]
