"""``sweep.py``: searches hyperparameters, shows the best and the command line that makes it."""

from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from retable.errors import CellsError, ConfigError, StoppedError
from retable.files import alone
from retable.run.build import build
from retable.search import monitor, request
from retable.search.request import Words


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

    refusal = f"name: another process is running the search {asked.name}; let it, or give another name"
    with alone(asked.folder, refusal):
        kept = study.read_goal(asked, config.metric, config.direction and config.direction.name)
        if kept is None:  # it has not begun: what was asked, else what the model says
            kept = monitor.metric_of(asked.models, asked.program, config.metric, config.direction)
            study.keep_goal(asked, *kept)
        metric, direction = kept
        found = study.open_study(asked.folder, direction)
        found.sampler = build(config.sampler, seed=_seed(config.seed, len(found.get_trials(deepcopy=False))))
        found.pruner = _pruner(config.pruning)
        search = loop.Search(asked, metric, direction, found, config.n_trials)
        begun = search.count()
        there = f"; {begun} of {config.n_trials} trials are there" if begun else ""
        goal = f"{metric} ({direction} is better)"
        print(f"searching {', '.join(asked.space)} by {goal} in {asked.folder}{there}", flush=True)
        engine = build(config.engine)
        interrupted = False
        try:
            with display.live(search, engine.workers) as show:
                loop.run(search, engine, show)
        except KeyboardInterrupt:
            interrupted = True
        display.show_result(search)
        for name, result in report.write(search).items():
            print(result if isinstance(result, Path) else f"{name}: {result}")
    if interrupted:
        raise StoppedError("interrupted; the same command goes on with the trials that were running and does the rest")
    if search.best() is None:
        raise CellsError(
            f"all {search.count()} trials failed (trials.csv says why); after mending the cause, "
            f"remove {asked.folder} or give another name=..."
        )


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
