"""``report.html``: one file that opens from disk, on a phone, in the dark and on paper."""

from pathlib import Path

from retable.tables.report import cell_lines, charts, curves, formatting, html_tables, pictures, view_model
from retable.tables.report.markup import Markup, join, tag
from retable.tables.results import TableResult

_STYLE = Path(__file__).with_name("style.css")
# What is folded away on the screen is printed too; the style does the same for browsers that can.
_SCRIPT = "addEventListener('beforeprint', () => document.querySelectorAll('details').forEach(d => { d.open = true; }))"


def document(result: TableResult, folder: Path) -> str:
    """The page.

    Args:
        result: What it shows.
        folder: Where it will lie, for links to the cells' folders.
    """
    table = result.table
    sections = {
        "results": ("Results", html_tables.results(result)),
        "claims": ("Claims", html_tables.claims(result)),
        "comparison": ("Paper and ours", _dot_plots(result)),
        "curves": ("Training curves", _curves(result)),
        "pictures": ("Best and worst row", _pictures(result)),
        "data": ("Data", _data(result)),
        "environment": ("Environment and cost", _environment(result)),
        "notes": ("Notes", _notes(result)),
        "failures": ("Failed cells", _failures(result)),
        "cells": ("All cells", html_tables.cells(result, folder)),
    }
    shown = {name: (title, body) for name, (title, body) in sections.items() if body is not None}
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"{table.name}: {table.title}"),
        tag("style", Markup(_STYLE.read_text(encoding="utf-8"))),
    )
    body = tag(
        "body",
        _header(result),
        tag("nav", *(tag("a", title, href=f"#{name}") for name, (title, _) in shown.items()), aria_label="Sections"),
        tag(
            "main",
            _warnings(result),
            *(
                tag("section", tag("h2", title, id=f"{name}-title"), content, id=name, aria_labelledby=f"{name}-title")
                for name, (title, content) in shown.items()
            ),
        ),
        tag("script", Markup(_SCRIPT)),
    )
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _header(result: TableResult) -> Markup:
    items = [
        ("State", view_model.state_sentence(result)),
        *([("Claims", view_model.verdict_sentence(result))] if result.claims else []),
        ("Budget", result.budget),
        ("Seeds", view_model.seeds_sentence(result)),
        ("Command", tag("code", result.command)),
        *((name, words) for name, words in view_model.environment(result) if name in ("Run", "Code")),
    ]
    return tag(
        "header",
        tag("p", f"Table {result.table.name}", class_="kicker"),
        tag("h1", result.table.title),
        tag("p", result.table.source, class_="source"),
        _definitions(items),
        _generated(result),
    )


def _generated(result: TableResult) -> Markup | None:
    warnings = view_model.warnings_of_marks(result, result.table.columns.values())
    items = [tag("span", html_tables.badge("synthetic"), words) for words in warnings]
    return tag("p", *items, class_="generated") if items else None


def _definitions(items: list[tuple[str, str]]) -> Markup:
    return tag("dl", *(tag("div", tag("dt", name), tag("dd", words)) for name, words in items), class_="facts")


def _warnings(result: TableResult) -> Markup | None:
    if not result.warnings:
        return None
    items = tag("ul", *(tag("li", warning) for warning in result.warnings))
    title = tag("strong", formatting.counted(len(result.warnings), "warning"))
    return tag("aside", title, items, class_="warnings", aria_label="Warnings")


def _panel_title(result: TableResult, title: str, labels: list[str]) -> Markup:
    """The head of a drawing, with the marks of its columns."""
    marks = [view_model.mark(result, result.table.columns[label]) for label in labels]
    return tag(
        "figcaption",
        tag("span", title, class_="title"),
        *(html_tables.mark(found) for found in dict.fromkeys(marks)),
    )


def _dot_plots(result: TableResult) -> Markup | None:
    figures = []
    for label, column in result.table.columns.items():
        drawing = charts.dot_plot(result, column)
        if drawing is not None:
            title = f"{label}, {column.unit}" if column.unit else label
            figures.append(tag("figure", _panel_title(result, title, [label]), drawing))
    return join(charts.key(), tag("div", *figures, class_="panels")) if figures else None


def _curves(result: TableResult) -> Markup | None:
    found = curves.panels(result)
    if not found:
        return None
    parts = []
    for rows in curves.groups(result, found):
        figures = []
        for panel in found:
            drawing = curves.draw(panel, rows)
            if drawing is not None:
                labels = [column.label for column in panel.columns]
                unit = f", {panel.unit}" if panel.unit else ""
                figures.append(
                    tag(
                        "figure",
                        _panel_title(result, f"{formatting.listed(labels)}: {panel.quantity}{unit}", labels),
                        drawing,
                    )
                )
        parts.append(tag("div", curves.legend(rows), tag("div", *figures, class_="panels"), class_="group"))
    note = "One line for each seed, one colour for each row; long curves are averaged over short stretches."
    return join(tag("p", note, class_="note"), *parts)


def _pictures(result: TableResult) -> Markup | None:
    pair = pictures.choose(result)
    if pair is None:
        return None
    figures = []
    for rank, row, path in zip(("best", "worst"), pair.rows, pair.files, strict=True):
        encoded = pictures.encode(path)
        if encoded is None:
            continue
        source, width, height = encoded
        shown = view_model.shown(result, result.table.rows[row], pair.column)
        words = f"{row}, {rank} row in {pair.column.label}: {shown.ours} {pair.column.unit}".strip()
        picture = tag("img", src=source, width=width, height=height, alt=f"{path.stem} of {words}, seed {pair.seed}")
        figures.append(tag("figure", _panel_title(result, words, [pair.column.label]), picture))
    if not figures:
        return None
    where = "on the same test images" if pair.same_data else "not on the same data"
    note = f"Of the rows with pictures the best and the worst in {pair.column.label}, seed {pair.seed}, {where}."
    return join(tag("p", note, class_="note"), tag("div", *figures, class_="pictures"))


def _data(result: TableResult) -> Markup:
    parts = []
    for label in result.table.columns:
        origins = [origin for origin in view_model.origins(result) if origin.column == label]
        found = view_model.mark(result, result.table.columns[label])
        parts.append(tag("h3", label, html_tables.mark(found)))
        for origin in origins:
            items = [
                ("Source", origin.source),
                ("Kind", origin.kind),
                ("Images", origin.splits),
                ("Fingerprint", tag("code", origin.fingerprint)),
                *(("Note", note) for note in origin.notes),
            ]
            parts.append(_definitions(items))
        if not origins:
            parts.append(tag("p", "No cell of this column is done.", class_="note"))
    return join(*parts)


def _environment(result: TableResult) -> Markup:
    return _definitions([("Cost", view_model.cost_sentence(result)), *view_model.environment(result)])


def _notes(result: TableResult) -> Markup | None:
    return tag("ul", *(tag("li", note) for note in result.table.notes)) if result.table.notes else None


def _failures(result: TableResult) -> Markup | None:
    found = cell_lines.failures(result)
    if not found:
        return None
    parts = []
    for places, cell, failure in found:
        when = f"attempt {failure.attempts}, {formatting.moment(failure.finished)}"
        parts.append(
            tag(
                "details",
                tag("summary", tag("strong", places), f": {failure.reason} ({when})"),
                tag("p", tag("code", cell.command)),
                tag("pre", "\n".join(failure.lines) or "(its log is empty)"),
            )
        )
    return join(*parts)
