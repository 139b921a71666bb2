"""``report.md``: the report without drawings, in GitHub's Markdown and without a path of this machine."""

import re
from collections.abc import Iterable, Iterator, Sequence

from retable.tables.report import cell_lines, claim_lines, formatting, view_model
from retable.tables.report.claim_lines import ClaimLine, LinkLine
from retable.tables.results import TableResult
from retable.tables.spec import Column, Row
from retable.tables.statistics import Verdict

_MOST_COLUMNS = 4
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$])")
_SIGNS = {Verdict.reproduced: "✓", Verdict.contradicted: "✗", Verdict.inconclusive: "○", Verdict.withheld: "–"}


def document(result: TableResult) -> str:
    """The Markdown file."""
    return "\n".join(_lines(result)) + "\n"


def _lines(result: TableResult) -> Iterator[str]:
    table = result.table
    yield f"# Table {escape(table.name)}: {escape(table.title)}"
    yield f"\n{escape(table.source)}\n"
    yield f"- **State:** {view_model.state_sentence(result)}"
    yield f"- **Budget:** {escape(result.budget)}"
    yield f"- **Seeds:** {view_model.seeds_sentence(result)}"
    yield f"- **Command:** {_code(result, result.command)}"
    yield f"- **Cost:** {view_model.cost_sentence(result)}"
    yield from (f"- **{name}:** {_text(result, words)}" for name, words in view_model.environment(result).items())
    if result.warnings:
        yield "\n## Warnings\n"
        yield from (f"- ⚠ {_text(result, warning)}" for warning in result.warnings)
    yield from _results(result)
    yield from _claims(result)
    yield from _data(result)
    if differences := view_model.differs_from_paper(result):
        yield "\n## Differs from the paper\n"
        yield from (f"- {_text(result, words)}" for words in differences)
    if table.notes:
        yield "\n## Notes\n"
        yield from (f"- {escape(note)}" for note in table.notes)
    yield from _failures(result)
    yield from _cells(result)


