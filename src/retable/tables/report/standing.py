"""How far a table is under a budget, in the few words of the index, kept beside its report as ``standing.json``."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retable.files import read_dataclass, write_dataclass
from retable.tables.report import view_model
from retable.tables.results import TableResult
from retable.tables.statistics import Verdict
from retable.tables.store import State

_NAME = "standing.json"


@dataclass(frozen=True)
class Standing:
    """How far a table is under a budget.

    Attributes:
        asked: The keys of ``reproduce.py`` that chose the cells, so that they can be counted again.
        cells: How many distinct cells there are.
        states: How many of them are in each state that is not pending.
        verdicts: How many claims have each verdict; those of no claim are left out.
        data: For each kind of data (``real``, ``synthetic``, ...) the columns that have it.
        newest: When the newest record was made, ISO 8601; "" without any.
    """

    asked: dict[str, Any]
    cells: int
    states: dict[str, int]
    verdicts: dict[str, int]
    data: dict[str, list[str]]
    newest: str

    @property
    def done(self) -> int:
        """Cells that are done."""
        return self.states.get(State.done, 0)

    @property
    def claims(self) -> int:
        """Claims of the table."""
        return sum(self.verdicts.values())

    @property
    def decided(self) -> int:
        """Claims that our runs reproduce or contradict."""
        return sum(self.verdicts.get(verdict, 0) for verdict in (Verdict.reproduced, Verdict.contradicted))


def of(result: TableResult, asked: Mapping[str, Any]) -> Standing:
    """What there is to tell of a result."""
    data: dict[str, list[str]] = {}
    for label, column in result.table.columns.items():
        data.setdefault(view_model.mark(result, column).word, []).append(label)
    verdicts = [claim.judgement.verdict for claim in result.claims]
    return Standing(
        asked=dict(asked),
        cells=len(result.statuses),
        states={state.value: count for state in State if state != State.pending and (count := result.count(state))},
        verdicts={verdict.value: count for verdict in Verdict if (count := verdicts.count(verdict))},
        data=data,
        newest=max((record.finished for record in view_model.records(result)), default=""),
    )


def read(folder: Path) -> Standing | None:
    """What was kept in a report's folder; None if there is nothing, or nothing that can be read."""
    return read_dataclass(folder / _NAME, Standing)


def write(standing: Standing, folder: Path) -> None:
    """Keeps it in a report's folder."""
    write_dataclass(folder / _NAME, standing)
