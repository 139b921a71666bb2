"""A table of a paper, as ``experiments/<paper>/<table>.yaml`` says it.

title: Effect of the width
source: A. Author and others, "Title of the paper", Table III
base: model=mine                   overrides of every cell
metric: accuracy                   name in the record; without a split's name, that of the tested split
scale: 100                         factor from the record's number to the printed one
unit: "%"
tuned_on: test                     something was tuned on the test images: no claim has a verdict; default val
test: sign flips                   how comparisons of six seeds or more are tested; default t test
seeds: 10                          how many, but for budget=smoke; default 3
select: own                        whose validation chooses the epoch of rows with of:, see Row; default shared
rows:                              label: overrides, or {overrides: ..., about: {...}, metric_part:, of:},
                                   or {not_available: why}
  Wide: model.width=2
columns:                           label: overrides, or {overrides: ..., metric:, scale:, unit:, decimals:, better:,
                                   tuned_on:}; mean(a, b) is the mean of metrics, and {part}
                                   in one stands for the row's metric_part: recall_{part}
  Photos: data=photos
printed:                           row: {column: number}, or a mean and a standard deviation over runs, 79.1 +- 0.4
  Wide: {Photos: 80.2}
claims:                            see retable.tables.claims; a line, or {claim: ..., says: the paper's sentence}
  - Wide > Narrow in Photos
notes:                             what the paper leaves open, and what was chosen
  - Photos are of 2020.
"""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path

from retable.errors import ConfigError
from retable.run import places
from retable.tables import claims, yaml_lines
from retable.tables.claims import Claim, ClaimError
from retable.tables.yaml_lines import Node, hint

_PART = "{part}"
_KEYS = (
    "title", "source", "base", "metric", "scale", "unit", "decimals", "better", "tuned_on", "test", "seeds", "select",
    "rows", "columns", "printed", "claims", "notes",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """A row: a method, or a trained method that is tested otherwise.

    A row with ``of`` has overrides that act at inference only. Its cells are tests of the trainings of that other row:
    equal weights, at the epoch that the other row's validation chose, so that nothing but inference is compared, in
    seconds. Under ``select: own`` each is a training of its own, whose validation chooses by the row's own inference.

    Attributes:
        label: As printed.
        overrides: What makes it, beside the table's base.
        not_available: Why there is no model for it, or "".
        about: The descriptive columns of the paper, such as ``{"Number of points": "9"}``.
        line: Line of the file; 0 for one from the command line.
        metric_part: What ``{part}`` in a column's metric stands for, such as a class; "" where no metric has it.
        of: Label of the row whose trainings it tests; "" if it is trained by itself.
    """

    label: str
    overrides: tuple[str, ...]
    not_available: str
    about: dict[str, str]
    line: int
    metric_part: str = ""
    of: str = ""


@dataclass(frozen=True)
class Column:
    """A column: a metric on a dataset.

    Attributes:
        label: As printed.
        overrides: What makes it, beside the table's base.
        metric: Name in the record, with or without its split; ``{part}`` in it is the row's part.
        scale: Factor from the record's number to the printed one.
        unit: Unit of the printed numbers.
        decimals: Digits after the point, as printed.
        higher_is_better: Direction of the metric.
        line: Line of the file; 0 for one from the command line.
        tuned_on_test: Whether something was tuned on its test images, so that no claim may have a verdict.
    """

    label: str
    overrides: tuple[str, ...]
    metric: str
    scale: float
    unit: str
    decimals: int
    higher_is_better: bool
    line: int
    tuned_on_test: bool = False

    @property
    def quantity(self) -> str:
        """What its numbers can be compared with: its unit, or the name of a metric that has none."""
        return self.unit or self.metric

    @property
    def takes_part(self) -> bool:
        """Whether the metric depends on the row."""
        return _PART in self.metric

    def metric_of(self, row: Row) -> str:
        """Name of the metric of a row in this column."""
        return self.metric.replace(_PART, row.metric_part)


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        name: Its name on the command line, such as ``paper/2``.
        path: Its file.
        title: Caption.
        source: Paper and number of the table.
        base: Overrides of every cell.
        rows: By label, in the printed order.
        columns: By label, in the printed order.
        printed: Number by (row, column).
        printed_std: Standard deviation over runs by (row, column), where the paper prints one.
        claims: One for each sentence, or for each column where it names none.
        notes: What the paper leaves open, and what was chosen.
        flips: Whether comparisons of six seeds or more are tested by sign flips.
        seeds: How many seeds it asks for; None leaves it to `reproduce.py`.
        shared: Whether rows with ``of`` are tests of the other row's trainings, else trainings of their own.
    """

    name: str
    path: Path
    title: str
    source: str
    base: tuple[str, ...]
    rows: dict[str, Row]
    columns: dict[str, Column]
    printed: dict[tuple[str, str], float]
    claims: tuple[Claim, ...]
    notes: tuple[str, ...]
    flips: bool = False
    printed_std: dict[tuple[str, str], float] = field(default_factory=dict)
    seeds: int | None = None
    shared: bool = True

    @property
    def paper(self) -> str:
        """Its paper: the source without the table's number."""
        return self.source.rpartition(", ")[0] or self.source

    @property
    def number(self) -> str:
        """Its number in the paper, such as ``Table II``; "" where the source names none."""
        paper, _, number = self.source.rpartition(", ")
        return number if paper else ""

    def overrides_of(self, row: Row) -> tuple[str, ...]:
        """The overrides of a row, with those of the row that it tests."""
        return (*self.rows[row.of].overrides, *row.overrides) if row.of else row.overrides


def parts_of(metric: str) -> list[str]:
    """The names in a column's metric: one, or those of ``mean(a, b)``."""
    found = re.fullmatch(r"mean\((.*)\)", metric)
    return [part.strip() for part in found[1].split(",")] if found else [metric]


def files(folders: Sequence[Path] | None = None) -> dict[str, Path]:
    """Files of all tables by name (without folders: of Retable and all papers), in an order in which 2 precedes 10.

    Raises:
        ConfigError: Two tables have the same name.
    """
    found: dict[str, Path] = {}
    for path in (path for folder in folders or places.experiments() for path in folder.glob("*/*.yaml")):
        name = table_name(path)
        if name in found:
            raise ConfigError(f"{path}: the table {name} is also in {found[name]}; rename one of them")
        found[name] = path
    order = sorted(found, key=lambda name: [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)])
    return {name: found[name] for name in order}


