"""The tables of ``report.html``: results, claims, cells."""

import os
from itertools import groupby
from pathlib import Path

from retable.tables.report import cell_lines, charts, claim_lines, formatting, view_model
from retable.tables.report.cell_lines import CellLine
from retable.tables.report.claim_lines import ClaimLine, LinkLine
from retable.tables.report.markup import Markup, join, tag
from retable.tables.report.scale import Scale
from retable.tables.report.view_model import Mark
from retable.tables.results import TableResult
from retable.tables.spec import Column, Row

_MOST_COLUMNS = 4
_ICONS = {
    "reproduced": "M3.5 8.5l3 3 6-7",
    "contradicted": "M4 4l8 8M12 4l-8 8",
    "inconclusive": "M3.5 8h9",
}


def badge(word: str) -> Markup:
    """A word in a box; the loud one for data that are not real."""
    return tag("span", word, class_=f"badge {word.replace(' ', '-')}")


def mark(found: Mark) -> Markup:
    """A column's mark: where its numbers come from, and what they must not be taken for."""
    return tag("span", badge(found.word), tag("span", found.warning) if found.warning else None, class_="mark")


def _scrolling(label: str, table: Markup) -> Markup:
    """A table that scrolls by itself, also with the keyboard, so that the page never does."""
    return tag("div", table, class_="scroll", role="region", aria_label=label, tabindex=0)


# --- results


def results(result: TableResult) -> Markup:
    """Rows by columns as printed, each with the paper's number, ours and the difference."""
    about = view_model.about(result)
    most = _MOST_COLUMNS - (len(about) > 1)  # as many as a screen of 1280 pixels and a page across are wide
    blocks = view_model.parts(list(result.table.columns.values()), most)
    tables = [_results_block(result, block, [] if index else about) for index, block in enumerate(blocks)]
    reasons = [
        tag("li", tag("strong", row.label), f" is not available: {row.not_available}")
        for row in view_model.rows_not_available(result)
    ]
    note = f"{view_model.spread_sentence(result)} Difference: ours − paper’s. Bold: the best of its kind in a column."
    return join(*tables, tag("p", note, class_="note"), tag("ul", *reasons, class_="note") if reasons else None)


def _results_block(result: TableResult, columns: list[Column], about: list[str]) -> Markup:
    names = formatting.listed(column.label for column in columns)
    caption = f"{result.table.title}: the paper’s numbers beside ours in {names}"
    if warnings := view_model.warnings_of_marks(result, columns):
        caption += f" ({'; '.join(warnings)})"
    heads = [
        tag(
            "th",
            tag("span", column.label, class_="title"),
            tag("span", view_model.unit(column), class_="unit"),
            mark(view_model.mark(result, column)),
            colspan=3,
            scope="colgroup",
            class_="first",
        )
        for column in columns
    ]
    kinds = [
        tag("th", word, scope="col", class_="first" if word == "paper" else None)
        for _ in columns
        for word in ("paper", "ours", "difference")
    ]
    method = tag("th", "Method", _described(about), rowspan=2, scope="col")
    first = tag("tr", method, *(tag("th", name, rowspan=2, scope="col", class_="about") for name in about), *heads)
    body = [_results_row(result, row, columns, about) for row in result.table.rows.values()]
    table = tag(
        "table",
        tag("caption", caption, class_="hidden"),
        tag("thead", first, tag("tr", *kinds)),
        tag("tbody", *body),
        class_="results",
    )
    return _scrolling(caption, table)


def _described(words: list[str]) -> Markup | None:
    """The descriptive columns in one, for a screen that is too narrow for them."""
    return (
        tag("span", " · ".join(word or formatting.NONE for word in words), class_="described") if any(words) else None
    )


def _results_row(result: TableResult, row: Row, columns: list[Column], about: list[str]) -> Markup:
    label = tag("th", row.label, _described([row.about.get(name, "") for name in about]), scope="row")
    cells = [tag("td", row.about.get(name, ""), class_="about") for name in about]
    for column in columns:
        shown = view_model.shown(result, row, column)
        printed = tag("strong", shown.printed) if shown.printed_best else shown.printed
        if shown.mean:
            mean = tag("strong", shown.mean) if shown.best else shown.mean
            spread = tag("span", shown.std, class_="std") if len(result.seeds) > 1 else None
            note = tag("small", _unbroken(shown.note)) if shown.note else None
            ours = join(tag("span", mean, spread, class_="number"), note)
        else:
            ours = tag("span", _unbroken(shown.words), class_="words")
        generated = "ours generated" if view_model.mark(result, column).warning else "ours"
        cells += [
            tag("td", printed, class_="first"),
            tag("td", ours, class_=generated),
            tag("td", shown.difference),
        ]
    return tag("tr", label, *cells)


def _unbroken(words: str) -> str:
    """Words that may be broken after commas only."""
    return ", ".join(part.replace(" ", "\u00a0") for part in words.split(", "))


# --- claims


def claims(result: TableResult) -> Markup:
    """Each claim with its verdict, its numbers and its place in a forest plot; one table for each unit."""
    lines = claim_lines.claim_lines(result)
    parts = [tag("p", view_model.verdict_sentence(result), class_="lead")]
    if lines:
        parts.append(charts.forest_key())
    units = list(dict.fromkeys(line.links[0].unit for line in lines))
    for unit in units:
        parts.append(_claims_table(f"Differences in {unit}", [line for line in lines if line.links[0].unit == unit]))
    if lines:
        parts.append(tag("p", claim_lines.METHOD, class_="note"))
    return join(*parts)


