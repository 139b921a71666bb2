"""What is kept of a search: Optuna's journal of its trials, and what was searched.

The journal says which trials there are and what has been told of them; what became of a trial that is not over yet is
on the disk, in its folder. So the process that searches may be killed at any moment: whoever opens the study again
finds the trials that were running and goes on with them.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from retable.errors import ConfigError, DataError, StorageError
from retable.files import write_text
from retable.metrics_csv import Points, read_curves
from retable.run import paths, record
from retable.search.request import TRIALS, Request
from retable.tables import runner, store

JOURNAL = "journal.log"
SEARCH = "search.json"
REASON = "reason"
"""Name under which the journal keeps why a trial failed."""
_STARTS = 3
"""How often a trial is started in one call: one that was killed goes on, unless that happens again and again."""


def read_goal(request: Request, metric: str | None, direction: str | None) -> tuple[str, str] | None:
    """Metric and direction of the search that the folder holds; None if it holds none yet.

    Those that are asked for have to be the same; None asks for none.

    Raises:
        ConfigError: It is another search; the message names what differs.
    """
    path = request.folder / SEARCH
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise ConfigError(f"name: {path} is damaged ({error}); give another name") from error
    goal = {"metric": kept["metric"], "direction": kept["direction"]}
    asked = {"metric": metric or goal["metric"], "direction": direction or goal["direction"]}
    spaces = ({f"space.{key}": text for key, text in texts.items()} for texts in (kept["space"], request.texts))
    for theirs, ours in ((kept["fixed"], request.fixed), tuple(spaces), (goal, asked)):
        for key in sorted({*theirs, *ours}):
            if theirs.get(key) != ours.get(key):
                old, new = ("none" if facts.get(key) is None else facts[key] for facts in (theirs, ours))
                raise ConfigError(f"{key}: the search {request.name} has {old}, not {new}; give another name=...")
    return kept["metric"], kept["direction"]


def keep_goal(request: Request, metric: str, direction: str) -> None:
    """Notes what is searched, and by what."""
    kept = {"metric": metric, "direction": direction, "space": request.texts, "fixed": request.fixed}
    write_text(request.folder / SEARCH, json.dumps(kept, indent=2) + "\n")


def open_study(folder: Path, direction: str) -> Study:
    """Opens the journal of a search, or begins it.

    Raises:
        ConfigError: There are trials that the journal does not know of: their values are lost.
        StorageError: The journal is damaged.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    journal = folder / JOURNAL
    _mend(journal)
    try:
        study = optuna.create_study(
            storage=JournalStorage(JournalFileBackend(str(journal))),
            study_name="search",  # not its name: folders are moved
            direction="maximize" if direction == "higher" else "minimize",
            load_if_exists=True,
        )
    except ValueError as error:
        raise StorageError(f"{journal}: damaged ({error}); give another name=...") from error
    known = len(study.get_trials(deepcopy=False))
    for trial in (folder / TRIALS).glob("[0-9]*"):
        if int(trial.name) >= known:
            raise ConfigError(f"name: {trial} is there, but not in {JOURNAL}; remove {folder}, or give another name")
    return study


def _mend(journal: Path) -> None:
    """Drops what an interrupted process or a full disk has left: half a last line, Optuna's lock."""
    journal.with_name(f"{journal.name}.lock").unlink(missing_ok=True)
    if journal.exists():
        with journal.open("r+b") as file:
            content = file.read()
            file.truncate(content.rfind(b"\n") + 1)


@dataclass(frozen=True)
class Outcome:
    """How a trial ended."""

    state: TrialState  # COMPLETE, PRUNED or FAIL
    curve: dict[int, float]  # its validation values by epoch
    value: float | None = None  # the best of them, of a complete trial
    reason: str = ""  # why it failed


def outcome(folder: Path, metric: str, direction: str, starts: int) -> Outcome | None:
    """How the trial in a folder, which nobody runs now, ended; None if it is to be run or continued.

    `starts` is how often it has been started in this call.

    Raises:
        ConfigError: The run is finished and has never logged the metric.
        StorageError: A result could not be written.
    """
    try:
        finished = record.read(folder)
    except DataError:
        pass
    else:
        return _of_finished(folder, finished, metric, direction)
    if (folder / runner.STOP).exists():
        return Outcome(TrialState.PRUNED, curve(folder, metric))
    failure = store.read_failure(folder)
    if failure is not None and failure.exit_code == StorageError.exit_code and starts > 0:
        raise StorageError(f"{folder}: a result could not be written; make room, the same command goes on")
    last_chance = starts >= _STARTS
    if failure is not None and (last_chance or not failure.transient):
        told = [line.removeprefix("error: ") for line in failure.lines if line.startswith("error: ")]
        return Outcome(TrialState.FAIL, curve(folder, metric), reason=": ".join([failure.reason, *told[-1:]]))
    if last_chance:
        return Outcome(TrialState.FAIL, curve(folder, metric), reason="its runner was ended again and again")
    return None


def _of_finished(folder: Path, finished: record.Record, metric: str, direction: str) -> Outcome:
    logged = list(_curves(folder))
    if metric not in logged:
        raise ConfigError(f"metric: the run in {folder} has logged no {metric}, but {', '.join(logged) or 'nothing'}")
    # a dataset without a test split is tested on val, after the last epoch: that row is not the training's
    epochs = finished.metrics.get("train/epochs")
    found = {epoch: value for epoch, value in curve(folder, metric).items() if epochs is None or epoch < epochs}
    if not found:
        return Outcome(TrialState.FAIL, found, reason=f"{metric} was never a finite number")
    return Outcome(TrialState.COMPLETE, found, max(found.values()) if direction == "higher" else min(found.values()))


def curve(folder: Path, metric: str) -> dict[int, float]:
    """Finite values of a metric by epoch, as far as the run in a folder has come."""
    return {int(epoch): value for epoch, value in _curves(folder).get(metric, ()) if math.isfinite(value)}


def _curves(folder: Path) -> dict[str, Points]:
    try:
        return read_curves(folder / paths.METRICS, "epoch", lambda name: name.startswith("val/"))
    except DataError:  # nothing was logged yet
        return {}


def values_of(trial: FrozenTrial) -> dict[str, str]:
    """The values of a trial by key, as they stand on the command line."""
    return {key: value if isinstance(value, str) else repr(value) for key, value in trial.params.items()}
