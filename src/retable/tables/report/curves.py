"""Training curves: what each cell logged, one colour for each row and one line for each seed."""

import contextlib
import csv
import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from io import StringIO
from pathlib import Path

from retable.run import paths
from retable.tables.report import formatting, view_model
from retable.tables.report.charts import WIDTH, line, svg, text
from retable.tables.report.markup import Markup, tag
from retable.tables.report.scale import Scale, fit
from retable.tables.results import TableResult
from retable.tables.spec import Column

Points = list[tuple[float, float]]

COLOURS = 5
"""Rows to a panel: as many colours as can be told apart with any colour vision, in both themes."""
_LOSS = "train/loss"  # a GAN has two: train/loss_generator, train/loss_discriminator
_HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 190, 42, 8, 8, 34
_MOST_POINTS, _FEWEST_POINTS = 100, 40  # as many as a panel can show
_POINTS_IN_ALL = 60_000  # keeps the page at about a megabyte, however many cells there are


@dataclass(frozen=True)
class Line:
    """The curve of one cell."""

    row: str
    seed: int
    points: Points


@dataclass
class Panel:
    """One quantity of one set of cells; columns that share their cells share the panel of their losses."""

    quantity: str
    unit: str
    columns: list[Column] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)


def panels(result: TableResult) -> list[Panel]:
    """For each column the loss and the validation metric of all its cells, where they were logged."""
    columns = result.table.columns
    wanted = {_validation(column) for column in columns.values()}
    logged = {cell: read(status.folder / paths.METRICS, wanted) for cell, status in result.statuses.items()}
    losses = sorted({name for found in logged.values() for name in found if name.startswith(_LOSS)})
    found: dict[tuple[str, tuple[str, ...], float], Panel] = {}
    for label, column in columns.items():
        cells = {
            (row, seed): cell.id
            for (row, other), entry in result.entries.items()
            if other == label
            for seed, cell in entry.cells.items()
        }
        quantities = [(loss, "", 1.0) for loss in losses] + [(_validation(column), column.unit, column.scale)]
        for quantity, unit, scale in quantities:
            panel = found.setdefault((quantity, tuple(cells.values()), scale), Panel(quantity, unit))
            panel.columns.append(column)
            if len(panel.columns) == 1:
                panel.lines += [
                    Line(row, seed, [(x, y * scale) for x, y in logged[identity][quantity]])
                    for (row, seed), identity in cells.items()
                    if quantity in logged[identity]
                ]
    return _thinned([panel for panel in found.values() if panel.lines])


def _validation(column: Column) -> str:
    """What a column's metric is called while the training runs."""
    return f"val/{column.metric.rpartition('/')[2]}"


