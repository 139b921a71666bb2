"""What the terminal shows of tables: the list, the live table while cells run, the result."""

import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich import progress as rich_progress
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table as Grid

from retable.run.record import Record
from retable.tables.cells import Cell, Place
from retable.tables.report import claim_lines, view_model
from retable.tables.results import TableResult, metric_value
from retable.tables.schedule import Progress
from retable.tables.spec import Table
from retable.tables.store import Failure, Store


def _console() -> Console:
    return Console(markup=False)  # labels may hold brackets


def show_list(found: Sequence[tuple[Table, Mapping[str, tuple[int, int]]]]) -> None:
    """Prints the tables of each paper: name, number, title, cells done and in all for each budget."""
    console = _console()
    if not found:
        console.print("There are no tables in experiments/.")
        return
    papers: dict[str, Grid] = {}
    for table, counts in found:
        if table.paper not in papers:
            heads = (f"{budget}\ndone/cells" for budget in counts)
            papers[table.paper] = Grid("table", "", "title", *heads, title=table.paper, title_justify="left")
        shares = (f"{done}/{total}" for done, total in counts.values())
        papers[table.paper].add_row(table.name, table.number, table.title, *shares)
    for grid in papers.values():
        console.print(grid)
    print("python reproduce.py table=NAME budget=smoke|small|paper runs one; --help says more.")


@contextmanager
def bar(what: str, total: int) -> Iterator[Callable[[], None]]:
    """While something of so many steps goes on: a bar, where there is a terminal; it goes away with the last step.

    Yields:
        What to call after each step.
    """
    console = Console(stderr=True)
    with rich_progress.Progress(console=console, transient=True, disable=not console.is_terminal) as shown:
        task = shown.add_task(what, total=total)
        yield lambda: shown.advance(task)


@contextmanager
def live(
    tables: Sequence[Table],
    plans: Sequence[Mapping[Place, Cell]],
    store: Store,
    labels: Mapping[str, str],
    workers: int,
) -> Iterator[Callable[[Progress], None]]:
    """While cells run: the tables with what is done, and the time left; without a terminal one line for each cell.

    Yields:
        What to call with the progress.
    """
    console = _console()
    started = time.monotonic()
    if not console.is_terminal:
        seen: set[str] = set()

        def tell(progress: Progress) -> None:
            for key in [*progress.done, *progress.failed]:
                if key not in seen:
                    seen.add(key)
                    what = "failed" if key in progress.failed else "done"
                    print(f"{what}: {labels[key]} ({_line(progress, workers, started)})", flush=True)

        yield tell
        return
    records: dict[str, Record] = {}

    def record_of(key: str) -> Record | None:
        """The record of a cell that is done, read once."""
        if key not in records and (record := store.status(key).record) is not None:
            records[key] = record
        return records.get(key)

    with Live(console=console, refresh_per_second=4, transient=True) as screen:

        def show(progress: Progress) -> None:
            grids = [_grid(table, plan, progress, record_of) for table, plan in zip(tables, plans, strict=True)]
            running = [
                f"  {labels[key]}: {duration(time.monotonic() - since)}" for key, since in progress.running.items()
            ]
            elsewhere = [f"  {labels[key]}: run by another process" for key in progress.elsewhere]
            screen.update(Group(*grids, _line(progress, workers, started), *running, *elsewhere))

        yield show


def _grid(
    table: Table, plan: Mapping[Place, Cell], progress: Progress, record_of: Callable[[str], Record | None]
) -> Grid:
    grid = Grid(title=f"{table.name}: {table.title}", title_justify="left")
    grid.add_column("row")
    for column in table.columns.values():
        grid.add_column(f"{column.label}\n{column.unit}", justify="right")
    for row in table.rows.values():
        texts = []
        for column in table.columns.values():
            cells = [cell for (name, label, _), cell in plan.items() if (name, label) == (row.label, column.label)]
            records = filter(None, (record_of(cell.id) for cell in cells))
            numbers = [metric_value(record, column.metric_of(row)) for record in records]
            known = [number for number in numbers if number is not None]
            text = f"{statistics.fmean(known) * column.scale:.{column.decimals}f} " if known else ""
            text += f"({len(known)}/{len(cells)})" if cells else "not available"
            if any(cell.id in progress.failed for cell in cells):
                text += " failed"
            elif any(cell.id in progress.running for cell in cells):
                text += " …"
            texts.append(text)
        grid.add_row(row.label, *texts)
    return grid


def _line(progress: Progress, workers: int, started: float) -> str:
    left = len(progress.waiting) + len(progress.running) + len(progress.elsewhere)
    clock = times(started, left, progress.seconds, list(progress.running.values()), workers)
    return f"{len(progress.done)} done, {len(progress.failed)} failed, {left} left, {clock}"


def times(started: float, left: int, took: Sequence[float], running: Sequence[float], workers: int) -> str:
    """Time so far, and, as soon as one process has ended, about how long the others will take.

    Args:
        started: When the first began, on the monotonic clock.
        left: How many are not over yet.
        took: Seconds of each that is over.
        running: When those that run began.
        workers: How many run at a time.
    """
    now = time.monotonic()
    words = f"{duration(now - started)} so far"
    if left and took:
        mean = statistics.fmean(took)
        begun = sum(min(now - since, mean) for since in running)
        words += f", about {duration((left * mean - begun) / min(workers, left))} to go"
    return words


def duration(seconds: float) -> str:
    """A time to the second, or to the minute where it is hours."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def show_table(result: TableResult) -> None:
    """Prints paper against ours, and the verdict of each claim."""
    table = result.table
    console = _console()
    grid = Grid(title=f"{table.name}: {table.title} (budget={result.budget})", title_justify="left")
    grid.add_column("row")
    for column in table.columns.values():
        kinds = {str(data.get("kind")) for data in result.provenance[column.label]}
        grid.add_column(f"{column.label}\npaper", justify="right")
        grid.add_column(f"ours{''.join(f', {kind}' for kind in sorted(kinds))}\n{column.unit}", justify="right")
    for row in table.rows.values():
        texts = []
        for column in table.columns.values():
            shown = view_model.shown(result, row, column)
            texts += [shown.paper, f"{shown.ours} ({shown.note})" if shown.note else shown.ours]
        grid.add_row(row.label, *texts)
    console.print(grid)
    if result.claims:
        verdicts = Grid("claim", "verdict", "ours and the paper's, and why")
        for line in claim_lines.claim_lines(result):
            verdicts.add_row(line.text, line.result.judgement.verdict.value, f"{line.summary}\n{line.reason}")
        console.print(verdicts)
    for warning in result.warnings:
        print(f"warning: {warning}", file=sys.stderr)


def show_failure(label: str, folder: Path, failure: Failure, earlier: bool) -> None:
    """Prints how a cell failed, with the last lines of its log."""
    when = f" (on {failure.finished}; not tried again)" if earlier else ""
    print(f"\nfailed{when}: {label}: {failure.reason}\n  {folder}", file=sys.stderr)
    for line in failure.lines:
        print(f"  | {line}", file=sys.stderr)
