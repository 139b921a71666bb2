"""What may be set of ``sweep.py`` itself: ``conf/sweep.yaml``. All other words are overrides of ``train.py``."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

from omegaconf import MISSING


class Direction(Enum):
    """Which values of the metric are better; the words are those of a run's record."""

    higher = "higher"
    lower = "lower"


@dataclass
class SweepConfig:
    """What ``sweep.py`` is asked.

    Attributes:
        n_trials: How many trials the search is to have in the end, those of earlier calls included.
        name: Name of the search; null makes one of the model, the data and a hash of all that is fixed or searched.
        metric: What is optimised, a name such as val/ap50_voc07; null is the model's own ``monitor``.
        direction: Which values are better; null asks the model.
        pruning: The pruner; false runs every trial to its end.
        sampler: What chooses the values.
        seed: Seed of the sampler and of every trial.
        outputs: Where everything is written to.
        program: What a trial runs: a Python file; null is train.py of the project.
        engine: Where trials run.
    """

    n_trials: int = 20
    name: str | None = None
    metric: str | None = None
    direction: Direction | None = None
    pruning: Any = MISSING
    sampler: Any = MISSING
    seed: int = 1
    outputs: str = "outputs"
    program: str | None = None
    engine: Any = MISSING


SCHEMAS: dict[str, Any] = {"sweep": SweepConfig}
