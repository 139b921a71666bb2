"""Plots of a run: precision against recall, confusions, and losses and metrics over the training.

Matplotlib is imported inside the functions, and its figures are made directly rather than through
pyplot, whose global state is shared by all threads and picks a screen.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retable.errors import DataError
from retable.files import write_atomically
from retable.metrics.average_precision import average_precision_voc07, average_precision_voc12, envelope
from retable.metrics_csv import Points, read_curves

# Okabe and Ito's palette: told apart by colour-blind readers. Yellow is left out, too pale on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_DPI = 150


def new_figure(columns: int, width: float = 6.4, height: float = 4.6) -> tuple[Any, Any]:
    """Makes a figure with panels side by side.

    Args:
        columns: Number of panels.
        width: Inches of each.
        height: Inches of all.

    Returns:
        The figure, and its panels as an array.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width * columns, height), dpi=_DPI, layout="constrained")
    axes = figure.subplots(1, columns, squeeze=False)[0]
    for panel in axes:
        panel.grid(alpha=0.25, linewidth=0.6)
        panel.set_axisbelow(True)
        for side in ("top", "right"):
            panel.spines[side].set_visible(False)
    return figure, axes


def save_figure(figure: Any, path: Path) -> None:
    """Writes a figure as PNG, complete or not at all; the same figure gives the same bytes.

    Raises:
        OSError: The file cannot be written.
    """
    # no version or date in the file
    write_atomically(path, lambda temporary: figure.savefig(temporary, format="png", metadata={"Software": None}))


def precision_recall_plot(curves: Mapping[str, Mapping[str, NDArray[Any]]], path: str | Path) -> None:
    """Plots precision-recall curves with their envelopes, and both average precisions in the legend.

    Args:
        curves: Name (class or model) to a mapping with `precision` (D,) and `recall` (D,) at IoU 0.5, as
            `DetectionAveragePrecision.curve` returns them.
        path: The PNG file to write, complete or not at all.

    Raises:
        OSError: The file cannot be written.
    """
    figure, (panel,) = new_figure(1)
    for index, (name, curve) in enumerate(curves.items()):
        colour = COLOURS[index % len(COLOURS)]
        precision, recall = np.asarray(curve["precision"]), np.asarray(curve["recall"])
        if len(recall) == 0 or np.isnan(recall).any():
            reason = "no detections" if len(recall) == 0 else "no ground truth"
            panel.plot([], [], color=colour, label=f"{name}: {reason}")
            continue
        voc07 = 100 * average_precision_voc07(precision, recall)
        voc12 = 100 * average_precision_voc12(precision, recall)
        steps = envelope(precision, recall)
        panel.plot(recall, precision, color=colour, linewidth=0.8, alpha=0.35)
        # The envelope reaches back to recall 0 and drops to 0 after the last detection.
        panel.step(
            np.concatenate([[0.0], recall, recall[-1:]]),
            np.concatenate([steps[:1], steps, [0.0]]),
            where="pre",
            color=colour,
            linewidth=2.0,
            label=f"{name}: AP {voc07:.1f} (VOC07), {voc12:.1f} (VOC12)",
        )
    panel.set(xlim=(0, 1.01), ylim=(0, 1.03), xlabel="recall", ylabel="precision")
    panel.set_title("Precision and recall at IoU 0.5")
    if curves:
        panel.legend(loc="lower left", frameon=True, framealpha=0.9, fontsize=9)
    save_figure(figure, Path(path))


def confusion_matrix_plot(matrix: NDArray[Any], names: Sequence[str], path: str | Path) -> None:
    """Plots a confusion matrix: counts in the cells, shades by the part of the row.

    Args:
        matrix: (C, C) counts; rows are true classes, columns predicted ones.
        names: C names of the classes.
        path: The PNG file to write, complete or not at all.

    Raises:
        OSError: The file cannot be written.
    """
    figure, (panel,) = new_figure(1)
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
    save_figure(figure, Path(path))


def epochs_plot(csv_path: str | Path, png_path: str | Path, quantities: Sequence[str]) -> None:
    """Plots quantities of training and validation against the epoch, each in a panel of its own.

    Args:
        csv_path: metrics.csv with the columns epoch, train/NAME and val/NAME; rows may be sparse. An epoch that was
            logged more than once has its last value.
        png_path: The PNG file to write, complete or not at all.
        quantities: The names, such as ``accuracy``.

    Raises:
        DataError: The metrics file is missing or holds none of these.
        OSError: The picture cannot be written.
    """
    curves = read_curves(Path(csv_path), "epoch")
    shown = {name: [f"{split}/{name}" for split in ("train", "val")] for name in quantities}
    shown = {name: [column for column in columns if column in curves] for name, columns in shown.items()}
    if not any(shown.values()):
        raise DataError(f"{csv_path}: holds neither training nor validation values of {', '.join(quantities)}")
    figure, axes = new_figure(len(quantities))
    for panel, (name, columns) in zip(axes, shown.items(), strict=True):
        for index, column in enumerate(columns):
            epochs, values = np.array(curves[column]).T
            label = f"{'training' if column.startswith('train/') else 'validation'} ({values[-1]:.3g})"
            marker = "o" if len(values) <= 30 else None
            panel.plot(
                epochs + 1, values, color=COLOURS[index], linewidth=1.6, marker=marker, markersize=3.5, label=label
            )
        panel.set(xlabel="epoch", ylabel=name)
        panel.set_ylim(bottom=0)
        if columns:
            panel.legend(fontsize=8, frameon=True, framealpha=0.85)
    save_figure(figure, Path(png_path))