def _claims_table(title: str, lines: list[ClaimLine]) -> Markup:
    scale = charts.forest_scale([link for line in lines for link in line.links])
    words = ("difference", "paper", "ours [95% interval]", "", "effect", "n", "p", "adjusted p", "seeds needed")
    heads = [
        tag("th", word or charts.forest_axis(scale), scope="col", class_="plot" if not word else None) for word in words
    ]
    bodies = []
    for sentence, group in groupby(lines, key=lambda line: line.says):
        if sentence:
            head = tag("div", tag("q", sentence))
            bodies.append(tag("tbody", tag("tr", tag("th", head, colspan=len(words))), class_="says"))
        bodies += [_claim(line, scale, len(words)) for line in group]
    table = tag("table", tag("caption", title), tag("thead", tag("tr", *heads)), *bodies, class_="claims")
    return _scrolling(title, table)


def _claim(line: ClaimLine, scale: Scale, width: int) -> Markup:
    disagrees = "disagrees" if line.result.printed_holds is False else None
    head = tag(
        "div",
        tag(
            "p",
            _verdict(line.result.judgement.verdict.value),
            tag("span", line.text, class_="claim"),
            *map(_not_real, line.warnings),
        ),
        tag("p", tag("span", line.support, class_=disagrees), f" Ours: {line.reason}."),
    )
    rows = [_link(link, scale, line if index == 0 else None) for index, link in enumerate(line.links)]
    return tag("tbody", tag("tr", tag("th", head, colspan=width, scope="rowgroup"), class_="head"), *rows)


def _not_real(warning: str) -> Markup:
    return tag("span", badge("synthetic"), tag("span", warning), class_="mark")


def _link(link: LinkLine, scale: Scale, claim: ClaimLine | None) -> Markup:
    printed = join(link.printed, tag("small", link.printed_sum) if link.printed_sum else None)
    ours = join(link.ours, tag("small", link.interval) if link.interval else None)
    cells = [
        tag("th", link.name, tag("small", f"claimed {link.region}"), scope="row"),
        tag("td", printed, data_label="paper"),
        tag("td", ours, data_label="ours"),
        tag("td", charts.forest_row(link, scale), class_="plot"),
        tag("td", link.effect, data_label="effect"),
        tag("td", link.n, data_label="n"),
    ]
    if claim is not None:  # what belongs to the whole claim stands once, beside its first comparison
        whole = (("p", claim.p), ("adjusted p", claim.p_adjusted), ("seeds needed", claim.seeds_needed))
        cells += [tag("td", words, rowspan=len(claim.links), data_label=name) for name, words in whole]
    return tag("tr", *cells)


def _verdict(verdict: str) -> Markup:
    path = tag("path", d=_ICONS[verdict])
    icon = tag("svg", path, class_="icon", width=16, height=16, viewBox="0 0 16 16", aria_hidden="true")
    return tag("span", icon, verdict, class_=f"verdict {verdict}")


# --- cells


def cells(result: TableResult, folder: Path) -> Markup | None:
    """Every cell with the command that made it."""
    lines = list(cell_lines.cell_lines(result))
    if not lines:
        return None
    words = (
        "row",
        "column",
        "seed",
        "state",
        "value",
        "time",
        "memory",
        "epochs",
        "steps",
        "run folder, by config hash",
        "W&B id",
    )
    heads = [tag("th", word, scope="col") for word in words]
    title = "Every cell with its command"
    table = tag(
        "table",
        tag("caption", title, class_="hidden"),
        tag("thead", tag("tr", *heads)),
        *(_cell(line, folder, len(words)) for line in lines),
        class_="cells",
    )
    return tag(
        "details", tag("summary", f"{formatting.counted(len(lines), 'cell')} with commands"), _scrolling(title, table)
    )


def _cell(line: CellLine, folder: Path, width: int) -> Markup:
    record = line.record
    path = line.status.folder
    link = tag("a", f"cells/{path.name}", href=Path(os.path.relpath(path, folder.absolute())).as_posix())
    value = formatting.number(line.value, line.column.decimals + 1)
    generated = "generated" if record is not None and record.data.get("kind") != "real" else None
    counts = [line.metric(name) for name in ("train/epochs", "train/steps")]
    first = [
        tag("th", line.row.label, scope="row"),
        tag("td", line.column.label),
        tag("td", str(line.seed)),
        tag("td", line.status.state.value, class_=f"state {line.status.state.value}"),
        tag("td", value, class_=generated),
        tag("td", formatting.duration(record.wall_seconds) if record is not None else formatting.NONE),
        tag("td", view_model.memory(record) if record is not None else formatting.NONE),
        *(tag("td", formatting.number(count, 0)) for count in counts),
        tag("td", link),
        tag("td", (record.wandb_id if record is not None else None) or formatting.NONE),
    ]
    command = tag("tr", tag("td", tag("code", line.command), colspan=width, class_="command"))
    return tag("tbody", tag("tr", *first), command)