def escape(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    text = " ".join(formatting.printable(text).split()).replace("&", "&amp;")
    text = _SPECIAL.sub(r"\\\1", text)
    return re.sub(r"^([-+]|\d+[.)])(?=\s|$)", r"\\\1", text)


def _text(result: TableResult, text: str) -> str:
    return escape(formatting.portable(text, view_model.outputs(result)))


def _code(result: TableResult, text: str) -> str:
    """A code span: fenced by more backquotes than follow each other in it."""
    text = " ".join(formatting.printable(formatting.portable(text, view_model.outputs(result))).split())
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{space}{text}{space}{fence}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> Iterator[str]:
    """A table whose first columns are words and whose others are numbers."""
    yield f"\n| {' | '.join(head)} |"
    yield f"| {' | '.join(['---'] * left + ['---:'] * (len(head) - left))} |"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def _results(result: TableResult) -> Iterator[str]:
    yield "\n## Results"
    about = view_model.about(result)
    for index, columns in enumerate(view_model.parts(list(result.table.columns.values()), _MOST_COLUMNS)):
        names = [] if index else about
        head = ["Method", *map(escape, names)]
        for column in columns:
            mark = view_model.mark(result, column)
            word = f"**{mark.word}: {escape(mark.warning)}**" if mark.warning else mark.word
            head += [
                f"{escape(column.label)}, {escape(view_model.unit(column))}: paper",
                f"{escape(column.label)}: ours ({word})",
                "difference",
            ]
        yield from _table(
            head, (_result_row(result, row, columns, names) for row in result.table.rows.values()), 1 + len(names)
        )
    yield f"\n{view_model.spread_sentence(result)} Difference: ours − paper's. Bold: the best of its kind in a column."
    for warning in view_model.warnings_of_marks(result, result.table.columns.values()):
        yield f"\n**{escape(warning)}.**"
    for words in (*view_model.tuned(result), *view_model.same_numbers(result)):
        yield f"\n{escape(words)}"
    for row in view_model.rows_not_available(result):
        yield f"\n{escape(row.label)} is not available: {escape(row.not_available)}"


def _result_row(result: TableResult, row: Row, columns: list[Column], names: list[str]) -> list[str]:
    cells = [escape(row.label), *map(escape, view_model.described(row, names))]
    for column in columns:
        shown = view_model.shown(result, row, column)
        note = f" ({shown.note})" if shown.note else ""
        cells += [_bold(shown.paper, shown.printed_best), _bold(shown.ours, shown.best) + note, shown.difference]
    return cells


def _bold(text: str, bold: bool) -> str:
    return f"**{escape(text)}**" if bold else escape(text)


def _claims(result: TableResult) -> Iterator[str]:
    yield f"\n## Claims\n\n{view_model.verdict_sentence(result)}"
    lines = claim_lines.claim_lines(result)
    if not lines:
        return
    head = ["#", "claim", "verdict", "paper", "ours [95% interval]", "effect", "n", "p", "adjusted p", "seeds needed"]
    yield from _table(head, (_claim_row(line) for line in lines), 3)
    yield ""
    for line in lines:
        says = f"“{escape(line.result.claim.says)}” " if line.result.claim.says else ""
        data = f" **{escape('; '.join(line.warnings))}.**" if line.warnings else ""
        reason = escape(line.reason)
        verdict = f"**{line.result.judgement.verdict}**, {escape(line.summary)}."
        yield f"{line.number}. {escape(line.text)}: {verdict}{data} {says}{line.support} Ours: {reason}."
    yield f"\n{escape(claim_lines.method(result))}"


def _claim_row(line: ClaimLine) -> list[str]:
    judgement = line.result.judgement
    several = len(line.links) > 1
    ours = [escape(f"{f'{link.name}: ' if several else ''}{_ours(link)}") for link in line.links]
    return [
        str(line.number),
        escape(line.text),
        f"{_SIGNS[judgement.verdict]} {judgement.verdict}",
        "<br>".join(escape(link.printed) for link in line.links),
        "<br>".join(ours),
        "<br>".join(escape(formatting.signed(link.test.effect, 2)) for link in line.links),
        "<br>".join(str(link.test.n) for link in line.links),
        escape(formatting.p_value(judgement.p)),
        escape(formatting.p_value(judgement.p_adjusted)),
        formatting.NONE if judgement.seeds_needed is None else str(judgement.seeds_needed),
    ]


def _ours(link: LinkLine) -> str:
    return f"{link.ours} {link.interval}" + (f", other images {link.other_images}" if link.other_images else "")


def _data(result: TableResult) -> Iterator[str]:
    yield "\n## Data\n"
    for label, column in result.table.columns.items():
        mark = view_model.mark(result, column)
        warning = f": {escape(mark.warning)}" if mark.warning else ""
        yield f"- **{escape(label)}** ({mark.word}{warning})"
        for data in result.provenance[label]:
            kind, source, fingerprint = (data.get(name, "unknown") for name in ("kind", "source", "fingerprint"))
            splits = escape(view_model.splits(data))
            yield f"  - {kind}: {_text(result, source)}; {splits}; {_code(result, fingerprint)}"
            yield from (f"  - {_text(result, note)}" for note in data.get("notes") or ())


def _failures(result: TableResult) -> Iterator[str]:
    found = cell_lines.failures(result)
    if found:
        yield "\n## Failed cells"
    for places, cell, failure in found:
        when = f"attempt {failure.attempts}, {formatting.moment(failure.finished)}"
        yield f"\n- **{escape(places)}**: {_text(result, failure.reason)} ({when}), {_code(result, cell.command)}\n"
        yield from (f"      {line}" for line in _log(result, failure.lines))


def _log(result: TableResult, lines: Sequence[str]) -> list[str]:
    """The lines of a log, for a block that is indented rather than fenced, so that no line can end it."""
    return [
        formatting.printable(formatting.portable(line, view_model.outputs(result))).replace("\n", " ") for line in lines
    ]


def _cells(result: TableResult) -> Iterator[str]:
    lines = list(cell_lines.cell_lines(result))
    if not lines:
        return
    yield f"\n## Cells\n\n<details><summary>{formatting.counted(len(lines), 'cell')} with commands</summary>\n"
    for line in lines:
        record = line.record
        words = [f"{line.row.label} in {line.column.label}, seed {line.seed}: {line.status.state}"]
        if line.value is not None and record is not None:
            words.append(f"{formatting.number(line.value, line.column.decimals + 1)} ({record.data.get('kind')} data)")
        if record is not None:
            words += [formatting.duration(record.wall_seconds), view_model.memory(record)]
            words += [f"{formatting.number(line.metric(f'train/{name}'), 0)} {name}" for name in ("epochs", "steps")]
        where = _code(result, f"outputs/cells/{line.id}")
        wandb = f", W&amp;B {_code(result, record.wandb_id)}" if record is not None and record.wandb_id else ""
        yield f"- {escape(', '.join(words))}, {where}{wandb}<br>{_code(result, line.command)}"
    yield "\n</details>"
