"""What may be set of ``reproduce.py`` and of its engines: ``conf/reproduce.yaml``, ``conf/engine/``."""

from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Any

from omegaconf import MISSING

from retable.options import Options, option


class Action(Enum):
    """What to do with the tables; status and report start nothing."""

    run = "run"
    status = "status"
    report = "report"


class Retry(Enum):
    """Which cells that have failed are run again, beside those that were killed or found the disk full."""

    none = "none"
    failed = "failed"


class Stale(Enum):
    """What becomes of cells that are done, and whose code has changed since."""

    rerun = "rerun"
    accept = "accept"


class Select(Enum):
    """Whose validation chooses the epoch of rows that are tests of another row's trainings."""

    own = "own"
    shared = "shared"


class AddSeeds(Enum):
    """Whether claims that are open are looked at a second time, with more seeds."""

    auto = "auto"


class Wandb(Enum):
    """What Weights & Biases gets of a finished table."""

    offline = "offline"
    online = "online"
    none = "none"


@dataclass
class ReproduceConfig:
    """What ``reproduce.py`` is asked.

    Attributes:
        table: Names such as paper/2, patterns such as paper/*; null lists all tables, with action=report in an index.
        action: Also as a word of its own: ``python reproduce.py status table=paper/2``.
        seeds: A number of seeds, or a list of them; null is 1 for budget=smoke, else as many as the table says, or 3.
        select: Whether rows with ``of:`` are tests of the other row's trainings (shared), or are trained by themselves,
            so that their own validation chooses the epoch (own); null is what the table says.
        add_seeds: ``auto`` runs, once all cells are done, the seeds that open claims need. They are planned once,
            before the first of them runs, and the level of verdicts is split between the two looks.
        minutes: How long the seeds may take that ``add_seeds`` adds to a table.
        only: row:LABEL, column:LABEL or seed:N; several of one kind add up. The report shows the whole table.
        rows: Rows of your own, given as rows.LABEL=OVERRIDES; those of a label that the table has are added to its own.
        columns: The same for columns.
        overrides: Overrides for every cell.
        retry: Which failed cells are run again.
        stale: Whether cells whose code has changed since are run again, or accepted, which the report tells.
        dry_run: Prints the commands and runs nothing.
        outputs: Where everything is written to.
        program: What a cell runs: a Python file; null is train.py of the project. What tests is the test.py beside it.
        wandb: What becomes of the finished table; the cells have logger.mode in overrides.
        engine: Where cells run.
    """

    table: Any = None
    action: Action = Action.run
    seeds: Any = None
    select: Select | None = None
    add_seeds: AddSeeds | None = None
    minutes: float = option(60.0, above=0)
    only: Any = None
    rows: list[str] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    overrides: str = ""
    retry: Retry = Retry.none
    stale: Stale = Stale.rerun
    dry_run: bool = False
    outputs: str = "outputs"
    program: str | None = None
    wandb: Wandb = Wandb.offline
    engine: Any = MISSING
    budget: Any = MISSING


@dataclass
class EngineConfig(Options):
    """What all engines have.

    Attributes:
        workers: Devices in use at the same time; null is the number of GPUs, without any that of the cores, at most 4.
        timeout_minutes: Time after which a job is ended and counts as failed; null is never.
        expiry_seconds: Time without a heartbeat after which others may take a cell over.
    """

    workers: int | None = option(None, least=1)
    timeout_minutes: float | None = None
    expiry_seconds: float = 60.0


@dataclass
class LocalEngineConfig(EngineConfig):
    """Processes of this machine."""

    _target_: str = "retable.tables.engines.local.LocalEngine"


class Cluster(StrEnum):
    """What runs the jobs of ``engine=slurm``: Slurm, or submitit's processes on this machine."""

    slurm = "slurm"
    local = "local"


@dataclass
class SlurmEngineConfig(EngineConfig):
    """Jobs of a Slurm cluster; where a size is null, Slurm's default counts.

    Attributes:
        workers: Most jobs in Slurm's queue at the same time, waiting or running.
        partition: Slurm's partition.
        account: Slurm's account.
        gpus: Whether a job asks for GPUs: as many as its devices.
        cpus_per_device: Cores for each device of a job.
        memory_gb_per_device: Memory for each device of a job.
        poll_seconds: How often Slurm is asked about jobs. It learns of a normal end from the disk, within a second.
        cluster: ``slurm``, or ``local``: submitit's processes on this machine, to try things out.
        extra: Further parameters of sbatch by their long names; null takes one of ours away.
    """

    _target_: str = "retable.tables.engines.slurm.SlurmEngine"
    workers: int = option(16, least=1)
    partition: str | None = None
    account: str | None = None
    gpus: bool = True
    cpus_per_device: int | None = option(None, least=1)
    memory_gb_per_device: float | None = None
    poll_seconds: float = 30.0
    cluster: Cluster = Cluster.slurm
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass
class RayEngineConfig(EngineConfig):
    """Tasks of a Ray cluster.

    Attributes:
        address: ``auto`` or ``host:port`` of a running cluster, all of whose devices null ``workers`` means; null
            starts one on this machine for the time being.
        gpus: Whether jobs take GPUs where the cluster has any; otherwise they see none.
        cpus_per_device: Cores for each device of a job; null is an equal share of this machine's, or one of a running
            cluster's.
    """

    _target_: str = "retable.tables.engines.ray.RayEngine"
    address: str | None = None
    gpus: bool = True
    cpus_per_device: int | None = option(None, least=1)


SCHEMAS: dict[str, Any] = {
    "reproduce": ReproduceConfig,
    "engine/local": LocalEngineConfig,
    "engine/slurm": SlurmEngineConfig,
    "engine/ray": RayEngineConfig,
}