def table_name(path: Path) -> str:
    """Name of a table's file on the command line: ``paper/table2.yaml`` is ``paper/2``."""
    return f"{path.parent.name}/{path.stem.removeprefix('table')}"


def find(patterns: Sequence[str], folders: Sequence[Path] | None = None) -> list[Table]:
    """Reads the tables that some names or patterns such as ``paper/*`` ask for, each once; folders as of `files`.

    Raises:
        ConfigError: A pattern matches no table, or a file has a fault.
    """
    known = files(folders)
    wanted: dict[str, Path] = {}
    for pattern in patterns:
        pattern = re.sub(r"/table(?=[^/]*$)", "/", pattern.removesuffix(".yaml"))
        matches = [name for name in known if fnmatchcase(name, pattern)]
        if not matches and (tables := [name for name in known if name.startswith(f"{pattern}/")]):
            raise ConfigError(
                f"table: {pattern} has {len(tables)}: table={pattern}/* for all, or {' or '.join(tables)}"
            )
        if not matches:
            raise ConfigError(f"table: there is no {pattern!r}{hint(pattern, known)}")
        wanted.update({name: known[name] for name in matches})
    return [load(path, name) for name, path in wanted.items()]


def load(path: Path, name: str) -> Table:
    """Reads and checks a table's file.

    Raises:
        ConfigError: It has a fault; the message begins with file and line.
    """
    root = yaml_lines.load(path)
    entries = root.items("the file", _KEYS)
    for key in ("title", "source", "rows", "columns"):
        if key not in entries:
            root.refuse(f"the key {key!r} is missing")
    rows = {label: _row(label, node) for label, node in entries["rows"].items("rows").items()}
    columns = {label: _column(label, node, entries) for label, node in entries["columns"].items("columns").items()}
    for what, found in (("rows", rows), ("columns", columns)):
        if not found:
            entries[what].refuse(f"{what}: there must be at least one")
    _check_parts(rows, columns, entries["rows"].items("rows"))
    _check_tested(rows, entries["rows"].items("rows"))
    printed, printed_std = _printed(entries.get("printed"), rows, columns)
    return Table(
        name=name,
        path=path,
        title=entries["title"].text("title"),
        source=entries["source"].text("source"),
        base=_overrides(entries.get("base")),
        rows=rows,
        columns=columns,
        printed=printed,
        printed_std=printed_std,
        claims=_claims(entries.get("claims"), rows, columns),
        notes=tuple(node.text("a note") for node in entries["notes"].entries("notes")) if "notes" in entries else (),
        flips="test" in entries and entries["test"].choice("test", ("t test", "sign flips")) == "sign flips",
        seeds=_seeds(entries.get("seeds")),
        shared="select" not in entries or entries["select"].choice("select", ("own", "shared")) == "shared",
    )


def extend(table: Table, rows: dict[str, str], columns: dict[str, str]) -> Table:
    """The table with rows and columns of the command line, each given as overrides by label.

    They are added to those of a row or column of that label. Else it is a new one; a new column takes metric and unit
    of the table's first column.

    Raises:
        ConfigError: The overrides are no shell words, or the table's metrics depend on the row and a row is new.
    """
    new_rows, new_columns = dict(table.rows), dict(table.columns)
    for label, text in rows.items():
        if label not in new_rows and any(column.takes_part for column in table.columns.values()):
            raise ConfigError(f"rows.{label}: a row of this table needs a metric_part, which only its file can give")
        old = new_rows.get(label, Row(label, (), "", {}, 0))
        new_rows[label] = replace(old, overrides=old.overrides + split(text, f"rows.{label}"))
    first = next(iter(table.columns.values()))
    for label, text in columns.items():
        column = new_columns.get(label, replace(first, label=label, overrides=(), line=0))
        new_columns[label] = replace(column, overrides=column.overrides + split(text, f"columns.{label}"))
    return replace(table, rows=new_rows, columns=new_columns)


