"""Plots of a run: precision against recall, confusions, and losses and metrics over the training.

Matplotlib is imported inside the functions, and its figures are made directly rather than through
pyplot, whose global state is shared by all threads and picks a screen.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retable.errors import DataError
from retable.files import write_atomically
from retable.metrics.average_precision import average_precision_voc07, average_precision_voc12

# Okabe and Ito's palette: told apart by colour-blind readers. Yellow is left out, too pale on white.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_DPI = 150


def _figure(columns: int) -> tuple[Any, Sequence[Any]]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4 * columns, 4.6), dpi=_DPI, layout="constrained")
    axes = figure.subplots(1, columns, squeeze=False)[0]
    for panel in axes:
        panel.grid(alpha=0.25, linewidth=0.6)
        panel.set_axisbelow(True)
        for side in ("top", "right"):
            panel.spines[side].set_visible(False)
    return figure, axes


def _save(figure: Any, path: Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure)
    # No version or date in the file: the same run gives the same bytes.
    write_atomically(path, lambda temporary: figure.savefig(temporary, format="png", metadata={"Software": None}))


def precision_recall_plot(
    curves: Mapping[str, Mapping[str, NDArray[Any]]],
    path: str | Path,
    title: str = "Precision and recall at IoU 0.5",
) -> None:
    """Plot precision-recall curves with their envelopes, and both average precisions in the legend.

    Args:
        curves: Name (class or model) to a mapping with `precision` (D,) and `recall` (D,), as
            `DetectionAveragePrecision.curve` returns them.
        path: The PNG file to write, complete or not at all.
        title: Written above.

    Raises:
        OSError: The file cannot be written.
    """
    figure, (panel,) = _figure(1)
    for index, (name, curve) in enumerate(curves.items()):
        colour = _COLOURS[index % len(_COLOURS)]
        precision, recall = np.asarray(curve["precision"]), np.asarray(curve["recall"])
        if len(recall) == 0 or np.isnan(recall).any():
            reason = "no detections" if len(recall) == 0 else "no ground truth"
            panel.plot([], [], color=colour, label=f"{name}: {reason}")
            continue
        voc07 = 100 * average_precision_voc07(precision, recall)
        voc12 = 100 * average_precision_voc12(precision, recall)
        envelope = np.maximum.accumulate(precision[::-1])[::-1]
        panel.plot(recall, precision, color=colour, linewidth=0.8, alpha=0.35)
        # The envelope reaches back to recall 0 and drops to 0 after the last detection.
        panel.step(
            np.concatenate([[0.0], recall, recall[-1:]]),
            np.concatenate([envelope[:1], envelope, [0.0]]),
            where="pre",
            color=colour,
            linewidth=2.0,
            label=f"{name}: AP {voc07:.1f} (VOC07), {voc12:.1f} (VOC12)",
        )
    panel.set(xlim=(0, 1.01), ylim=(0, 1.03), xlabel="recall", ylabel="precision", title=title)
    if curves:
        panel.legend(loc="lower left", frameon=True, framealpha=0.9, fontsize=9)
    _save(figure, Path(path))


def confusion_matrix_plot(matrix: NDArray[Any], names: Sequence[str], path: str | Path) -> None:
    """Plot a confusion matrix: counts in the cells, shades by the part of the row.

    Args:
        matrix: (C, C) counts; rows are true classes, columns predicted ones.
        names: C names of the classes.
        path: The PNG file to write, complete or not at all.

    Raises:
        OSError: The file cannot be written.
    """
    figure, (panel,) = _figure(1)
    figure.set_size_inches(1.8 + 0.68 * len(names), 1.5 + 0.6 * len(names))
    counts = np.asarray(matrix)
    parts = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    panel.imshow(parts, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        if count:
            colour = "white" if parts[row, column] > 0.5 else "black"
            panel.text(column, row, f"{count:g}", ha="center", va="center", color=colour, fontsize=9)
    panel.set_xticks(range(len(names)), names, rotation=35, ha="right", rotation_mode="anchor", fontsize=8)
    panel.set_yticks(range(len(names)), names, fontsize=8)
    panel.set(xlabel="predicted", ylabel="true")
    panel.grid(False)
    _save(figure, Path(path))


def epochs_plot(csv_path: str | Path, png_path: str | Path, quantities: Sequence[str]) -> None:
    """Plot quantities of training and validation against the epoch, each in a panel of its own.

    Args:
        csv_path: metrics.csv with the columns epoch, train/NAME and val/NAME; rows may be sparse. An epoch that was
            logged more than once has its last value.
        png_path: The PNG file to write, complete or not at all.
        quantities: The names, such as ``accuracy``.

    Raises:
        DataError: The metrics file is missing or holds none of these.
        OSError: The picture cannot be written.
    """
    curves = read_curves(csv_path, "epoch")
    shown = {name: [f"{split}/{name}" for split in ("train", "val")] for name in quantities}
    shown = {name: [column for column in columns if column in curves] for name, columns in shown.items()}
    if not any(shown.values()):
        raise DataError(f"{csv_path}: holds neither training nor validation values of {', '.join(quantities)}")
    figure, axes = _figure(len(quantities))
    for panel, (name, columns) in zip(axes, shown.items(), strict=True):
        for index, column in enumerate(columns):
            epochs, values = curves[column]
            label = f"{'training' if column.startswith('train/') else 'validation'} ({values[-1]:.3g})"
            marker = "o" if len(values) <= 30 else None
            panel.plot(
                epochs + 1, values, color=_COLOURS[index], linewidth=1.6, marker=marker, markersize=3.5, label=label
            )
        panel.set(xlabel="epoch", ylabel=name)
        panel.set_ylim(bottom=0)
        if columns:
            panel.legend(fontsize=8, frameon=True, framealpha=0.85)
    _save(figure, Path(png_path))


def read_curves(
    path: str | Path, abscissa: str | None = None
) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Read the columns of a metrics file, whose rows each fill some columns only.

    Args:
        path: CSV with a heading.
        abscissa: The column of the abscissa; None takes `step`, or else `epoch`.

    Returns:
        For each other column with numbers: (N,) steps in increasing order, and (N,) values. A step that a
        resumed run wrote again has its last value. A last line that was cut off is left out.

    Raises:
        DataError: The file is missing, or has neither a column `step` nor `epoch`.
    """
    path = Path(path)
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such metrics file; has the run trained at all?") from None
    columns = rows[0].keys() if rows else []
    abscissa = next((name for name in ([abscissa] if abscissa else ["step", "epoch"]) if name in columns), None)
    if abscissa is None:
        raise DataError(f"{path}: not a metrics file: no column step or epoch, or no rows")
    values: dict[str, dict[float, float]] = {}
    for row in rows:
        step = _number(row.get(abscissa))
        if step is None:
            continue
        for name, text in row.items():
            value = _number(text)
            if name not in ("step", "epoch", None) and value is not None:
                values.setdefault(name, {})[step] = value
    return {
        name: (np.array(sorted(points)), np.array([points[step] for step in sorted(points)]))
        for name, points in values.items()
    }


