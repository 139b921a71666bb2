"""``report.tex``: the table for a paper of one's own; it needs nothing but the package booktabs."""

import re
from collections.abc import Iterator

from retable.tables.report import formatting, view_model
from retable.tables.results import TableResult
from retable.tables.spec import Column, Row

_MOST_COLUMNS = 3
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"$<$",
    ">": r"$>$",
    "[": "{[}",  # a row that began with [ or * would be read as an argument of the \\\\ before it
    "]": "{]}",
    "*": "{*}",
    "|": r"$|$",
    "±": r"$\pm$",
    "−": r"$-$",
    "×": r"$\times$",
    "–": "--",
    "—": "---",
    "…": r"\ldots{}",
    "’": "'",
    "‘": "`",
    "“": "``",
    "”": "''",
    '"': "''",
    "✓": "yes",
    "✗": "no",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "→": r"$\to$",
    "≤": r"$\le$",
    "≥": r"$\ge$",
}


def document(result: TableResult) -> str:
    """One ``table`` environment for each few columns, with what the numbers are in the caption."""
    most = _MOST_COLUMNS - (len(view_model.about(result)) > 1)
    blocks = view_model.parts(list(result.table.columns.values()), most)
    parts = [_environment(result, block, index, len(blocks)) for index, block in enumerate(blocks)]
    return "% needs \\usepackage{booktabs}\n" + "\n".join("\n".join(lines) + "\n" for lines in parts)


def escape(text: str) -> str:
    """Text that LaTeX sets as it is, on one line; a letter that plain LaTeX does not know becomes ``?``."""
    text = re.sub(r'"([^"]*)"', r"“\1”", " ".join(formatting.printable(text).split()))
    return "".join(_character(character) for character in text)


def _character(character: str) -> str:
    return _SPECIAL.get(character, character if character <= "\u017f" else "?")


def _environment(result: TableResult, columns: list[Column], index: int, count: int) -> Iterator[str]:
    about = [] if index else view_model.about(result)
    yield "\\begin{table}[tb]"
    yield "  \\centering"
    yield f"  \\caption{{{_caption(result, columns, index, count)}}}"
    yield f"  \\label{{tab:{_label(result.table.name)}{f'-{index + 1}' if index else ''}}}"
    yield "  \\footnotesize"
    yield "  \\setlength{\\tabcolsep}{3pt}"
    yield f"  \\begin{{tabular}}{{l{'l' * len(about)}{'rr' * len(columns)}}}"
    yield "    \\toprule"
    yield f"    {' & '.join([*[''] * (1 + len(about)), *(_head(result, column) for column in columns)])} \\\\"
    yield "    " + "".join(
        f"\\cmidrule(lr){{{start}-{start + 1}}}"
        for start in range(2 + len(about), 2 + len(about) + 2 * len(columns), 2)
    )
    yield f"    {' & '.join(['Method', *map(escape, about), *['paper & ours'] * len(columns)])} \\\\"
    yield "    \\midrule"
    yield from (f"    {' & '.join(_row(result, row, columns, about))} \\\\" for row in result.table.rows.values())
    yield "    \\bottomrule"
    yield "  \\end{tabular}"
    yield "\\end{table}"


def _caption(result: TableResult, columns: list[Column], index: int, count: int) -> str:
    sentences = [f"{result.table.title} ({result.table.source})" + (f", part {index + 1}" if index else "") + "."]
    sentences.append(f"Budget {result.budget}. {view_model.spread_sentence(result)}")
    for column in columns:
        mark = view_model.mark(result, column)
        sentences.append(f"{column.label}: {mark.word} data{f', {mark.warning}' if mark.warning else ''}.")
    if result.table.rows and view_model.state_sentence(result).count(","):
        sentences.append(f"Not finished: {view_model.state_sentence(result)}.")
    return escape(" ".join(sentences))


def _head(result: TableResult, column: Column) -> str:
    mark = view_model.mark(result, column)
    label = f"{column.label} ({mark.word})" if mark.warning else column.label
    return f"\\multicolumn{{2}}{{c}}{{{escape(label)}}}"


def _row(result: TableResult, row: Row, columns: list[Column], about: list[str]) -> list[str]:
    cells = [escape(row.label), *map(escape, view_model.described(row, about))]
    for column in columns:
        shown = view_model.shown(result, row, column)
        # of the note only the number of seeds: a page is narrow
        note = f" {{\\scriptsize ({escape(shown.note.partition(',')[0])})}}" if shown.note else ""
        cells += [_bold(shown.paper, shown.printed_best), _bold(shown.ours, shown.best) + note]
    return cells


def _bold(text: str, bold: bool) -> str:
    return f"\\textbf{{{escape(text)}}}" if bold else escape(text)


def _label(name: str) -> str:
    return "".join(character if character.isalnum() and character.isascii() else "-" for character in name)
