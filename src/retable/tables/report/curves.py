"""Training curves: what each cell logged, one colour for each row and one line for each seed."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean

from retable.errors import DataError
from retable.metrics_csv import Points, read_curves
from retable.run import paths
from retable.tables.report import view_model
from retable.tables.report.charts import WIDTH, Scale, fit
from retable.tables.results import TableResult
from retable.tables.spec import Column

COLOURS = 5
"""Rows to a panel: as many colours as can be told apart with any colour vision, in both themes."""
HEIGHT = 190
"""Pixels of a panel, which is as wide as a dot plot."""
LEFT, RIGHT, TOP, BOTTOM = 42, WIDTH - 8, 8, HEIGHT - 34
"""Pixels of the curves in it."""
_LOSS = "train/loss"  # a GAN has two: train/loss_generator, train/loss_discriminator
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

    def scales(self) -> tuple[Scale, Scale]:
        """Scales of step and value that hold all its lines."""
        points = [point for line in self.lines for point in line.points]
        xs = fit([x for x, _ in points], LEFT, RIGHT, margin=0.02)
        return xs, fit([y for _, y in points], BOTTOM, TOP, may_be_log=self.quantity == _LOSS)


def panels(result: TableResult) -> list[Panel]:
    """The loss and the validation metric of all cells of each column, where they were logged."""
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
    """Reads some quantities and all losses of the training from a metrics file, as far as it can be read.

    Returns:
        For each the points in the order of their steps; what is not finite is left out.
    """
    try:
        curves = read_curves(path, wanted=lambda name: name in names or name.startswith(_LOSS))
    except DataError:  # the run has not begun, or what is there is no metrics file
        return {}
    finite = {name: [point for point in curve if math.isfinite(point[1])] for name, curve in curves.items()}
    return {name: curve for name, curve in finite.items() if curve}


def thin(points: Points, most: int) -> Points:
    """At most so many points, each the mean of a stretch of the curve."""
    length = -(-len(points) // most)
    if length <= 1:
        return points
    stretches = [points[start : start + length] for start in range(0, len(points), length)]
    return [(fmean(x for x, _ in stretch), fmean(y for _, y in stretch)) for stretch in stretches]


def groups(result: TableResult, found: Sequence[Panel]) -> list[list[str]]:
    """The rows that have curves, in parts for which there are enough colours."""
    drawn = {curve.row for panel in found for curve in panel.lines}
    return view_model.parts([row for row in result.table.rows if row in drawn], COLOURS)
