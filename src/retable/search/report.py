"""What a search leaves beside its trials: ``trials.csv``, ``history.png`` and ``importance.png``."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from retable.files import write_text
from retable.search import study
from retable.search.display import WORDS
from retable.search.loop import Search
from retable.search.space import Choice, Dimension, Real
from retable.visualization.plots import COLOURS, new_figure, save_figure

_BLUE, _ORANGE = COLOURS[:2]
_GREY = "#777777"
_ENOUGH = 10
"""Complete trials below which an importance is a guess."""
_TARGET = 0.25
"""Importance is what tells the best quarter from all: Optuna's own tenth is one trial of ten, mostly chance."""
_PANELS = 3


def write(search: Search) -> dict[str, Path | str]:
    """Writes the files; for each its path, or why it was not written.

    Raises:
        OSError: A file cannot be written.
    """
    folder = search.request.folder
    trials = search.study.get_trials(deepcopy=False)
    complete = [trial for trial in trials if trial.state is TrialState.COMPLETE]
    written: dict[str, Path | str] = {"trials.csv": _write_trials(search, trials, folder / "trials.csv")}
    if complete:
        written["history.png"] = _draw_history(search, trials, folder / "history.png")
    else:
        written["history.png"] = "no trial is complete yet"
    values = {trial.value for trial in complete}
    if len(complete) >= _ENOUGH and len(values) > 1:
        written["importance.png"] = _draw_importance(search, complete, folder / "importance.png")
    elif len(complete) >= _ENOUGH:
        written["importance.png"] = "all trials have the same value"
    else:
        written["importance.png"] = f"needs {_ENOUGH} complete trials, there are {len(complete)}"
    return written


def _write_trials(search: Search, trials: Sequence[FrozenTrial], path: Path) -> Path:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    keys = list(search.request.space)
    writer.writerow(["trial", "state", search.metric, *keys, "epochs", "reason", "folder"])
    for trial in trials:
        values = study.values_of(trial)
        writer.writerow(
            [
                trial.number,
                WORDS.get(trial.state, "unfinished"),
                "" if trial.value is None else repr(trial.value),
                *(values.get(key, "") for key in keys),
                len(trial.intermediate_values),
                trial.user_attrs.get(study.REASON, ""),
                search.request.trial_folder(trial.number),
            ]
        )
    write_text(path, text.getvalue())
    return path


def _draw_history(search: Search, trials: Sequence[FrozenTrial], path: Path) -> Path:
    """Each trial's value, and the best so far."""
    figure, (panel,) = new_figure(1, height=4.2)
    complete = [(trial.number, trial.value) for trial in trials if trial.state is TrialState.COMPLETE]
    stopped = [trial for trial in trials if trial.state is TrialState.PRUNED and trial.value is not None]
    pruned = [(trial.number, trial.value) for trial in stopped]
    failed = [trial.number for trial in trials if trial.state is TrialState.FAIL]
    numbers, values = np.array([x for x, _ in complete]), np.array([y for _, y in complete], dtype=float)
    best = np.maximum.accumulate(values) if search.direction == "higher" else np.minimum.accumulate(values)
    end = max(trial.number for trial in trials) + 0.5
    panel.step([*numbers, end], [*best, best[-1]], where="post", color=_ORANGE, linewidth=1.8, label="best so far")
    panel.scatter(numbers, values, s=26, color=_BLUE, zorder=3, label=f"complete ({len(complete)})")
    if pruned:
        panel.scatter(
            *zip(*pruned, strict=True), s=26, facecolors="none", edgecolors=_GREY, zorder=2,
            label=f"pruned ({len(pruned)}), where it stopped",
        )  # fmt: skip
    if failed:
        panel.plot(
            failed, [0.015] * len(failed), "x", color=_GREY, markersize=6, clip_on=False,
            transform=panel.get_xaxis_transform(), label=f"failed ({len(failed)})",
        )  # fmt: skip
    panel.set(xlabel="trial", ylabel=_axis(search), title=search.request.name, xlim=(-0.5, end))
    panel.xaxis.get_major_locator().set_params(integer=True)
    figure.legend(fontsize=8, frameon=False, loc="outside lower center", ncols=4)
    save_figure(figure, path)
    return path


def _draw_importance(search: Search, complete: Sequence[FrozenTrial], path: Path) -> Path:
    """Shares of the keys in what makes trials good, and the value over each of the keys that matter most."""
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances  # they bring scikit-learn along

    shares = get_param_importances(search.study, evaluator=PedAnovaImportanceEvaluator(target_quantile=_TARGET))
    shown = list(shares)[:_PANELS]
    figure, (bars, *panels) = new_figure(1 + len(shown), width=4.2, height=4.2)
    names = list(reversed(shares))
    drawn = bars.barh(names, [shares[name] for name in names], color=_BLUE, height=0.6)
    bars.bar_label(drawn, fmt="%.2f", padding=3, fontsize=9)
    bars.set(xlabel="importance (PED-ANOVA)", xlim=(0, 1.15 * max(shares.values())), ylim=(-0.8, len(names) - 0.2))
    bars.set_title(f"what makes the best quarter of {len(complete)} trials", fontsize=10)
    values = [trial.values[0] for trial in complete]
    for key, panel in zip(shown, panels, strict=True):
        panel.scatter([trial.params[key] for trial in complete], values, s=26, color=_BLUE, alpha=0.8)
        panel.set_xlabel(key)
        _scale(panel, search.request.space[key])
    panels[0].set_ylabel(_axis(search))
    save_figure(figure, path)
    return path


def _scale(panel: Any, dimension: Dimension) -> None:
    """Shows the whole range that is searched."""
    if isinstance(dimension, Choice):
        panel.margins(x=0.25)
        return
    low, high = dimension.low, dimension.high
    if isinstance(dimension, Real) and dimension.log:
        from matplotlib.ticker import NullFormatter

        # matplotlib's own labels of a log axis run into each other where it spans few decades
        ticks = np.geomspace(low, high, 3)
        panel.set_xscale("log")
        panel.set_xticks(ticks, [f"{tick:.2g}" for tick in ticks])
        panel.xaxis.set_minor_formatter(NullFormatter())
        margin = (high / low) ** 0.05
        panel.set_xlim(low / margin, high * margin)
    else:
        margin = 0.05 * (high - low)
        panel.set_xlim(low - margin, high + margin)


def _axis(search: Search) -> str:
    return f"best {search.metric} ({search.direction} is better)"