def loss_curves_plot(csv_path: str | Path, png_path: str | Path) -> None:
    """Draws what a run logged: losses on the left, metrics between 0 and 1 on the right, each in a colour of its own.

    Losses are the columns with `loss` in their names. Metrics are the other columns below `train/` or `val/` whose
    values stay in [0, 1]. Validation is a line, training one too (dashed where there are both), the test a point; what
    was only tested is no curve and is left out. Long, noisy curves are drawn faintly with their exponential mean over
    them. Values that are not finite leave gaps.

    Args:
        csv_path: metrics.csv with columns epoch, step, train/loss, ..., val/ap50_voc07, ...; rows may be sparse.
        png_path: The PNG file to write, complete or not at all.

    Raises:
        DataError: The metrics file is missing or holds no curve.
        OSError: The picture cannot be written.
    """
    curves = read_curves(Path(csv_path))
    trained = {_quantity(name) for name in curves if not name.startswith("test/")}
    shown = {name: points for name, points in curves.items() if _quantity(name) in trained}
    losses = {name: points for name, points in shown.items() if "loss" in name}
    metrics = {name: points for name, points in shown.items() if name not in losses and _is_metric(name, points)}
    panels = [(kind, group) for kind, group in (("loss", losses), ("metric", metrics)) if group]
    if not panels:
        raise DataError(f"{csv_path}: neither losses nor metrics in it to plot")
    figure, axes = new_figure(len(panels), width=8.4)
    for panel, (kind, group) in zip(axes, panels, strict=True):
        names = sorted({_quantity(name) for name in group})
        for name, colour in zip(names, _distinct_colours(len(names)), strict=True):
            _draw_quantity(panel, name, group, colour)
        panel.set(xlabel="step", ylabel=kind)
        if kind == "metric":
            panel.set_ylim(-0.02, 1.02)
        else:
            _choose_loss_scale(panel, [y for points in group.values() for _, y in points if math.isfinite(y)])
        panel.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0, fontsize=8, frameon=False)
    save_figure(figure, Path(png_path))


def _is_metric(name: str, points: Points) -> bool:
    finite = [value for _, value in points if math.isfinite(value)]
    return name.startswith(("train/", "val/", "test/")) and bool(finite) and min(finite) >= 0 and max(finite) <= 1


def _quantity(name: str) -> str:
    """A column's name without its split."""
    return name.removeprefix("train/").removeprefix("val/").removeprefix("test/")


def _distinct_colours(count: int) -> Sequence[Any]:
    if count <= len(COLOURS):
        return COLOURS[:count]
    from matplotlib import colormaps

    return [colormaps["turbo"](place) for place in np.linspace(0.03, 0.97, count)]


def _draw_quantity(panel: Any, name: str, group: Mapping[str, Points], colour: Any) -> None:
    """Draws a quantity of each split that has it, under one name and with its last values in the legend."""
    found = {split: group[f"{split}{name}"] for split in ("train/", "val/", "test/", "") if f"{split}{name}" in group}
    marks = {"train/": "train (dashed)" if "val/" in found else "train", "test/": "test (◆)"}
    last = [f"{marks.get(split, split.rstrip('/'))} {points[-1][1]:.3g}".lstrip() for split, points in found.items()]
    label = f"{name}: {', '.join(last)}"
    for split, points in found.items():
        steps, values = np.array(points).T
        line = "--" if split == "train/" and "val/" in found else "-"
        if split == "test/":
            panel.plot(steps, values, "D", color=colour, markersize=7, markeredgecolor="black", label=label)
        elif len(values) <= 30:
            panel.plot(steps, values, line, color=colour, linewidth=1.7, marker="o", markersize=3.5, label=label)
        else:
            panel.plot(steps, values, color=colour, linewidth=0.7, alpha=0.3)
            panel.plot(
                steps, _exponential_mean(values, len(values) / 30), line, color=colour, linewidth=1.7, label=label
            )
        label = "_nolegend_"  # matplotlib leaves out what begins so


def _exponential_mean(values: NDArray[np.float64], length: float) -> NDArray[np.float64]:
    """Smooth over about `length` values, unbiased at the start; gaps stay gaps and are skipped."""
    keep = 1 - 1 / max(1.0, length)
    smooth, total, weight = np.empty_like(values), 0.0, 0.0
    for index, value in enumerate(values):
        if math.isfinite(value):
            total, weight = keep * total + value, keep * weight + 1.0
        smooth[index] = total / weight if math.isfinite(value) else math.nan
    return smooth


def _choose_loss_scale(panel: Any, values: Sequence[float]) -> None:
    if values and min(values) > 0 and max(values) > 50 * min(values):
        panel.set_yscale("log")
    elif values and min(values) >= 0:
        panel.set_ylim(bottom=0)
