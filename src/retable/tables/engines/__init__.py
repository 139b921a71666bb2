"""Where cells run. An engine takes jobs and tells which have ended; what became of them is on the disk.

An engine is a class with the methods of `Engine`, named by ``_target_`` in ``conf/engine/``.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Job:
    """A command to run in a folder.

    Attributes:
        key: Name among the jobs.
        folder: Folder of the cell.
        command: The command.
        devices: GPUs that it asks for (on a machine without any: processes).
        environment: Variables to add.
    """

    key: str
    folder: Path
    command: tuple[str, ...]
    devices: int = 1
    environment: dict[str, str] = field(default_factory=dict)


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
