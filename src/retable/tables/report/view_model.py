"""What every format of a report shows, in words and written numbers: marks, the table's cells, sentences."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from retable.run.record import Record
from retable.tables.report import formatting
from retable.tables.results import Entry, TableResult
from retable.tables.spec import Column, Row
from retable.tables.statistics import Verdict
from retable.tables.store import State

T = TypeVar("T")

NOT_AVAILABLE = "not available"


@dataclass(frozen=True)
class Mark:
    """Where the numbers of a column come from, in the words that stand at the column.

    Attributes:
        word: ``real``, ``synthetic``, ``partly synthetic`` or ``no data yet``.
        warning: What the numbers must not be taken for, such as ``generated data, not PHOTOS``; "" for real data.
    """

    word: str
    warning: str


def mark(result: TableResult, column: Column) -> Mark:
    """The mark of a column. Whatever does not say that it is real counts as generated."""
    kinds = {data.get("kind") for data in result.provenance[column.label]}
    if not kinds:
        return Mark("no data yet", "")
    if kinds == {"real"}:
        return Mark("real", "")
    dataset = _dataset(column)
    if kinds & {"real", "mixed"}:
        return Mark("partly synthetic", f"partly generated data, not {dataset}")
    return Mark("synthetic", f"generated data, not {dataset}")


def marks(result: TableResult, columns: Iterable[Column]) -> list[Mark]:
    """The marks of some columns, each once."""
    return list(dict.fromkeys(mark(result, column) for column in columns))


def _dataset(column: Column) -> str:
    """What a column's label calls its dataset: the option of ``data=`` in it, in the label's letters."""
    for override in column.overrides:
        key, _, option = override.partition("=")
        if key == "data" and (found := re.search(re.escape(option), column.label, re.IGNORECASE)):
            return found[0]
    return "the paper's dataset"


def warnings_of_marks(result: TableResult, columns: Iterable[Column]) -> list[str]:
    """For captions: which of some columns must not be taken for the paper's, and for what."""
    labels: dict[str, list[str]] = {}
    for column in columns:
        labels.setdefault(mark(result, column).warning, []).append(column.label)
    return [f"{formatting.listed(found)}: {warning}" for warning, found in labels.items() if warning]


def unit(column: Column) -> str:
    """Unit and direction of a column, for its head."""
    return ", ".join(filter(None, (column.unit, f"{'higher' if column.higher_is_better else 'lower'} is better")))


