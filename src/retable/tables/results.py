"""What a table's cells have come to: numbers over seeds beside the printed ones, and a verdict for each claim."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from retable.run.record import Record, tested_fingerprint
from retable.tables import comparable, statistics
from retable.tables.cells import Cell, Place
from retable.tables.claims import Claim, Comparison
from retable.tables.comparable import SameNumber
from retable.tables.second_look import SecondLook
from retable.tables.spec import Table, parts_of
from retable.tables.statistics import Judgement, Summary
from retable.tables.store import State, Status

if TYPE_CHECKING:  # it imports NumPy, which nobody needs who has no claims to judge
    from retable.tables.over_images import KeptImages, OverImages


@dataclass(frozen=True)
class Entry:
    """One row in one column.

    Attributes:
        printed: The paper's number, or None if it printed none.
        values: Our numbers by seed, in the printed unit; only those of cells that are done.
        cells: Cells by seed.
        statuses: What the store says of them, by seed.
        printed_std: The paper's standard deviation over runs, or None if it printed none.
    """

    printed: float | None
    values: dict[int, float]
    cells: dict[int, Cell]
    statuses: dict[int, Status]
    printed_std: float | None = None

    @cached_property
    def summary(self) -> Summary:
        """Mean, spread and interval over the seeds."""
        return statistics.summarise(list(self.values.values()))

    @cached_property
    def records(self) -> list[Record]:
        """The records of the cells that are done."""
        return [status.record for status in self.statuses.values() if status.record is not None]

    def same_number(self, budget: str) -> SameNumber | None:
        """Whether the printed number is one of ours; None if there is none or nothing has been run."""
        if self.printed is None or not self.records:
            return None
        return comparable.same_number(self.printed, self.summary, self.records, budget, self.printed_std)

    def count(self, state: State) -> int:
        """Number of cells in a state."""
        return sum(status.state is state for status in self.statuses.values())


@dataclass(frozen=True)
class ClaimResult:
    """A claim and what became of it.

    Attributes:
        claim: The claim.
        printed: For each comparison the paper's own difference; None if it printed too little.
        printed_holds: Whether the paper's own numbers are as it claims; None if it printed too little.
        judgement: The verdict, with its numbers.
        over_images: For each comparison what the test images say.
    """

    claim: Claim
    printed: tuple[float | None, ...]
    printed_holds: bool | None
    judgement: Judgement
    over_images: "tuple[OverImages | None, ...]"


@dataclass(frozen=True)
class TableResult:
    """A table with everything that its report shows.

    Attributes:
        table: The table, with rows and columns of the command line.
        budget: Name of the budget.
        seeds: The seeds asked for.
        entries: By (row, column); rows that are not available have entries without cells.
        claims: In the table's order.
        provenance: For each column what the records say of its data (``kind``, ``source``, ``fingerprint``,
            ``splits``, ``tested_split``), each distinct one once; empty before a cell is done.
        warnings: Damaged records, differing data or commits, metrics that a record lacks.
        command: What was called.
        look: The plan of a second look, if there is one; its seeds are among `seeds`.
    """

    table: Table
    budget: str
    seeds: tuple[int, ...]
    entries: dict[tuple[str, str], Entry]
    claims: tuple[ClaimResult, ...]
    provenance: dict[str, list[dict[str, Any]]]
    warnings: tuple[str, ...]
    command: str
    look: SecondLook | None = None

    @cached_property
    def statuses(self) -> dict[str, Status]:
        """What the store says of each distinct cell, by its id."""
        return {
            entry.cells[seed].id: status for entry in self.entries.values() for seed, status in entry.statuses.items()
        }

    def count(self, state: State) -> int:
        """Number of distinct cells in a state."""
        return sum(status.state is state for status in self.statuses.values())


def gather(
    table: Table,
    budget: str,
    seeds: Sequence[int],
    plan: Mapping[Place, Cell],
    statuses: Mapping[str, Status],
    command: str,
    look: SecondLook | None = None,
) -> TableResult:
    """Puts a table's result together, of its cells and what the store says of each, by id."""
    warnings = list(dict.fromkeys(status.warning for status in statuses.values() if status.warning))
    entries: dict[tuple[str, str], Entry] = {}
    lacking: dict[str, list[Path]] = {}
    for row in table.rows:
        for column in table.columns.values():
            cells = {seed: plan[row, column.label, seed] for seed in seeds if (row, column.label, seed) in plan}
            found = {seed: statuses[cell.id] for seed, cell in cells.items()}
            metric = column.metric_of(table.rows[row])
            numbers = {seed: _value(status, metric, column.scale, lacking) for seed, status in found.items()}
            values = {seed: number for seed, number in numbers.items() if number is not None}
            place = (row, column.label)
            entries[place] = Entry(table.printed.get(place), values, cells, found, table.printed_std.get(place))
    for problem, folders in lacking.items():  # one line, though a whole column may lack its metric
        others = f" and {len(folders) - 1} other cells" if len(folders) > 1 else ""
        warnings.append(f"{folders[0]}{others}: {problem}")
    provenance = {column: _provenance(table, column, entries, warnings) for column in table.columns}
    _check_code(entries, warnings)
    return TableResult(
        table, budget, tuple(seeds), entries, _claims(table, entries, look), provenance, tuple(warnings), command, look
    )  # fmt: skip


