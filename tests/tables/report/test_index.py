import re
from dataclasses import replace
from pathlib import Path

import pytest
from tests.tables.report.example import DONE, MIXED, SYNTHETIC, build
from tests.tables.report.page import Page

from retable.tables import report
from retable.tables.report import index, standing

BUDGETS = ("smoke", "small", "paper")


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Four tables of two papers: done under two budgets, half done without a report, and not run."""
    tmp_path = tmp_path_factory.mktemp("outputs")
    folder = tmp_path / "tables"
    done, half = build(tmp_path, DONE), build(tmp_path, MIXED, data={"SSDD": SYNTHETIC})
    for budget in ("smoke", "paper"):
        standing.write(standing.of(done, {"seeds": [1, 2, 3]}), folder / "larsd/2" / budget)
        report.write(done, folder / "larsd/2" / budget)
    standing.write(standing.of(half, {}), folder / "larsd/3/small")
    standing.write(standing.of(build(tmp_path), {}), folder / "larsd/4/small")  # asked for, and nothing begun
    other = {"title": "<Others> | *all*", "source": 'Somebody & others, "A <paper>", Table X'}
    names = {"larsd/2": {}, "larsd/3": {}, "larsd/4": {}, "other/1": other}
    return folder, [replace(done.table, name=name, **changes) for name, changes in names.items()]


def test_a_standing_is_read_as_it_was_written(tmp_path):
    made = standing.of(build(tmp_path, MIXED), {"seeds": [1, 2, 3]})
    assert (made.cells, made.states) == (18, {"done": 9, "running": 2, "failed": 4})
    assert (made.claims, made.decided) == (5, made.verdicts.get("reproduced", 0) + made.verdicts.get("contradicted", 0))
    assert made.data == {"synthetic": ["HRSC2016"], "real": ["SSDD"]}
    assert made.newest == "2026-11-22T08:13:42+00:00"
    standing.write(made, tmp_path)
    assert standing.read(tmp_path) == made


@pytest.mark.parametrize("text", [None, "", "{", "[]", "{}", '{"cells": 3}', "\udcff"])
def test_a_damaged_standing_is_none(tmp_path, text):
    if text is not None:
        (tmp_path / "standing.json").write_bytes(text.encode(errors="surrogateescape"))
    assert standing.read(tmp_path) is None


def test_the_page_tells_of_each_table_and_budget(tables):
    folder, found = tables
    assert index.write(found, BUDGETS, folder) == [folder / "index.html", folder / "index.md"]
    page = Page((folder / "index.html").read_text())
    rows = [" | ".join(" ".join(cell.split()) for cell in row) for row in page.tables["index"]]
    verdicts = "4 of 5 3 reproduced, 1 contradicted, 1 inconclusive"
    line = f"18 of 18 | {verdicts} | synthetic HRSC2016 real SSDD | 2026-11-22 08:13 UTC | report.html report.md"
    assert rows[1:4] == [
        "larsd/2 Result of locality-aware score alignment Table II",
        f"smoke | {line}",
        f"paper | {line}",
    ]
    assert rows[5].startswith("small | 9 of 18 2 running, 4 failed | ")
    assert rows[5].endswith(" | synthetic | 2026-11-22 08:13 UTC | –"), "no report has been written"
    assert rows[7] == "not run yet"
    assert rows[-2:] == ["other/1 <Others> | *all* Table X", "not run yet"]
    assert "4 tables of 2 papers. Of what has been begun, 45 of 54 cells are done, and " in page.text
    assert "python reproduce.py table=larsd/2 budget=smoke runs one" in page.text


def test_links_are_relative_and_lead_to_reports(tables):
    folder, found = tables
    index.write(found, BUDGETS, folder)
    page = Page((folder / "index.html").read_text())
    links = [attributes["href"] for attributes in page.attributes("a")]
    in_markdown = re.findall(r"\]\((.*?)\)", (folder / "index.md").read_text())
    assert links == in_markdown == [f"larsd/2/{b}/report.{form}" for b in ("smoke", "paper") for form in ("html", "md")]
    assert all((folder / link).is_file() for link in links)
    back = Page((folder / links[0]).read_text()).attributes("a")[0]["href"]
    assert Path(back).name == "index.html"
    assert not {"link", "iframe", "object", "embed", "base", "img"} & {name for name, _ in page.elements}
    assert page.elements.count(("caption", {"class": "hidden"})) == 2


def test_the_markdown_has_equal_rows(tables):
    folder, found = tables
    index.write(found, BUDGETS, folder)
    text = (folder / "index.md").read_text()
    assert (
        "| larsd/3 | Table II | Result of locality-aware score alignment | small | 9 of 18 (2 running, 4 failed) |"
        in text
    )
    assert r"| other/1 | Table X | \<Others\> \| \*all\* | not run yet |" in text
    for block in re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1


def test_with_nothing_run_it_says_what_to_type(tables, tmp_path):
    for found, summary in ((tables[1], "4 tables of 2 papers. Nothing has been run yet."), ([], "There are no tables")):
        index.write(found, BUDGETS, tmp_path / "none")
        for name in ("index.html", "index.md"):
            text = (tmp_path / "none" / name).read_text()
            assert summary in text
            assert "python reproduce.py table=" in text