def split(text: str, what: str) -> tuple[str, ...]:
    """Overrides from a line, as a shell would split them (quotes are kept inside an override).

    Raises:
        ConfigError: A quote is not closed, or a word has no ``=``.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ConfigError(f"{what}: {text!r} cannot be split into overrides ({error})") from error
    for word in words:
        if "=" not in word:
            raise ConfigError(f"{what}: {word!r} is no override (key=value)")
    return tuple(words)


def _overrides(node: Node | None) -> tuple[str, ...]:
    if node is None or node.scalar() in (None, ""):
        return ()
    try:
        return split(node.source(), "overrides")
    except ConfigError as error:
        node.refuse(str(error))


def _row(label: str, node: Node) -> Row:
    keys = ("overrides", "not_available", "about", "metric_part", "of")
    entries = node.items(f"row {label}", keys) if node.is_mapping() else {"overrides": node}
    about = entries["about"].items("about") if "about" in entries else {}
    return Row(
        label,
        _overrides(entries.get("overrides")),
        _text(entries, "not_available"),
        {name: value.source() for name, value in about.items()},
        node.line,
        _text(entries, "metric_part"),
        _text(entries, "of"),
    )


def _check_tested(rows: dict[str, Row], nodes: dict[str, Node]) -> None:
    for row in (row for row in rows.values() if row.of):
        if row.of not in rows:
            nodes[row.label].refuse(f"row {row.label}: of: there is no row {row.of!r}{hint(row.of, rows)}")
        if rows[row.of].of or rows[row.of].not_available:
            nodes[row.label].refuse(f"row {row.label}: of: {row.of} is not trained itself; name a row that is")


def _seeds(node: Node | None) -> int | None:
    if node is None:
        return None
    count = node.number("seeds")
    if count < 1 or count != int(count):
        node.refuse(f"seeds: a whole number of 1 or more is needed, not {count:g}")
    return int(count)


def _check_parts(rows: dict[str, Row], columns: dict[str, Column], nodes: dict[str, Node]) -> None:
    wanting = [column.label for column in columns.values() if column.takes_part]
    for row in rows.values():
        if wanting and not row.metric_part:
            nodes[row.label].refuse(f"row {row.label}: the metric of column {wanting[0]} needs its metric_part")
        if row.metric_part and not wanting:
            nodes[row.label].refuse(f"row {row.label}: it has a metric_part, but no column's metric has {_PART}")


def _column(label: str, node: Node, table: dict[str, Node]) -> Column:
    keys = ("overrides", "metric", "scale", "unit", "decimals", "better", "tuned_on")
    own = node.items(f"column {label}", keys) if node.is_mapping() else {"overrides": node}
    entries = {**table, **own}
    if "metric" not in entries:
        node.refuse(f"column {label}: the key 'metric' is missing, here or at the top of the file")
    return Column(
        label,
        _overrides(own.get("overrides")),
        _text(entries, "metric"),
        _number(entries, "scale", 1.0),
        _text(entries, "unit"),
        int(_number(entries, "decimals", 1)),
        "better" not in entries or entries["better"].choice("better", ("higher", "lower")) == "higher",
        node.line,
        "tuned_on" in entries and entries["tuned_on"].choice("tuned_on", ("val", "test")) == "test",
    )


def _text(entries: dict[str, Node], key: str) -> str:
    return entries[key].text(key) if key in entries else ""


def _number(entries: dict[str, Node], key: str, default: float) -> float:
    return entries[key].number(key) if key in entries else default


_Numbers = dict[tuple[str, str], float]


def _printed(node: Node | None, rows: dict[str, Row], columns: dict[str, Column]) -> tuple[_Numbers, _Numbers]:
    printed: _Numbers = {}
    deviations: _Numbers = {}
    for row, values in node.items("printed").items() if node is not None else ():
        if row not in rows:
            values.refuse(f"printed: there is no row {row!r}{hint(row, rows)}")
        for column, value in values.items(f"printed values of {row}").items():
            if column not in columns:
                value.refuse(f"printed: there is no column {column!r}{hint(column, columns)}")
            printed[row, column], std = value.number_with_spread(f"the printed value of {row} in {column}")
            if std is not None:
                deviations[row, column] = std
    return printed, deviations


def _claims(node: Node | None, rows: dict[str, Row], columns: dict[str, Column]) -> tuple[Claim, ...]:
    directions = {label: column.higher_is_better for label, column in columns.items()}
    found: list[Claim] = []
    for entry in node.entries("claims") if node is not None else ():
        entries = entry.items("a claim", ("claim", "says")) if entry.is_mapping() else {"claim": entry}
        if "claim" not in entries:
            entry.refuse("a claim needs the key 'claim'")
        text = entries["claim"]
        try:
            found += claims.parse(text.text("a claim"), list(rows), directions, _text(entries, "says"), text.line)
        except ClaimError as error:
            text.refuse(f"claim {text.source()!r}: {error}")
    return tuple(found)
