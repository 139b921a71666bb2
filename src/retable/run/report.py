"""What a run shows at its end: curves, the table of metrics, the pictures."""

import logging
from collections.abc import Mapping
from pathlib import Path

from retable.errors import DataError
from retable.run import paths
from retable.run.loggers import WandbLogger
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


def conclude(record: Record, folder: Path, wandb: WandbLogger | None) -> None:
    """Writes the record, shows it, and gives numbers and pictures to Weights & Biases, where it takes part."""
    record.write(folder)
    show(record, folder)
    if wandb is not None:
        wandb.log_pictures(_pictures(record, folder))
        wandb.finish(record.metrics)


def show(record: Record, folder: Path) -> None:
    """Prints the metrics of a run as a table, then where its record and pictures lie."""
    from rich.console import Console

    _print(f"{_subject(record)} ({record.data['kind']} data)", {"value": record})
    console = Console()
    for path in (folder / paths.RECORD, *_pictures(record, folder).values()):
        console.print(str(path), soft_wrap=True, highlight=False)


def compare(records: Mapping[str, Record]) -> None:
    """Prints the metrics of several runs, by their names, as one table."""
    _print("all tests", {f"{name}\n{_subject(record)}": record for name, record in records.items()})


def _subject(record: Record) -> str:
    return f"{record.choices['model']} on {record.choices['data']}"


def _pictures(record: Record, folder: Path) -> dict[str, Path]:
    """The pictures of a run by name."""
    return {Path(path).stem: folder / path for path in record.pictures}


def _print(title: str, records: Mapping[str, Record]) -> None:
    """Prints a row for each metric that any of the records has, and a column for each record."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title)
    table.add_column("metric", overflow="fold")
    for name in records:
        table.add_column(name, justify="right", overflow="fold")
    table.add_column("unit")
    units = {name: info["unit"] for record in records.values() for name, info in record.metric_info.items()}
    for name, unit in units.items():
        table.add_row(name, *(_shown(record, name) for record in records.values()), unit)
    Console().print(table)


def _shown(record: Record, name: str) -> str:
    if name not in record.metrics:
        return ""
    value = record.metrics[name]
    return "undefined" if value is None else f"{value:.4g}"
