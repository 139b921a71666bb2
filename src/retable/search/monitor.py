"""What a model is judged by. Asking it takes importing it, and torch with it: that is done in a process of its own.

    python -m retable.search.monitor PACKAGE.CLASS

prints a line of JSON.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from hydra.utils import get_class

from retable.errors import ConfigError
from retable.search.schema import Direction


def metric_of(models: Sequence[str], program: Path, metric: str | None, direction: Direction | None) -> tuple[str, str]:
    """Name of the metric to search by, and which values are better, ``higher`` or ``lower``.

    What was not asked for (None) is the models' own, given by their import paths; all have to agree. They can be
    imported from the folder of the program that a trial runs.

    Raises:
        ConfigError: A model cannot be imported, or does not say.
    """
    if metric is not None and direction is not None:
        return metric, direction.name
    answers = {_ask(model, program, metric) for model in models}
    told, way = answers.pop() if len(answers) == 1 else ("", "")
    metric, way = metric or told, direction.name if direction is not None else way
    if not metric:
        raise ConfigError(f"metric: no single monitor is named by {' and '.join(models)}; give metric=val/NAME")
    if not way:
        raise ConfigError(f"direction: unknown for {metric}; give direction=higher or direction=lower")
    return metric, way


def _ask(model: str, program: Path, metric: str | None) -> tuple[str, str]:
    paths = os.pathsep.join([str(program.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    asked = subprocess.run(
        [sys.executable, "-m", __name__, model],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.returncode != 0:
        reason = (asked.stderr.strip().splitlines() or ["it ended silently"])[-1]
        raise ConfigError(f"model._target_: {model} cannot be imported: {reason}")
    told = json.loads(asked.stdout.splitlines()[-1])
    if metric is None or metric == told["monitor"]:
        return told["monitor"], told["direction"]
    way = told["directions"].get(metric.split("/")[-1], "")
    return metric, way if way in Direction.__members__ else ""


def main() -> None:
    """Prints what a model says of itself."""
    model = get_class(sys.argv[1])
    # what is only known of an instance, such as a property, is not there to be read
    monitor, mode, info = (getattr(model, name, None) for name in ("monitor", "monitor_mode", "metric_info"))
    answer = {
        "monitor": monitor if isinstance(monitor, str) else "",
        "direction": {"max": "higher", "min": "lower"}.get(str(mode), ""),
        "directions": {name: way for name, (_, way) in info.items()} if isinstance(info, dict) else {},
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
