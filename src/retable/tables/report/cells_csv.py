"""``cells.csv``: one line for each row, column and seed, with everything that is known of it."""

import csv
from io import StringIO

from retable.tables.report import cell_lines, view_model
from retable.tables.report.cell_lines import CellLine
from retable.tables.results import TableResult, metric_name
from retable.tables.spec import Row

FIELDS = (
    "table", "budget", "row", "column", "seed", "state", "value", "unit", "metric", "printed", "printed_std",
    "data_kind", "data_warning", "data_source", "data_fingerprint", "data_splits",
    "seconds", "peak_memory_bytes", "peak_gpu_bytes", "epochs", "steps",
    "device", "commit", "dirty", "started", "finished", "failure", "warning",
    "config_hash", "folder", "wandb_id", "command",
)  # fmt: skip


def document(result: TableResult) -> str:
    """The CSV file. Numbers are not rounded; values are in the unit of the paper."""
    about = view_model.about(result)
    text = StringIO()
    writer = csv.DictWriter(
        text, [*FIELDS, *(f"about/{name}" for name in about)], restval="", extrasaction="raise", lineterminator="\n"
    )
    writer.writeheader()
    for line in cell_lines.cell_lines(result):
        writer.writerow({**_place(result, line.row, line.column.label), **_cell(result, line)})
    for row in view_model.rows_not_available(result):
        for column in result.table.columns:
            for seed in result.seeds:
                place = _place(result, row, column)
                writer.writerow(
                    {**place, "seed": seed, "state": view_model.NOT_AVAILABLE, "failure": row.not_available}
                )
    return text.getvalue()


def _place(result: TableResult, row: Row, column: str) -> dict[str, object]:
    found = result.table.columns[column]
    return {
        "table": result.table.name,
        "budget": result.budget,
        "row": row.label,
        "column": column,
        "unit": found.unit,
        "metric": found.metric_of(row),
        "printed": result.entries[row.label, column].printed,
        "printed_std": result.entries[row.label, column].printed_std,
        "data_warning": view_model.mark(result, found).warning,
        **{f"about/{name}": words for name, words in row.about.items()},
    }


def _cell(result: TableResult, line: CellLine) -> dict[str, object]:
    status = line.status
    values: dict[str, object] = {
        "seed": line.seed,
        "state": status.state.value,
        "value": line.value,
        "failure": status.failure.reason if status.failure is not None else "",
        "warning": status.warning,
        "config_hash": line.id,
        "folder": f"cells/{status.folder.name}",
        "command": line.command,
    }
    record = line.record
    if record is None:
        return values
    data = record.data
    return values | {
        "metric": metric_name(record, line.column.metric_of(line.row)),
        "data_kind": data.get("kind"),
        "data_source": data.get("source"),
        "data_fingerprint": data.get("fingerprint"),
        "data_splits": view_model.splits(data),
        "seconds": record.wall_seconds,
        "peak_memory_bytes": record.peak_memory_bytes.get("resident"),
        "peak_gpu_bytes": record.peak_memory_bytes.get("gpu"),
        "epochs": line.metric("train/epochs"),
        "steps": line.metric("train/steps"),
        "device": record.devices.get("name"),
        "commit": record.git.get("commit"),
        "dirty": record.git.get("dirty"),
        "started": record.started,
        "finished": record.finished,
        "wandb_id": record.wandb_id,
    }