def _thinned(found: list[Panel]) -> list[Panel]:
    """The panels with so few points on each line that the page stays small."""
    count = sum(len(panel.lines) for panel in found)
    most = max(_FEWEST_POINTS, min(_MOST_POINTS, _POINTS_IN_ALL // max(1, count)))
    return [
        replace(panel, lines=[replace(curve, points=thin(curve.points, most)) for curve in panel.lines])
        for panel in found
    ]


def read(path: Path, names: Collection[str]) -> dict[str, Points]:
    """Reads some quantities from a metrics file, as far as it can be read.

    Args:
        path: CSV with columns ``step`` (or else ``epoch``), ``train/loss`` and so on, each line with some of them.
        names: The quantities; losses of the training, all that begin with ``train/loss``, are read as well.

    Returns:
        For each the points in the order of their steps. What is missing, damaged or not finite is left out; of a step
        that a resumed run logged again the last counts.
    """
    try:
        content = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    content = content[: content.rfind("\n") + 1]  # a line that was cut off may end in half a number
    lines = csv.reader(StringIO(content.replace("\0", "")))
    points: dict[str, dict[float, float]] = {}
    with contextlib.suppress(ValueError, csv.Error):  # without an abscissa there is no curve; bytes are not read on
        heading = next(lines, [])
        abscissa = heading.index("step" if "step" in heading else "epoch")
        wanted = [(index, name) for index, name in enumerate(heading) if name in names or name.startswith(_LOSS)]
        for values in lines:
            for index, name in wanted:
                if max(index, abscissa) < len(values) and values[index]:
                    place, value = _number(values[abscissa]), _number(values[index])
                    if place is not None and value is not None:
                        points.setdefault(name, {})[place] = value
    return {name: sorted(found.items()) for name, found in points.items()}


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def thin(points: Points, most: int) -> Points:
    """At most so many points, each the mean of a stretch of the curve."""
    length = -(-len(points) // most)
    if length <= 1:
        return points
    stretches = [points[start : start + length] for start in range(0, len(points), length)]
    return [
        (sum(x for x, _ in stretch) / len(stretch), sum(y for _, y in stretch) / len(stretch)) for stretch in stretches
    ]


def groups(result: TableResult, found: Sequence[Panel]) -> list[list[str]]:
    """The rows that have curves, in parts for which there are enough colours."""
    drawn = {curve.row for panel in found for curve in panel.lines}
    return view_model.parts([row for row in result.table.rows if row in drawn], COLOURS)


def draw(panel: Panel, rows: Sequence[str]) -> Markup | None:
    """The curves of some rows in a panel, on the scale of all; None if none of them has one."""
    chosen = [curve for curve in panel.lines if curve.row in rows]
    if not chosen:
        return None
    points = [point for curve in panel.lines for point in curve.points]
    xs = fit([x for x, _ in points], _LEFT, WIDTH - _RIGHT, margin=0.02)
    ys = fit([y for _, y in points], _HEIGHT - _BOTTOM, _TOP, may_be_log=panel.quantity == _LOSS)
    drawn = [*_axes(xs, ys), text(WIDTH - _RIGHT, _HEIGHT - 4, "step", "tick", "end")]
    for curve in chosen:
        x, y = curve.points[-1]
        title = tag("title", f"{curve.row}, seed {curve.seed}: {formatting.number(y, 3)} at step {x:.0f}")
        colour = f"c{rows.index(curve.row) + 1}"
        if len(curve.points) == 1:
            drawn.append(tag("circle", title, cx=xs(x), cy=ys(y), r=3, class_=f"{colour} dot"))
        else:
            path = " ".join(f"{xs(x)},{ys(y)}" for x, y in curve.points)
            drawn.append(tag("polyline", title, points=path, class_=f"{colour} curve"))
    label = f"{panel.quantity} during training for {formatting.listed(rows)}"
    return svg(WIDTH, _HEIGHT, label, *drawn)


def _axes(xs: Scale, ys: Scale) -> Iterator[Markup]:
    for value, words in ys.ticks().items():
        yield line(_LEFT, ys(value), WIDTH - _RIGHT, ys(value), "grid")
        yield text(_LEFT - 6, ys(value) + 4, words, "tick", "end")
    for value, words in xs.ticks().items():
        yield line(xs(value), _HEIGHT - _BOTTOM, xs(value), _HEIGHT - _BOTTOM + 3, "axis")
        yield text(xs(value), _HEIGHT - _BOTTOM + 14, words, "tick", "middle")
    yield line(_LEFT, _HEIGHT - _BOTTOM, WIDTH - _RIGHT, _HEIGHT - _BOTTOM, "axis")


def legend(rows: Sequence[str]) -> Markup:
    """The rows with their colours."""
    items = []
    for index, row in enumerate(rows, 1):
        drawing = tag(
            "svg",
            line(0, 8, 22, 8, f"c{index} curve"),
            class_="chart",
            width=22,
            height=16,
            viewBox="0 0 22 16",
            aria_hidden="true",
        )
        items.append(tag("span", drawing, row))
    return tag("p", *items, class_="key")
