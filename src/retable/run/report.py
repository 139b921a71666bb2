"""What a run shows at its end: curves, the table of metrics, the pictures."""

import logging
from pathlib import Path

from retable.errors import DataError
from retable.run import paths
from retable.run.record import Record

log = logging.getLogger(__name__)


def draw_curves(folder: Path) -> dict[str, str]:
    """Draws the curves of ``metrics.csv``, where there is one; returns the picture's path and title, if any."""
    if (folder / paths.METRICS).exists():
        from retable.visualization.plots import loss_curves_plot

        try:
            loss_curves_plot(folder / paths.METRICS, folder / paths.CURVES)
            return {paths.CURVES: "losses and metrics over the training"}
        except DataError as error:  # a run of so few steps that nothing was logged
            log.info("no curves are drawn: %s", error)
    return {}


def pictures(record: Record, folder: Path) -> dict[str, Path]:
    """The pictures of a run by name."""
    return {Path(path).stem: folder / path for path in record.pictures}


def show(record: Record, folder: Path) -> None:
    """Prints the metrics of a run as a table, then where its record and pictures lie."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    data = record.data
    table = Table(title=f"{record.choices['model']} on {record.choices['data']} ({data['kind']} data)")
    table.add_column("metric")
    table.add_column("value", justify="right")
    table.add_column("unit")
    for name, value in record.metrics.items():
        shown = "undefined" if value is None else f"{value:.4g}"
        table.add_row(name, shown, record.metric_info[name]["unit"])
    console.print(table)
    for path in (folder / paths.RECORD, *pictures(record, folder).values()):
        console.print(str(path), soft_wrap=True, highlight=False)
