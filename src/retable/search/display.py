"""What the terminal shows of a search: the trials that run now, and what it came to."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from optuna.trial import FrozenTrial, TrialState
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table as Grid

from retable.search import study
from retable.search.loop import OpenTrial, Search
from retable.tables.display import duration, times
from retable.tables.store import LOG

_SHOWN = 10
WORDS = {TrialState.COMPLETE: "complete", TrialState.PRUNED: "pruned", TrialState.FAIL: "failed"}
"""What the states that end a trial are called."""


@contextmanager
def live(search: Search, workers: int) -> Iterator[Callable[[Search], None]]:
    """While trials run: those that do, and the best so far; without a terminal one line for each that has ended.

    Yields:
        What to call with the search.
    """
    console = Console()
    started = time.monotonic()
    seen = {trial.number for trial in search.trials(*WORDS)}

    def news() -> Iterator[str]:
        for trial in search.trials(*WORDS):
            if trial.number not in seen:
                seen.add(trial.number)
                yield _told(search, trial)

    if not console.is_terminal:

        def tell(search: Search) -> None:
            for line in news():
                print(f"{line} ({_line(search, workers, started)})", flush=True)

        yield tell
        return
    with Live(console=console, refresh_per_second=4, transient=True) as screen:

        def show(search: Search) -> None:
            for line in news():
                screen.console.print(line, highlight=False, markup=False, soft_wrap=True)
            grid = _grid(search, "trial", "epoch", search.metric, "time")
            for trial in search.open:
                grid.add_row(*_row(trial))
            screen.update(Group(grid, _line(search, workers, started)))

        yield show


def _told(search: Search, trial: FrozenTrial) -> str:
    values = ", ".join(f"{key}={number(value)}" for key, value in study.values_of(trial).items())
    text = f"{WORDS[trial.state]}: trial {trial.number} ({values})"
    if trial.state is TrialState.FAIL:
        return f"{text}: {trial.user_attrs.get(study.REASON)}; {search.request.trial_folder(trial.number) / LOG}"
    return f"{text}: {search.metric} {number(trial.value)}"


def _grid(search: Search, first: str, *last: str) -> Grid:
    """An empty table with a column for each key that is searched; keys are broken at their dots."""
    grid = Grid()
    for name in (first, *search.request.space, *last):
        grid.add_column(name.replace(".", ".\n").replace(", ", "\n"), justify="right", no_wrap=True)
    return grid


def _row(trial: OpenTrial) -> list[str]:
    cells = [str(trial.handle.number), *(number(value) for value in trial.values.values())]
    epoch = max(trial.curve, default=None)
    cells += ["", ""] if epoch is None else [str(epoch + 1), number(trial.curve[epoch])]
    return [*cells, duration(time.monotonic() - trial.started) if trial.here else "waiting"]


def _line(search: Search, workers: int, started: float) -> str:
    left = max(search.n_trials - search.count(*WORDS), len(search.open))
    parts = [f"{tally(search)}, {left} left"]
    best = search.best()
    if best is not None:
        parts.append(f"best {number(best.value)} (trial {best.number})")
    running = [trial.started for trial in search.open if trial.here]
    return ", ".join([*parts, times(started, left, search.seconds, running, workers)])


def tally(search: Search) -> str:
    """How many trials have ended in which way."""
    return ", ".join(f"{search.count(state)} {word}" for state, word in WORDS.items())


def show_result(search: Search) -> None:
    """Prints the best trials, then the best one as a command line."""
    console = Console()
    complete = search.trials(TrialState.COMPLETE)
    complete.sort(key=lambda trial: trial.values[0], reverse=search.direction == "higher")
    console.print(f"\n{search.request.name}: {search.count()} trials ({tally(search)})", highlight=False)
    if complete:
        grid = _grid(search, "trial", f"{search.metric}, {search.direction} is better")
        for trial in complete[:_SHOWN]:
            values = study.values_of(trial)
            grid.add_row(str(trial.number), *(number(values[key]) for key in search.request.space), number(trial.value))
        console.print(grid)
        best = complete[0]
        print(
            f"best: trial {best.number}, {search.metric} {number(best.value)}, in "
            f"{search.request.trial_folder(best.number)}; test metrics played no part\n"
            f"{search.request.command(study.values_of(best))}"
        )


def number(value: float | str | None) -> str:
    """A number in few digits; what is none stays as it is."""
    try:
        return f"{float(value):.4g}" if value is not None else ""
    except ValueError:
        return str(value)