def metric_name(record: Record, metric: str) -> str:
    """Full name of a column's metric in a record; one without a split is that of the tested split."""
    names = metric_names(record, metric)
    return names[0] if len(names) == 1 else f"mean({', '.join(names)})"


def metric_names(record: Record, metric: str) -> tuple[str, ...]:
    """Full names of the metrics in a record that a column's metric is the mean of."""
    split = record.data.get("tested_split", "test")
    return tuple(part if "/" in part else f"{split}/{part}" for part in parts_of(metric))


def metric_value(record: Record, metric: str) -> float | None:
    """A column's number in a record; None if it has none."""
    values = [record.metrics.get(metric_name(record, part)) for part in parts_of(metric)]
    known = [value for value in values if value is not None]
    return fmean(known) if len(known) == len(values) else None


def _value(status: Status, metric: str, scale: float, lacking: dict[str, list[Path]]) -> float | None:
    record = status.record
    if record is None:
        return None
    value = metric_value(record, metric)
    if value is None or not math.isfinite(value):
        known = ", ".join(sorted(record.metrics))
        for name in (metric_name(record, part) for part in parts_of(metric)):
            problem = "is undefined" if name in record.metrics else f"is not among its metrics ({known})"
            if record.metrics.get(name) is None:
                lacking.setdefault(f"{name} {problem}", []).append(status.folder)
        return None
    return value * scale


def _provenance(
    table: Table, column: str, entries: Mapping[tuple[str, str], Entry], warnings: list[str]
) -> list[dict[str, Any]]:
    records = [record for row in table.rows for record in entries[row, column].records]
    found: list[dict[str, Any]] = []
    for record in sorted(records, key=lambda record: record.trained is not None):
        same_tested = any(tested_fingerprint(record.data) == tested_fingerprint(data) for data in found)
        if record.data not in found and not (record.trained is not None and same_tested):  # a test reads one split only
            found.append(record.data)
    if len({str(data.get("fingerprint")) for data in found}) > 1:
        warnings.append(f"column {column}: its cells saw different data (the fingerprints in their records differ)")
    return found


def _check_code(entries: Mapping[tuple[str, str], Entry], warnings: list[str]) -> None:
    records = [record for entry in entries.values() for record in entry.records]
    if different := comparable.different_code(records):
        warnings.append(f"the cells were run by different code ({different})")


def seeds_needed(result: TableResult, level: float) -> dict[int, int]:
    """How many seeds would probably decide the open claims at a level, by their place among the claims."""
    links = _links(result.table, result.entries)
    withheld = [_withheld(claim, result.table, result.entries) for claim in result.table.claims]
    judged = statistics.judge(links, level, result.table.flips, withheld)
    return {index: found.seeds_needed for index, found in enumerate(judged) if found.seeds_needed is not None}


