"""``sweep.py``: searches hyperparameters, shows the best and the command line that makes it."""

import sys
from typing import Any

from omegaconf import DictConfig

from retable.errors import CellsError, ConfigError, StoppedError
from retable.run.build import build
from retable.search import monitor, request
from retable.search.request import Request, Words


def sweep(config: DictConfig, words: Words) -> None:
    """Does what a checked configuration of ``conf/sweep.yaml`` and the other words of the command line ask.

    Raises:
        ConfigError: A key, a value or the space is wrong, or the folder holds another search.
        CellsError: Every trial has failed.
        StorageError: A result could not be written.
        StoppedError: It was interrupted.
    """
    asked = request.read(config, words)
    from retable.search import display, loop, report, study

    with study.alone(asked.folder):
        metric, direction = _goal(config, asked)
        found = study.open_study(asked.folder, direction)
        found.sampler = build(config.sampler, seed=_seed(config.seed, len(found.get_trials(deepcopy=False))))
        found.pruner = _pruner(config.pruning)
        search = loop.Search(asked, metric, direction, found, config.n_trials)
        _announce(search.count(), asked, metric, direction, config.n_trials)
        engine = build(config.engine)
        interrupted = False
        try:
            with display.live(search, engine.workers) as show:
                loop.run(search, engine, show)
        except KeyboardInterrupt:
            interrupted = True
        display.show_result(search)
        display.show_written(report.write(search))
    if interrupted:
        raise StoppedError("interrupted; the same command goes on with the trials that were running and does the rest")
    if search.best() is None:
        raise CellsError(
            f"all {search.count()} trials failed (trials.csv says why); after mending the cause, "
            f"remove {asked.folder} or give another name=..."
        )


def _goal(config: DictConfig, asked: Request) -> tuple[str, str]:
    """Metric and direction: those of the search if it has begun, else what was asked or what the model says."""
    from retable.search import study

    way = config.direction and config.direction.name
    kept = study.read_goal(asked, config.metric, way)
    if kept is None:
        kept = monitor.metric_of(asked.models, asked.program, config.metric, config.direction)
        study.keep_goal(asked, *kept)
    return kept


def _pruner(config: Any) -> Any:
    if isinstance(config, DictConfig):
        return build(config)
    if config is not False:
        raise ConfigError(f"pruning: {config} is neither false nor a pruner with a _target_")
    from optuna.pruners import NopPruner

    return NopPruner()


def _seed(seed: int, trials: int) -> int:
    """A seed for this call: the sampler does not remember what it has drawn, and would draw the same again."""
    import numpy as np

    return int(np.random.SeedSequence([seed, trials]).generate_state(1)[0])


def _announce(begun: int, asked: Request, metric: str, direction: str, n_trials: int) -> None:
    there = f"; {begun} of {n_trials} trials are there" if begun else ""
    print(f"searching {', '.join(asked.space)} by {metric} ({direction} is better) in {asked.folder}{there}")
    sys.stdout.flush()
