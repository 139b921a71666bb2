"""A second look at a table: more seeds for claims that the first ones leave open, planned once, before they are run.

Whoever adds seeds until a verdict appears finds one sooner or later. So which cells are added is written to the disk
before the first of them begins, and never again for the same first look; and the level is split between the two looks
(`retable.tables.sequential`), so that chance calls a claim reproduced or contradicted no more often than in one look.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from retable.files import read_dataclass, write_dataclass
from retable.tables.cells import Cell, Place

if TYPE_CHECKING:  # it imports this module
    from retable.tables.results import TableResult

_NAME = "second_look.json"
LEVEL = 0.03
"""About what each of two equal looks has of 0.05: as many seeds are planned as would decide a claim at this level."""


@dataclass(frozen=True)
class SecondLook:
    """What is added to a table.

    Attributes:
        of: Names the cells of the first look, see `name_of`.
        first: Its seeds.
        added: The further seeds, in the order in which claims use them.
        cells: For each row and column how many of these it gets.
        claims: For each claim that is looked at again the seeds that it was thought to need.
        minutes: How long the added cells may take together.
        written: When this was planned, in UTC, ISO 8601.
    """

    of: str
    first: list[int]
    added: list[int]
    cells: dict[str, dict[str, int]]
    claims: dict[str, int]
    minutes: float
    written: str

    def seeds_of(self, row: str, column: str) -> list[int]:
        """The seeds that are added to a row in a column."""
        return self.added[: self.cells.get(row, {}).get(column, 0)]


def name_of(cells: Iterable[Cell]) -> str:
    """Twelve hexadecimal digits that name the cells of a first look."""
    return hashlib.sha256(" ".join(sorted({cell.id for cell in cells})).encode()).hexdigest()[:12]


def planned(result: "TableResult", needed: Mapping[int, int], minutes: float, workers: int) -> SecondLook | None:
    """Plans a second look: of the open claims those that need the fewest seeds, as long as time allows.

    Args:
        result: The first look, of which every cell is done.
        needed: For the open claims that can be decided, by their place, how many seeds they would need at `LEVEL`.
        minutes: How long the added cells may take.
        workers: How many run at a time.

    Returns:
        The plan; None if no claim is open, or none can be decided in that time.
    """
    cells: dict[tuple[str, str], int] = {}
    claims: dict[str, int] = {}
    first = len(result.seeds)
    for place, seeds in sorted(needed.items(), key=lambda item: item[1]):
        claim = result.table.claims[place]
        wanted = dict(cells)
        for term in (term for link in claim.links for term in link.terms):
            of = result.table.rows[term.row].of if result.table.shared else ""
            for row in filter(None, (term.row, of)):
                wanted[row, term.column] = max(wanted.get((row, term.column), 0), seeds - first)
        if _seconds(result, wanted) <= 60 * minutes * workers:
            cells, claims[claim.text] = wanted, seeds
    if not claims:
        return None
    start = max(result.seeds) + 1
    by_row: dict[str, dict[str, int]] = {}
    for (row, column), count in cells.items():
        by_row.setdefault(row, {})[column] = count
    return SecondLook(
        of=name_of(cell for entry in result.entries.values() for cell in entry.cells.values()),
        first=list(result.seeds),
        added=list(range(start, start + max(cells.values()))),
        cells=by_row,
        claims=claims,
        minutes=minutes,
        written=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _seconds(result: "TableResult", cells: Mapping[tuple[str, str], int]) -> float:
    """How long cells would take one after another, going by those that are done; equal ones run once."""
    costs: dict[str, float] = {}
    for (row, column), count in cells.items():
        entry = result.entries[row, column]
        one = next(iter(entry.cells.values())).id  # columns of the same cells share it
        costs[one] = max(costs.get(one, 0.0), count * fmean(record.wall_seconds for record in entry.records))
    return sum(costs.values())


def extended(look: SecondLook, added: Mapping[Place, Cell]) -> dict[Place, Cell]:
    """Of all cells of the added seeds those that are planned."""
    return {
        (row, column, seed): cell for (row, column, seed), cell in added.items() if seed in look.seeds_of(row, column)
    }


def read(folder: Path) -> SecondLook | None:
    """The plan that was written to a report's folder; None if there is none that can be read."""
    return read_dataclass(folder / _NAME, SecondLook)


def write(look: SecondLook, folder: Path) -> Path:
    """Keeps a plan in a report's folder; returns the file."""
    write_dataclass(folder / _NAME, look)
    return folder / _NAME
