"""What may be set of ``reproduce.py`` and of its engines: ``conf/reproduce.yaml``, ``conf/engine/``."""

from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Any

from omegaconf import MISSING


class Action(Enum):
    """What to do with the tables; status and report start nothing."""

    run = "run"
    status = "status"
    report = "report"


class Retry(Enum):
    """Which cells that have failed are run again, beside those that were killed or found the disk full."""

    none = "none"
    failed = "failed"


class Wandb(Enum):
    """What Weights & Biases gets of a finished table."""

    offline = "offline"
    online = "online"
    none = "none"


@dataclass
class ReproduceConfig:
    """What ``reproduce.py`` is asked.

    Attributes:
        table: Names such as paper/2, patterns such as paper/*; null lists all tables.
        action: Also as a word of its own: ``python reproduce.py status table=paper/2``.
        seeds: A number of seeds, or a list of them; null is 1 for budget=smoke and 3 otherwise.
        only: row:LABEL, column:LABEL or seed:N; several of one kind add up. The report shows the whole table.
        rows: Rows of your own, given as rows.LABEL=OVERRIDES; those of a label that the table has are added to its own.
        columns: The same for columns.
        overrides: Overrides for every cell.
        retry: Which failed cells are run again.
        dry_run: Prints the commands and runs nothing.
        outputs: Where everything is written to.
        program: What a cell runs: a Python file; null is train.py of the project.
        wandb: What becomes of the finished table; the cells have logger.mode in overrides.
        engine: Where cells run.
    """

    table: Any = None
    action: Action = Action.run
    seeds: Any = None
    only: Any = None
    rows: list[str] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    overrides: str = ""
    retry: Retry = Retry.none
    dry_run: bool = False
    outputs: str = "outputs"
    program: str | None = None
    wandb: Wandb = Wandb.offline
    engine: Any = MISSING
    budget: Any = MISSING


@dataclass
class LocalEngineConfig:
    """See `retable.tables.engines.local.LocalEngine`."""

    _target_: str = "retable.tables.engines.local.LocalEngine"
    workers: int | None = None
    timeout_minutes: float | None = None
    expiry_seconds: float = 60.0


class Cluster(StrEnum):
    """What runs the jobs of ``engine=slurm``: Slurm, or submitit's processes on this machine."""

    slurm = "slurm"
    local = "local"


@dataclass
class SlurmEngineConfig:
    """See `retable.tables.engines.slurm.SlurmEngine`."""

    _target_: str = "retable.tables.engines.slurm.SlurmEngine"
    workers: int = 16
    partition: str | None = None
    account: str | None = None
    gpus: bool = True
    cpus_per_device: int | None = None
    memory_gb_per_device: float | None = None
    timeout_minutes: float | None = None
    poll_seconds: float = 30.0
    expiry_seconds: float = 60.0
    cluster: Cluster = Cluster.slurm
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass
class RayEngineConfig:
    """See `retable.tables.engines.ray.RayEngine`."""

    _target_: str = "retable.tables.engines.ray.RayEngine"
    workers: int | None = None
    address: str | None = None
    gpus: bool = True
    cpus_per_device: int | None = None
    timeout_minutes: float | None = None
    expiry_seconds: float = 60.0


SCHEMAS: dict[str, Any] = {
    "reproduce": ReproduceConfig,
    "engine/local": LocalEngineConfig,
    "engine/slurm": SlurmEngineConfig,
    "engine/ray": RayEngineConfig,
}
