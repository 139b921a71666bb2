"""The figures in docs/results are those of the reports beside them.

Where the caption of a table (the paragraph above it) links reports or ``.csv`` files of cells, every figure of it
stands in one of them, digit for digit. Any other table with figures has a command in its section, or a sentence which
says that what made it was not kept.
"""

import csv
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

RESULTS = Path(__file__).parents[1] / "docs" / "results"
FIGURE = re.compile(r"(?<![\w.−+-])([+−]?(?:\d[\d,]*)?\.?\d+)(?:\s*±\s*(<?\d+(?:\.\d+)?))?(?!\w)")
COMMAND = re.compile(r"(?:^|`)(?:python|make) ", re.MULTILINE)


@dataclass(frozen=True)
class TableOfDocs:
    """A Markdown table with figures, with the text that it belongs to."""

    path: Path
    line: int
    rows: tuple[str, ...]
    caption: str
    section: str

    @property
    def figures(self) -> list[tuple[int, str]]:
        """Its figures with their lines; a mean and its deviation are one."""
        return [
            (self.line + index, figure[0])
            for index, row in enumerate(self.rows)
            for figure in FIGURE.finditer(_without_code(row))
        ]


def is_report(path: Path) -> bool:
    return path.read_text(encoding="utf-8").startswith("# Table ")


def tables(path: Path) -> list[TableOfDocs]:
    found = []
    start = 1
    for section in re.split(r"^(?=#+ )", path.read_text(encoding="utf-8"), flags=re.MULTILINE):
        for match in re.finditer(r"(?:^\|.*\n)+", section, re.MULTILINE):
            before = section[: match.start()]
            paragraphs = [text for text in re.split(r"\n\s*\n", before) if text.strip()]
            caption = paragraphs[-1] if paragraphs else ""
            line = start + before.count("\n")
            table = TableOfDocs(path, line, tuple(match[0].splitlines()), caption, section)
            found += [table] if table.figures else []
        start += section.count("\n")
    return found


def sources(table: TableOfDocs) -> list[Path]:
    """The reports and cells that its caption links."""
    links = dict.fromkeys(re.findall(r"\]\(([^):#]+\.(?:md|csv))\)", table.caption))
    paths = [table.path.parent / link for link in links]
    return [path for path in paths if path.suffix == ".csv" or not path.is_file() or is_report(path)]


def figures_of(path: Path) -> set[str]:
    """All figures that a report or a file of cells has, a mean with its deviation together and apart."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".csv":
        return {field for row in csv.reader(text.splitlines()) for field in row}
    return {part for figure in FIGURE.finditer(_without_code(text)) for part in (figure[0], *figure.groups()) if part}


def _without_code(text: str) -> str:
    text = re.sub(r"`[^`\n]*`|\]\([^)]*\)", " ", text)
    return text.replace("\\", "")


def faults(path: Path) -> list[str]:
    found = []
    for table in tables(path):
        linked = sources(table)
        if linked:
            known = {figure for source in linked for figure in figures_of(source)}
            where = " or ".join(source.name for source in linked)
            found += [
                f"{path}:{line}: {figure} is not in {where}" for line, figure in table.figures if figure not in known
            ]
        elif not COMMAND.search(table.section) and "not kept" not in table.section:
            found.append(f"{path}:{table.line}: the table links no report above it, and its section names no command")
    return found


PROSE = [path for path in sorted(RESULTS.glob("*.md")) if not is_report(path)]


@pytest.mark.parametrize("path", PROSE, ids=lambda path: path.name)
def test_every_figure_of_a_table_has_its_source(path: Path) -> None:
    assert not faults(path), "\n".join(["", *faults(path)])


def test_prose_and_reports_are_told_apart() -> None:
    assert {path.name for path in PROSE} == {
        "README.md",
        "larsd.md",
        "emoji.md",
        "cars.md",
        "lasa.md",
        "plates.md",
        "barcodes.md",
    }


REPORT = """# Table x/1: A title

| Method | A: paper | A: ours | difference |
| --- | ---: | ---: | ---: |
| One | 81.2 | **44.9 ± 0.3** | −36.3 |
| Two | 83 | 46.3 ± \\<0.1 | 1,234 |
"""


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        ("| LARSD-9 (P3, 64x) | 44.9 ± 0.3 | 81.2 |", []),
        ("| One | 44.9 | 0.3 | **−36.3** | 1,234 | 46.3 ± <0.1 | `7` |", []),
        ("| One | 44.9 ± 0.4 | 81.20 | 36.3 |", ["44.9 ± 0.4", "81.20", "36.3"]),
        ("| One | 44.8 | 0.25 |", ["44.8"]),
    ],
)
def test_figures_are_compared_digit_for_digit(tmp_path: Path, row: str, wrong: list[str]) -> None:
    (tmp_path / "x-1.md").write_text(REPORT)
    (tmp_path / "x-2.csv").write_text("row,value\nOne,0.25\n")
    path = tmp_path / "x.md"
    path.write_text(f"# Results\n\nAs in [one](x-1.md) and [two](x-2.csv):\n\n| | ours |\n|---|---|\n{row}\n")
    assert faults(path) == [f"{path}:7: {figure} is not in x-1.md or x-2.csv" for figure in wrong]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("## A\n\n| 1 |\n", ":3: the table links no report above it, and its section names no command"),
        ("`python train.py`\n\n## A\n\n| 1 |\n", ":5: the table links no report above it, and its section names no"),
        ("## A\n\n| one |\n", ""),
        ("## A\n\nA caption:\n\n| 1 |\n\n```\npython train.py\n```\n", ""),
        ("## A\n\nEach is one run of `python train.py`.\n\n| 1 |\n", ""),
        ("## A\n\nThe scripts were not kept.\n\n| 1 |\n", ""),
    ],
)
def test_a_table_without_a_report_names_its_command(tmp_path: Path, text: str, fault: str) -> None:
    path = tmp_path / "x.md"
    path.write_text(text)
    found = faults(path)
    assert (fault in found[0]) if fault else not found
