"""What a search leaves beside its trials: ``trials.csv``, ``history.png`` and ``importance.png``."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from retable.files import write_csv
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
    complete = search.trials(TrialState.COMPLETE)
    written: dict[str, Path | str] = {
        "trials.csv": _write_trials(search, folder / "trials.csv"),
        "history.png": "no trial is complete yet",
        "importance.png": f"needs {_ENOUGH} complete trials, there are {len(complete)}",
    }
    if complete:
        written["history.png"] = _draw_history(search, complete, folder / "history.png")
    if len(complete) >= _ENOUGH:
        written["importance.png"] = "all trials have the same value"
    if len(complete) >= _ENOUGH and len({trial.value for trial in complete}) > 1:
        written["importance.png"] = _draw_importance(search, complete, folder / "importance.png")
    return written


def _write_trials(search: Search, path: Path) -> Path:
    keys = list(search.request.space)
    rows: list[list[Any]] = [["trial", "state", search.metric, *keys, "epochs", "reason", "folder"]]
    for trial in search.trials():
        values = study.values_of(trial)
        state = WORDS.get(trial.state, "unfinished")
        value = "" if trial.value is None else repr(trial.value)
        reason = trial.user_attrs.get(study.REASON, "")
        folder = search.request.trial_folder(trial.number)
        searched = (values.get(key, "") for key in keys)
        rows.append([trial.number, state, value, *searched, len(trial.intermediate_values), reason, folder])
    write_csv(path, rows)
    return path


def _draw_history(search: Search, complete: Sequence[FrozenTrial], path: Path) -> Path:
    """Each trial's value, and the best so far."""
    figure, (panel,) = new_figure(1, height=4.2)
    pruned = [(trial.number, trial.value) for trial in search.trials(TrialState.PRUNED) if trial.value is not None]
    failed = [trial.number for trial in search.trials(TrialState.FAIL)]
    numbers, values = [trial.number for trial in complete], [trial.values[0] for trial in complete]
    best = (np.maximum if search.direction == "higher" else np.minimum).accumulate(values)
    end = max(trial.number for trial in search.trials()) + 0.5
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