def parts(items: Sequence[T], most: int) -> list[list[T]]:
    """Items in as few parts as have at most so many each, all about as long: the columns of a page, for example."""
    count = -(-len(items) // most)
    return [list(items[len(items) * index // count : len(items) * (index + 1) // count]) for index in range(count)]


def about(result: TableResult) -> list[str]:
    """Names of the descriptive columns."""
    return list(dict.fromkeys(name for row in result.table.rows.values() for name in row.about))


def described(row: Row, about: Iterable[str]) -> list[str]:
    """What stands in a row's descriptive columns."""
    return [row.about.get(name, "") for name in about]


@dataclass(frozen=True)
class Shown:
    """One row in one column, as every format shows it.

    Attributes:
        printed: The paper's number.
        printed_std: ± the paper's standard deviation over runs, or "".
        printed_best: Whether it is the best that the paper printed in the column.
        mean: Our mean, or "".
        std: ± our standard deviation, or "".
        best: Whether our mean is the best of ours in the column.
        words: What there is instead of a mean, such as ``pending``, or beside it, such as ``n = 2 of 3, 1 failed``.
        difference: Ours minus the paper's.
    """

    printed: str
    printed_std: str
    printed_best: bool
    mean: str
    std: str
    best: bool
    words: str
    difference: str

    @property
    def paper(self) -> str:
        """The paper's number with its standard deviation."""
        return f"{self.printed} {self.printed_std}".strip()

    @property
    def ours(self) -> str:
        """Mean and standard deviation, or the words where there is none."""
        return f"{self.mean} {self.std}".strip() or self.words

    @property
    def note(self) -> str:
        """The words, where they stand beside a number."""
        return self.words if self.mean else ""


def shown(result: TableResult, row: Row, column: Column) -> Shown:
    """What stands at one place of the table."""
    entry = result.entries[row.label, column.label]
    printed, summary, decimals = entry.printed, entry.summary, column.decimals
    means = [e.summary.mean for (_, label), e in result.entries.items() if label == column.label]
    all_printed = [e.printed for (_, label), e in result.entries.items() if label == column.label]
    words = filter(None, (formatting.seeds_note(summary.n, len(result.seeds)), missing(entry, row)))
    known = summary.mean is not None
    return Shown(
        formatting.number(printed, decimals),
        formatting.deviation(entry.printed_std, decimals),
        _is_best(printed, all_printed, column),
        formatting.number(summary.mean, decimals) if known else "",
        formatting.deviation(summary.std, decimals),
        _is_best(summary.mean, means, column),
        ", ".join(words) if known else missing(entry, row),
        formatting.signed(summary.mean - printed, decimals)
        if summary.mean is not None and printed is not None
        else formatting.NONE,
    )


def missing(entry: Entry, row: Row) -> str:
    """Words for the seeds that have no number: ``pending``, ``1 failed, 2 running``; "" if all have one."""
    if row.not_available:
        return NOT_AVAILABLE
    if not entry.cells:
        return "left out"
    counts = {state.value: entry.count(state) for state in (State.failed, State.running, State.pending)}
    counts["without the metric"] = entry.count(State.done) - len(entry.values)
    found = {word: count for word, count in counts.items() if count}
    if list(found.values()) == [len(entry.cells)]:
        return next(iter(found))
    return ", ".join(f"{count} {word}" for word, count in found.items())


def _is_best(value: float | None, values: Iterable[float | None], column: Column) -> bool:
    known = [round(other, column.decimals) for other in values if other is not None]
    if value is None or len(known) < 2:  # a number alone is not the best of anything
        return False
    return round(value, column.decimals) == (max(known) if column.higher_is_better else min(known))


def rows_not_available(result: TableResult) -> list[Row]:
    """The rows that there is no model for."""
    return [row for row in result.table.rows.values() if row.not_available]


def state_sentence(result: TableResult) -> str:
    """How far the table is, in distinct cells."""
    total = len(result.statuses)
    rest = [
        f"{result.count(state)} {state}"
        for state in (State.failed, State.running, State.pending)
        if result.count(state)
    ]
    return ", ".join([f"{result.count(State.done)} of {formatting.counted(total, 'cell')} done", *rest])


def seeds_sentence(result: TableResult) -> str:
    """Which seeds, and what a single one means."""
    text = ", ".join(map(str, result.seeds))
    return f"{text} (a single seed: no spread, and no claim can be tested)" if len(result.seeds) == 1 else text


def spread_sentence(result: TableResult) -> str:
    """What the numbers of the table are."""
    if len(result.seeds) == 1:
        text = "Ours: one seed."
    else:
        seeds = formatting.counted(len(result.seeds), "seed")
        text = f"Ours: mean ± standard deviation (ddof=1) over {seeds}; n says where it is fewer."
    tested: dict[str, list[str]] = {}
    for row in result.table.rows.values():
        if row.of and result.table.shared:
            tested.setdefault(row.of, []).append(row.label)
    for trained, rows in tested.items():
        text += (
            f" {formatting.listed(rows)}: tests of {trained}'s trainings, with the same weights, at the epoch that its "
            "validation chose."
        )
    return text


def verdict_sentence(result: TableResult) -> str:
    """The verdicts, counted."""
    if not result.claims:
        return "No claims are written down for this table."
    counts = [
        f"{count} {verdict}"
        for verdict in Verdict
        if (count := sum(claim.judgement.verdict is verdict for claim in result.claims)) or verdict != Verdict.withheld
    ]
    return f"Of {formatting.counted(len(result.claims), 'claim')}: {formatting.listed(counts)}."


def same_numbers(result: TableResult) -> list[str]:
    """Which printed numbers one more run of ours could have given, and which cannot be compared, as one sentence."""
    places: dict[str, list[str]] = {}
    for column in result.table.columns.values():
        rows: dict[str, list[str]] = {}
        for row in result.table.rows:
            if words := _same_number(result.entries[row, column.label], column, result.budget):
                rows.setdefault(words, []).append(row)
        for words, labels in rows.items():
            everywhere = len(rows) == 1 and words.startswith("not")
            places.setdefault(words, []).append(
                column.label if everywhere else f"{formatting.listed(labels)} in {column.label}"
            )
    found = [f"{formatting.listed(labels)}: {words}" for words, labels in places.items()]
    about = " (95% prediction interval of one more run)" if any("[" in words for words in places) else ""
    if about and result.table.printed_std:
        about = f"{about[:-1]}; the paper's own spread where it prints one)"
    return [f"The same number?{about} {'. '.join(found)}."] if found else []


def _same_number(entry: Entry, column: Column, budget: str) -> str:
    same = entry.same_number(budget)
    if same is None:
        return ""
    if same.within is None:
        return f"not comparable ({same.why_not})"
    spread = formatting.deviation(entry.printed_std, column.decimals)
    printed = f"{formatting.number(entry.printed, column.decimals)} {spread}".strip()
    ends = formatting.interval(same.low, same.high, column.decimals)
    return f"yes, {printed} in {ends}" if same.within else f"no, {printed} outside {ends}"


def tuned(result: TableResult) -> list[str]:
    """Columns on whose test images something was tuned, as sentences."""
    return [
        f"{column.label}: something was tuned on its test images (tuned_on: test), so no claim of it has a verdict."
        for column in result.table.columns.values()
        if column.tuned_on_test
    ]


def records(result: TableResult) -> list[Record]:
    """The records of the distinct cells that are done."""
    return [status.record for status in result.statuses.values() if status.record is not None]


def outputs(result: TableResult) -> Path | None:
    """The folder that everything was written to; None without cells."""
    return next((status.folder.parent.parent for status in result.statuses.values()), None)


def cost_sentence(result: TableResult) -> str:
    """Hours of all distinct cells, and the largest memory of one."""
    found = records(result)
    if not found:
        return "nothing yet"
    total = sum(record.wall_seconds for record in found)
    text = f"{formatting.duration(total)} for {formatting.counted(len(found), 'cell')}"
    for name, what in (("resident", "of a process"), ("gpu", "of a GPU")):
        peak = max(record.peak_memory_bytes.get(name, 0) for record in found)
        text += f", peak memory {what} {formatting.memory(peak)}" if peak else ""
    return text


def memory(record: Record) -> str:
    """Peak memory of a record: of its process, or of the GPU where that is more."""
    return formatting.memory(max(record.peak_memory_bytes.get(name, 0) for name in ("resident", "gpu")))


def environment(result: TableResult) -> dict[str, str]:
    """What the cells ran on, by name, each difference told."""
    found = records(result)
    if not found:
        return {}
    packages: dict[str, list[str]] = {}
    for record in found:
        for name, version in record.versions.items():
            if version is not None and version not in packages.setdefault(name, []):
                packages[name].append(version)
    first, last = min(record.started for record in found), max(record.finished for record in found)
    facts = {
        "Run": f"{formatting.moment(first)} to {formatting.moment(last)}",
        "Machine": _distinct("; ", (_machine(record.devices) for record in found)),
        "Packages": ", ".join(f"{name} {' and '.join(versions)}" for name, versions in packages.items() if versions),
        "Code": _distinct("; ", (code(record) for record in found)),
        "First weights": _distinct(", ", (str(record.model.get("weights_origin", "?")) for record in found)),
        "Scores": _distinct(", ", (str(record.model["scores"]) for record in found if "scores" in record.model)),
    }
    return {name: words for name, words in facts.items() if words or name != "Scores"}


def differs_from_paper(result: TableResult) -> list[str]:
    """What the budget changed of the paper's configuration, key by key, with the values of all cells that are done."""
    pairs: dict[str, list[str]] = {}
    found = records(result)
    for record in found:
        for key, (ours, papers) in record.differs_from_paper.items():
            words = f"{ours}, under budget=paper {papers}"
            if words not in pairs.setdefault(key, []):
                pairs[key].append(words)
    return [f"{key}: {'; '.join(words)}" for key, words in sorted(pairs.items())]


def code(record: Record) -> str:
    """Commit of a record, and whether anything was not committed."""
    changes = {True: " with uncommitted changes", False: "", None: ""}[record.git.get("dirty")]
    return f"commit {str(record.git.get('commit') or 'unknown')[:12]}{changes}"


def _machine(devices: dict[str, Any]) -> str:
    count = devices.get("count", 1)
    name = f"{devices.get('accelerator', '?')} ({devices.get('name', '?')})"
    return (
        f"{f'{count} × ' if count != 1 else ''}{name}, {devices.get('threads', '?')} threads, {devices.get('system')}"
    )


def _distinct(separator: str, words: Iterable[str]) -> str:
    return separator.join(dict.fromkeys(words))


def splits(data: dict[str, Any]) -> str:
    """Split sizes, and which of them was tested."""
    sizes = ", ".join(f"{name} {count}" for name, count in (data.get("splits") or {}).items())
    return f"{sizes}; tested on {data.get('tested_split', 'test')}"
