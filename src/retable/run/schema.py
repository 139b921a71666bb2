"""Dataclass schemas of a run's configuration: what may be set, and of which type.

Nothing here imports torch: a mistyped override has to be told in about a second. Each room brings the schemas of its
own models and datasets in a module named ``schema``, whose ``SCHEMAS`` Hydra gets to know by their names: "model/mine"
is ``/schema/model/mine`` in a defaults list.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from omegaconf import MISSING

from retable.options import option


class Resume(Enum):
    """What to do with a folder that already holds an unfinished run."""

    never = "never"
    auto = "auto"


class TestCheckpoint(Enum):
    """Which checkpoint is tested at the end."""

    __test__ = False  # not a test class, whatever pytest makes of its name

    best = "best"
    last = "last"


class TestSplit(Enum):
    """Which split ``test.py`` evaluates."""

    __test__ = False

    test = "test"
    val = "val"


class Mode(Enum):
    """Where Weights & Biases keeps a run."""

    offline = "offline"
    online = "online"


@dataclass
class TrainerConfig:
    """Arguments of Lightning's Trainer; the names and meanings are Lightning's own."""

    _target_: str = "pytorch_lightning.Trainer"
    accelerator: str = "auto"
    devices: Any = 1
    num_nodes: int = 1
    strategy: str = "auto"
    precision: str = "32-true"
    max_epochs: int | None = None
    max_steps: int = -1
    check_val_every_n_epoch: int = 1
    limit_train_batches: Any = None
    limit_val_batches: Any = None
    limit_test_batches: Any = None
    overfit_batches: Any = 0.0
    fast_dev_run: Any = False
    gradient_clip_val: float | None = None
    accumulate_grad_batches: int = 1
    log_every_n_steps: int = 20
    deterministic: Any = None  # False makes torch import its compiler, only to switch off what is off
    benchmark: bool | None = None
    detect_anomaly: bool = False
    sync_batchnorm: bool = False
    profiler: str | None = None
    num_sanity_val_steps: int = 0
    enable_progress_bar: bool = True
    enable_model_summary: bool = False


@dataclass
class LoggerConfig:
    """What keeps the curves: `metrics.csv`, Weights & Biases, both or none."""

    _target_: str = "retable.run.loggers.build_loggers"
    csv: bool = False
    wandb: bool = False
    mode: Mode = Mode.offline
    project: str = "retable"
    entity: str | None = None
    name: str | None = None
    group: str | None = None
    job_type: str = "train"
    notes: str | None = None


@dataclass
class RunConfig:
    """The whole configuration of one run.

    Attributes:
        budget: Named sizes and schedules, which the other parts refer to (``conf/budget``).
    """

    model: Any = MISSING
    data: Any = MISSING
    trainer: TrainerConfig = field(default_factory=TrainerConfig)
    logger: LoggerConfig = field(default_factory=LoggerConfig)
    callbacks: Any = MISSING
    budget: Any = MISSING
    seed: int = option(1, least=0, most=2**32 - 1)  # what NumPy takes
    resume: Resume = Resume.never
    outputs: str = "outputs"
    tags: list[str] = field(default_factory=list)
    compile: bool = False
    test_checkpoint: TestCheckpoint = TestCheckpoint.best


@dataclass
class PredictConfig:
    """What ``predict.py`` is asked.

    Attributes:
        run: Folder of a run.
        output: Folder for the results; without one, `predictions` in the run's folder.
        checkpoint: Which weights.
        accelerator: auto, cpu or gpu.
        options: Those of the run's kind of model, given as words of their own: ``input=photos/``.
    """

    run: str = MISSING
    output: str = "${run}/predictions"
    checkpoint: TestCheckpoint = TestCheckpoint.best
    accelerator: str = "auto"
    options: dict[str, Any] = field(default_factory=dict)


@dataclass
class TestConfig:
    """What ``test.py`` is asked.

    Attributes:
        run: Folders of finished runs; several are given with commas between them: ``run=A,B``.
        split: Which split of the data is evaluated; null is what the run itself tested.
        checkpoint: Which weights; null is what the run itself tested.
        accelerator: auto, cpu or gpu.
        output: Folder for record and pictures; null is ``tests/ID`` in the run's folder. For one run only.
        overrides: What is to be other than in the run, given as words of their own: ``data=NAME data.root=FOLDER``.
    """

    __test__ = False

    run: list[str] = MISSING
    split: TestSplit | None = None
    checkpoint: TestCheckpoint | None = None
    accelerator: str = "auto"
    output: str | None = None
    overrides: list[str] = field(default_factory=list)


@dataclass
class ExportConfig:
    """What ``export.py`` is asked.

    Attributes:
        run: Folder of a run.
        output: File for the network; a description goes beside it.
        checkpoint: Which weights.
    """

    run: str = MISSING
    output: str = "${run}/network.pt2"
    checkpoint: TestCheckpoint = TestCheckpoint.best


SCHEMAS: dict[str, Any] = {
    "run": RunConfig,
    "test": TestConfig,
    "predict": PredictConfig,
    "export": ExportConfig,
    "trainer": TrainerConfig,
    "logger": LoggerConfig,
}
