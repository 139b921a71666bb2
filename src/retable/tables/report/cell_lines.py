"""The cells of a table as every format of the report lists them, and those that failed."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from retable.run.record import Record
from retable.tables.results import TableResult
from retable.tables.spec import Column, Row
from retable.tables.store import Failure, Status


@dataclass(frozen=True)
class CellLine:
    """One cell at one place of the table."""

    row: Row
    column: Column
    seed: int
    id: str
    status: Status
    value: float | None
    command: str

    @property
    def record(self) -> Record | None:
        """Its record, if done."""
        return self.status.record

    def metric(self, name: str) -> float | None:
        """A number of the record, such as ``train/epochs``."""
        return self.record.metrics.get(name) if self.record is not None else None


def cell_lines(result: TableResult) -> Iterator[CellLine]:
    """All places of the table that have cells, seed by seed."""
    for (row, column), entry in result.entries.items():
        for seed, cell in entry.cells.items():
            status = entry.statuses[seed]
            if cell.of is None:
                would_be = shlex.join(("python", "train.py", *cell.overrides))
            else:
                would_be = shlex.join(("python", "test.py", f"run=cells/{cell.of.id}", *cell.changes))
            yield CellLine(
                result.table.rows[row],
                result.table.columns[column],
                seed,
                cell.id,
                status,
                entry.values.get(seed),
                would_be if status.record is None else status.record.command,
            )


def failures(result: TableResult) -> list[tuple[str, CellLine, Failure]]:
    """The distinct cells that failed: where they stand in the table, one of their lines, and how they failed."""
    places: dict[str, list[CellLine]] = {}
    for line in cell_lines(result):
        places.setdefault(line.id, []).append(line)
    return [
        ("; ".join(f"{line.row.label} in {line.column.label}, seed {line.seed}" for line in lines), lines[0], failure)
        for lines in places.values()
        if (failure := lines[0].status.failure) is not None
    ]
