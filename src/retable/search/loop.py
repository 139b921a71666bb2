"""Ask, run, tell: keeps the engine busy with trials until the search has as many as it is to have."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState

from retable.files import write_text
from retable.search import space, study
from retable.search.request import Request
from retable.tables import lease, runner
from retable.tables.engines import Engine, Job

_POLL_SECONDS = 0.1
_LOOK_SECONDS = 1.0


@dataclass
class OpenTrial:
    """A trial that is not over yet."""

    handle: Trial  # Optuna's side of it
    values: dict[str, str]  # its values by key
    job: Job  # what to run
    here: bool = False  # whether it runs in this process's engine
    started: float = 0.0  # when it was last started here (monotonic)
    starts: int = 0  # how often it has been started here
    curve: dict[int, float] = field(default_factory=dict)  # validation values by epoch, as far as Optuna knows them
    judged: int = 0  # how many of those the pruner has seen


@dataclass
class Search:
    """A search under way."""

    request: Request  # what is searched
    metric: str  # name of the validation metric
    direction: str  # ``higher`` or ``lower``
    study: Study  # Optuna's study
    n_trials: int  # how many trials it is to have
    open: list[OpenTrial] = field(default_factory=list)  # the trials that are not over
    seconds: list[float] = field(default_factory=list)  # taken by each process of a trial that began and ended here

    def trials(self, *states: TrialState) -> list[FrozenTrial]:
        """The trials in these states, or all."""
        return self.study.get_trials(deepcopy=False, states=states or None)

    def count(self, *states: TrialState) -> int:
        """Number of trials in these states, or of all."""
        return len(self.trials(*states))

    def best(self) -> FrozenTrial | None:
        """The best complete trial; of equal ones the first."""
        return self.study.best_trial if self.count(TrialState.COMPLETE) else None


def run(search: Search, engine: Engine, show: Callable[[Search], None] = lambda search: None) -> None:
    """Runs trials until the search has as many as it is to have; those that were begun earlier are finished first.

    Raises:
        ConfigError: Runs do not log the metric.
        StorageError: A result could not be written.
        KeyboardInterrupt: It was interrupted; the trials have been stopped by then and can be continued.
    """
    for begun in search.trials(TrialState.RUNNING):
        # the only way to take a trial up again that Optuna has: what `ask` does, with the id of an old one
        trial = _open(search, Trial(search.study, begun._trial_id))
        trial.curve = dict(begun.intermediate_values)
        search.open.append(trial)
    room = max(1, engine.workers // search.request.devices)
    looked = 0.0
    try:
        while search.open or search.count() < search.n_trials:
            changed = _pass_on(search, engine)
            while len(search.open) < room and search.count() < search.n_trials:
                search.open.append(_open(search, search.study.ask()))
                changed |= _pass_on(search, engine)
            if time.monotonic() - looked > _LOOK_SECONDS:
                looked = time.monotonic()
                for trial in search.open:
                    _report(trial, study.curve(trial.job.folder, search.metric))
                    _prune(trial)
                changed = True
            if changed:
                show(search)
            time.sleep(_POLL_SECONDS)
    finally:
        engine.stop()
    show(search)


def _open(search: Search, handle: Trial) -> OpenTrial:
    values = space.suggest(search.request.space, handle)  # a trial whose asking was cut off gets what is missing
    return OpenTrial(handle, values, search.request.job(handle.number, values))


def _pass_on(search: Search, engine: Engine) -> bool:
    """Tells Optuna of the trials that are over and starts those that do not run; says whether anything has changed."""
    ended = engine.ended()
    for trial in search.open:
        if trial.job.key in ended:
            search.seconds.append(time.monotonic() - trial.started)
            trial.here = False
    idle = [trial for trial in search.open if not trial.here and not lease.is_held(trial.job.folder)]
    return any([_settle(search, trial) or _start(trial, engine) for trial in idle])


def _settle(search: Search, trial: OpenTrial) -> bool:
    outcome = study.outcome(trial.job.folder, search.metric, search.direction, trial.starts)
    if outcome is None:
        return False
    _report(trial, outcome.curve)
    if outcome.reason:
        trial.handle.set_user_attr(study.REASON, outcome.reason)
    search.study.tell(trial.handle.number, outcome.value, outcome.state)
    search.open.remove(trial)
    return True


def _start(trial: OpenTrial, engine: Engine) -> bool:
    if not engine.start(trial.job):
        return False
    trial.here, trial.started, trial.starts = True, time.monotonic(), trial.starts + 1
    return True


def _report(trial: OpenTrial, curve: Mapping[int, float]) -> None:
    """Tells Optuna of the epochs that it has not heard of."""
    for epoch in sorted(set(curve) - set(trial.curve)):
        trial.handle.report(curve[epoch], epoch)
        trial.curve[epoch] = curve[epoch]


def _prune(trial: OpenTrial) -> None:
    """Asks the runner of a hopeless trial, wherever it is, to stop it."""
    if len(trial.curve) > trial.judged:
        trial.judged = len(trial.curve)
        if trial.handle.should_prune():
            write_text(trial.job.folder / runner.STOP, f"pruned after epoch {max(trial.curve)}\n")
