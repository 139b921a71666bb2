"""The report of a table: one page, one Markdown file, one LaTeX table, one line for each cell."""

from pathlib import Path

from retable.files import write_text
from retable.tables.report import cells_csv, html, latex, markdown
from retable.tables.results import TableResult


def write(result: TableResult, folder: Path) -> list[Path]:
    """Writes ``report.html``, ``report.md``, ``report.tex`` and ``cells.csv``, each complete or not at all.

    The same result gives the same bytes: the only dates are those of the records.

    Returns:
        The files that were written.

    Raises:
        OSError: The disk is full or the folder cannot be written.
    """
    documents = {
        "report.html": html.document(result, folder),
        "report.md": markdown.document(result),
        "report.tex": latex.document(result),
        "cells.csv": cells_csv.document(result),
    }
    for name, text in documents.items():
        write_text(folder / name, text)
    return [folder / name for name in documents]
