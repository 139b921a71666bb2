"""``report.html``, made by the templates beside this file."""

import os
from pathlib import Path

from retable.tables.report import cell_lines, charts, claim_lines, curves, pictures, templates, view_model
from retable.tables.results import TableResult
from retable.tables.spec import Column

_WIDTH = 1137
"""Pixels that a table has on a screen 1200 pixels wide."""
_LETTER, _PADDING = 8.6, 20  # pixels of a digit, and of a cell beside its text
_LABEL, _PAPER, _OURS, _DIFFERENCE = 160, 57, 106, 93  # pixels at least, of a row's label and below the three heads


def document(result: TableResult, folder: Path) -> str:
    """The page, with links to the cells' folders from the folder where it will lie."""

    def address(path: Path) -> str:
        return Path(os.path.relpath(path, folder.absolute())).as_posix()

    modules = (cell_lines, charts, claim_lines, curves, pictures, view_model)
    return templates.render(
        "report.html.jinja",
        **{module.__name__.rpartition(".")[2]: module for module in modules},
        blocks=blocks(result),
        result=result,
        table=result.table,
        address=address,
    )


def blocks(result: TableResult) -> list[list[Column]]:
    """The columns in as few tables as none of which is wider than the page; the first has the descriptive columns."""
    columns = list(result.table.columns.values())
    widths = {column.label: _width(result, column) for column in columns}
    first = _LABEL + sum(_about_width(result, name) for name in view_model.about(result))
    full: list[list[Column]] = []
    left = 0.0
    for column in columns:
        if widths[column.label] > left or not full:
            left = _WIDTH - (_LABEL if full else first)
            full.append([])
        full[-1].append(column)
        left -= widths[column.label]
    even = view_model.parts(columns, -(-len(columns) // len(full)))
    totals = [_LABEL + sum(widths[column.label] for column in part) for part in even]
    return even if max(totals[0] - _LABEL + first, *totals) <= _WIDTH else full


def _about_width(result: TableResult, name: str) -> float:
    words = " ".join([name, *(row.about.get(name, "") for row in result.table.rows.values())]).split()
    return _LETTER * max(map(len, words)) + _PADDING


def _width(result: TableResult, column: Column) -> float:
    """About how many pixels the numbers of a column take: the paper's, ours and their difference."""
    shown = [view_model.shown(result, row, column) for row in result.table.rows.values()]
    ours = [len(part) for one in shown for part in one.ours.split(", ")]
    return (
        max(_PAPER, _LETTER * max(len(one.paper) for one in shown) + _PADDING)
        + max(_OURS, _LETTER * max(ours) + _PADDING)
        + max(_DIFFERENCE, _LETTER * max(len(one.difference) for one in shown) + _PADDING)
    )