def _number(text: Any) -> float | None:
    try:
        return float(text)
    except (TypeError, ValueError):
        return None


def loss_curves_plot(csv_path: str | Path, png_path: str | Path) -> None:
    """Plot what a run logged: losses on the left, metrics between 0 and 1 on the right.

    Losses are the columns with `loss` in their names. Metrics are the other columns below `train/`, `val/`
    or `test/` whose values stay in [0, 1]; a single value is a dot. Long, noisy curves are drawn faintly
    with their exponential mean over them. Values that are not finite leave gaps.

    Args:
        csv_path: metrics.csv with columns epoch, step, train/loss, ..., val/ap50_voc07, ...; rows may be
            sparse.
        png_path: The PNG file to write, complete or not at all.

    Raises:
        DataError: The metrics file is missing or holds no curve.
        OSError: The picture cannot be written.
    """
    curves = read_curves(csv_path)
    losses = {name: curve for name, curve in curves.items() if "loss" in name}
    metrics = {
        name: curve
        for name, curve in curves.items()
        if name not in losses
        and name.startswith(("train/", "val/", "test/"))
        and np.isfinite(curve[1]).any()
        and np.nanmin(curve[1]) >= 0
        and np.nanmax(curve[1]) <= 1
    }
    panels = [(kind, group) for kind, group in (("loss", losses), ("metric", metrics)) if group]
    if not panels:
        raise DataError(f"{csv_path}: neither losses nor metrics in it to plot")
    figure, axes = _figure(len(panels))
    for panel, (kind, group) in zip(axes, panels, strict=True):
        for index, (name, (steps, values)) in enumerate(sorted(group.items())):
            _draw_curve(panel, name, steps, values, _COLOURS[index % len(_COLOURS)])
        panel.set(xlabel="step", ylabel=kind)
        if kind == "metric":
            panel.set_ylim(0, 1.02)
        else:
            _choose_loss_scale(panel, [values for _, values in group.values()])
        place = "upper right" if kind == "loss" else "lower right"  # "best" is slow with many points
        panel.legend(loc=place, fontsize=8, frameon=True, framealpha=0.85)
    _save(figure, Path(png_path))


def _draw_curve(panel: Any, name: str, steps: NDArray[np.float64], values: NDArray[np.float64], colour: str) -> None:
    few = len(values) <= 30
    label = f"{name} ({values[-1]:.3g})"
    if few:
        panel.plot(steps, values, color=colour, linewidth=1.6, marker="o", markersize=3.5, label=label)
        return
    panel.plot(steps, values, color=colour, linewidth=0.7, alpha=0.3)
    panel.plot(steps, _exponential_mean(values, len(values) / 30), color=colour, linewidth=1.8, label=label)


def _exponential_mean(values: NDArray[np.float64], length: float) -> NDArray[np.float64]:
    """Smooth over about `length` values, unbiased at the start; gaps stay gaps and are skipped."""
    keep = 1 - 1 / max(1.0, length)
    smooth, total, weight = np.empty_like(values), 0.0, 0.0
    for index, value in enumerate(values):
        if math.isfinite(value):
            total, weight = keep * total + value, keep * weight + 1.0
        smooth[index] = total / weight if math.isfinite(value) else math.nan
    return smooth


def _choose_loss_scale(panel: Any, groups: Sequence[NDArray[np.float64]]) -> None:
    values = np.concatenate(groups)
    values = values[np.isfinite(values)]
    if len(values) > 0 and values.min() > 0 and values.max() > 50 * values.min():
        panel.set_yscale("log")
    elif len(values) > 0 and values.min() >= 0:
        panel.set_ylim(bottom=0)