def _links(table: Table, entries: Mapping[tuple[str, str], Entry]) -> list[list[statistics.Link]]:
    from retable.tables.over_images import KeptImages

    kept = KeptImages()
    return [[_link(comparison, entries, table, kept) for comparison in claim.links] for claim in table.claims]


def _first_looks(
    table: Table, entries: Mapping[tuple[str, str], Entry], look: SecondLook
) -> list[statistics.FirstLook | None]:
    """What the first look says of each claim, and how far the second one is."""
    at_first = {
        place: replace(entry, values={seed: value for seed, value in entry.values.items() if seed in look.first})
        for place, entry in entries.items()
    }
    found: list[statistics.FirstLook | None] = []
    for claim, links in zip(table.claims, _links(table, at_first), strict=True):
        places = {(term.row, term.column) for link in claim.links for term in link.terms}
        added = min(len(look.seeds_of(*place)) for place in places)
        share = len(look.first) / (len(look.first) + (added or len(look.added)))
        pending = (State.pending, State.running)
        over = all(
            status.state not in pending
            for place in places
            for seed, status in entries[place].statuses.items()
            if seed in look.seeds_of(*place)[:added]
        )
        found.append(statistics.FirstLook(tuple(links), share, added > 0, over))
    return found


def _claims(table: Table, entries: Mapping[tuple[str, str], Entry], look: SecondLook | None) -> tuple[ClaimResult, ...]:
    links = _links(table, entries)
    withheld = [_withheld(claim, table, entries) for claim in table.claims]
    results = []
    looks = _first_looks(table, entries, look) if look is not None else []
    judgements = statistics.judge(links, flips=table.flips, withheld=withheld, looks=looks)
    for claim, of_claim, judgement in zip(table.claims, links, judgements, strict=True):
        printed = tuple(link.value(lambda row, column: entries[row, column].printed) for link in claim.links)
        known = [value for value in printed if value is not None]
        holds = None
        if len(known) == len(printed):
            holds = all(link.holds(value) for link, value in zip(claim.links, known, strict=True))
        over_images = tuple(link.images for link in of_claim)
        results.append(ClaimResult(claim, printed, holds, judgement, over_images))
    return tuple(results)


def _withheld(claim: Claim, table: Table, entries: Mapping[tuple[str, str], Entry]) -> str:
    """Why a claim must have no verdict, or ""."""
    rows: dict[str, list[Record]] = {}
    for term in (term for link in claim.links for term in link.terms):
        rows.setdefault(term.row, []).extend(entries[term.row, term.column].records)
    columns = dict.fromkeys(term.column for link in claim.links for term in link.terms)
    return "; ".join(comparable.obstacles(rows, (label for label in columns if table.columns[label].tuned_on_test)))


def _link(
    comparison: Comparison, entries: Mapping[tuple[str, str], Entry], table: Table, kept: "KeptImages"
) -> statistics.Link:
    involved = [entries[term.row, term.column] for term in comparison.terms]
    shared = sorted(set.intersection(*(set(entry.values) for entry in involved)))
    differences = tuple(
        sum(term.factor * entry.values[seed] for term, entry in zip(comparison.terms, involved, strict=True))
        for seed in shared
    )
    units = dict.fromkeys(table.columns[term.column].quantity for term in comparison.terms)
    images = _over_images(comparison, entries, table, shared, kept) if shared else None
    return statistics.Link(differences, comparison.low, comparison.high, " and ".join(units), images)


def _over_images(
    comparison: Comparison,
    entries: Mapping[tuple[str, str], Entry],
    table: Table,
    seeds: Sequence[int],
    kept: "KeptImages",
) -> "OverImages":
    from retable.tables.over_images import Measured, OverImages, Term

    terms = []
    for term in comparison.terms:
        column, statuses = table.columns[term.column], entries[term.row, term.column].statuses
        metric = column.metric_of(table.rows[term.row])
        measured = tuple(
            Measured(statuses[seed].folder, record, metric_names(record, metric))
            for seed in seeds
            if (record := statuses[seed].record) is not None
        )
        terms.append(Term(term.column, term.factor * column.scale, measured))
    return OverImages(tuple(terms), comparison.low, comparison.high, kept)
