"""``index.html`` and ``index.md``: all tables, paper by paper, with how far each is and links to its reports."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from retable.files import write_text
from retable.tables.report import formatting, markdown, standing, templates
from retable.tables.report.standing import Standing
from retable.tables.spec import Table


@dataclass(frozen=True)
class Line:
    """A table under a budget.

    Attributes:
        budget: Name of the budget.
        cells: How many cells are done, of all.
        rest: What became of others, such as ``2 failed``; "" where the others are pending.
        claims: How many claims are decided, of all.
        verdicts: The verdicts, counted; "" where there are no claims.
        data: Kind of the data, and the columns that have it.
        newest: When the newest record was made.
        reports: Addresses of its reports from the index, by their form.
    """

    budget: str
    cells: str
    rest: str
    claims: str
    verdicts: str
    data: tuple[tuple[str, str], ...]
    newest: str
    reports: dict[str, str]


@dataclass(frozen=True)
class Index:
    """All tables.

    Attributes:
        papers: The tables of each paper with their lines.
        summary: What there is, in a sentence or two.
        command: What to type next.
    """

    papers: dict[str, list[tuple[Table, list[Line]]]]
    summary: str
    command: str


def write(tables: Sequence[Table], budgets: Sequence[str], folder: Path) -> list[Path]:
    """Writes the index of what is kept beside the reports (see `standing`), each file complete or not at all.

    Args:
        tables: All tables, in their order.
        budgets: Names of all budgets, in their order.
        folder: Where the folders of the tables' reports are, and the index will be.

    Returns:
        The files that were written.
    """
    found = collect(tables, budgets, folder)
    documents = {
        "index.html": templates.render("index.html.jinja", index=found),
        "index.md": "\n".join(_markdown(found)) + "\n",
    }
    for name, text in documents.items():
        write_text(folder / name, text)
    return [folder / name for name in documents]


def collect(tables: Sequence[Table], budgets: Sequence[str], folder: Path) -> Index:
    """What the index shows, in words."""
    papers: dict[str, list[tuple[Table, list[Line]]]] = {}
    standings: list[Standing] = []
    for table in tables:
        lines = []
        for budget in budgets:
            known = standing.read(folder / table.name / budget)
            if known is not None and (known.states or _reports(folder, table, budget)):
                standings.append(known)
                lines.append(_line(known, budget, _reports(folder, table, budget)))
        papers.setdefault(table.paper, []).append((table, lines))
    first = tables[0].name if tables else "PAPER/TABLE"
    return Index(papers, _summary(tables, papers, standings), f"python reproduce.py table={first} budget=smoke")


def _reports(folder: Path, table: Table, budget: str) -> dict[str, str]:
    """Addresses of the reports that there are, by their form."""
    paths = {form: f"{table.name}/{budget}/report.{form}" for form in ("html", "md")}
    return {form: quote(path) for form, path in paths.items() if (folder / path).is_file()}


def _line(known: Standing, budget: str, reports: dict[str, str]) -> Line:
    columns = sum(map(len, known.data.values()))
    return Line(
        budget,
        f"{known.done} of {known.cells}",
        ", ".join(f"{count} {state}" for state, count in known.states.items() if state != "done"),
        f"{known.decided} of {known.claims}" if known.claims else formatting.NONE,
        ", ".join(f"{count} {verdict}" for verdict, count in known.verdicts.items()),
        tuple(
            (kind, "" if len(labels) == columns else formatting.listed(labels)) for kind, labels in known.data.items()
        ),
        formatting.moment(known.newest) if known.newest else formatting.NONE,
        reports,
    )


def _summary(tables: Sequence[Table], papers: Mapping[str, object], standings: Sequence[Standing]) -> str:
    if not tables:
        return "There are no tables in experiments/."
    what = f"{formatting.counted(len(tables), 'table')} of {formatting.counted(len(papers), 'paper')}."
    if not any(known.states for known in standings):
        return f"{what} Nothing has been run yet."
    done, cells = sum(known.done for known in standings), sum(known.cells for known in standings)
    decided, claims = sum(known.decided for known in standings), sum(known.claims for known in standings)
    return (
        f"{what} Of what has been begun, {done} of {formatting.counted(cells, 'cell')} are done, and {decided} of "
        f"{formatting.counted(claims, 'claim')} decided: reproduced or contradicted by our own runs, under that budget "
        "and on these data."
    )


def _markdown(index: Index) -> Iterator[str]:
    yield f"# All tables\n\n{index.summary}\n\n`{index.command}` runs one."
    head = ("table", "", "title", "budget", "cells done", "claims decided", "data", "newest record", "reports")
    for paper, tables in index.papers.items():
        yield f"\n## {markdown.escape(paper)}\n\n| {' | '.join(head)} |\n|{' --- |' * len(head)}"
        for table, lines in tables:
            words = [markdown.escape(text) for text in (table.name, table.number, table.title)]
            for line in lines:
                yield f"| {' | '.join([*words, *_cells(line)])} |"
            if not lines:
                yield f"| {' | '.join([*words, 'not run yet', *[''] * 5])} |"


def _cells(line: Line) -> list[str]:
    data = [f"**{kind}**{f': {markdown.escape(columns)}' if columns else ''}" for kind, columns in line.data]
    return [
        line.budget,
        f"{line.cells} ({line.rest})" if line.rest else line.cells,
        f"{line.claims} ({line.verdicts})" if line.verdicts else line.claims,
        "; ".join(data),
        line.newest,
        ", ".join(f"[{form}]({address})" for form, address in line.reports.items()),
    ]
