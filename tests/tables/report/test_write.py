import csv
import re
import subprocess
import sys

import pytest
from tests.tables.report.example import DONE, MIXED, SYNTHETIC, YAML, build
from tests.tables.report.page import Page

from retable.tables.report import write
from retable.tables.store import State

HOSTILE = r"""
title: "<script>alert(1)</script> & 100% $x_1$ {a} #1 | `code` ~ ^ \\ \"quoted\""
source: "A_b [1] *c* \u001b[31mred\u001b[0m \u2192 \u4e2d"
metric: "m_1"
unit: "% & <u>"
rows:
  "[A] & B_<i>|`$\\{x}": {about: {"<b>&|_": "\\ | & %", "P&Q": "[x]"}}
  "*C* #2 ~^": {not_available: "</td></table> | % & _"}
columns:
  "<C>|&%_$": data=x
printed:
  "[A] & B_<i>|`$\\{x}": {"<C>|&%_$": 1.5}
  "*C* #2 ~^": {"<C>|&%_$": 2.5}
notes:
  - "<img src=http://example.org/x.png> | - _note_"
  - "1. looks like a list"
"""


def hostile(folder):
    return build(folder, {("[A] & B_<i>|`$\\{x}", "<C>|&%_$"): (1.0, 2.0, 4.0)}, text=HOSTILE)


def single_seed(folder):
    return build(folder, {place: values[:1] for place, values in DONE.items()}, seeds=(7,))


RESULTS = {
    "done": lambda folder: build(folder, DONE),
    "mixed": lambda folder: build(folder, MIXED),
    "none": lambda folder: build(folder),
    "single seed": single_seed,
    "hostile": hostile,
    "only running": lambda folder: build(folder, {("Baseline", "SSDD"): (State.running,) * 3}),
    "no claims": lambda folder: build(folder, DONE, text=YAML[: YAML.index("claims:")]),
    "column of the command line": lambda folder: build(folder, DONE, columns={"DOTA": "data=dota"}),
}


@pytest.fixture(params=list(RESULTS))
def written(request, tmp_path):
    folder = tmp_path / "outputs" / "tables" / "larsd" / "2" / "small"
    result = RESULTS[request.param](tmp_path)
    return result, folder, {path.name: path.read_text(encoding="utf-8") for path in write(result, folder)}


def test_writes_four_files_and_leaves_nothing_else(written):
    _, folder, files = written
    assert sorted(files) == ["cells.csv", "report.html", "report.md", "report.tex"]
    assert sorted(path.name for path in folder.iterdir()) == sorted(files)


def test_the_same_result_gives_the_same_bytes(written):
    result, folder, files = written
    write(result, folder)
    assert {name: (folder / name).read_text(encoding="utf-8") for name in files} == files


def test_the_page_is_well_formed_and_needs_no_network(written):
    page = Page(written[2]["report.html"])
    addresses = [
        value
        for _, attributes in page.elements
        for name, value in attributes.items()
        if name in ("src", "href", "srcset", "action", "data", "poster")
    ]
    assert addresses
    assert all(re.match(r"#|\.\./|data:image/jpeg;base64,", address) for address in addresses)
    assert not {"link", "iframe", "object", "embed", "base"} & {name for name, _ in page.elements}
    style = re.search(r"<style>(.*?)</style>", written[2]["report.html"], re.DOTALL)[1]
    assert "@import" not in style
    assert "url(" not in style
    assert written[2]["report.html"].count("<script") == 1
    assert len({attributes["id"] for _, attributes in page.elements if "id" in attributes}) == sum(
        "id" in attributes for _, attributes in page.elements
    )


def test_links_within_the_page_lead_somewhere(written):
    page = Page(written[2]["report.html"])
    ids = {attributes.get("id") for _, attributes in page.elements}
    assert all(a["href"][1:] in ids for a in page.attributes("a") if a["href"].startswith("#"))


def test_tables_of_the_page_have_captions_and_scopes(written):
    page = Page(written[2]["report.html"])
    names = [name for name, _ in page.elements]
    assert names.count("caption") == names.count("table")
    heads = [attributes for attributes in page.attributes("th") if "colspan" not in attributes]
    assert all(attributes.get("scope") in ("row", "col") for attributes in heads)
    assert all("aria-label" in attributes or "aria-hidden" in attributes for attributes in page.attributes("svg")
               if attributes.get("class") != "icon")  # fmt: skip


def test_latex_is_balanced(written):
    text = re.sub(r"\\[{}]", "", written[2]["report.tex"])
    depth = 0
    for character in text:
        depth += {"{": 1, "}": -1}.get(character, 0)
        assert depth >= 0
    assert depth == 0
    assert re.findall(r"\\begin\{(\w+)\}", text) == re.findall(r"\\end\{(\w+)\}", text)[::-1]
    assert len(re.findall(r"(?<!\\)\$", text)) % 2 == 0
    body = text.split("\\toprule")[1].split("\\bottomrule")[0]
    columns = len(re.search(r"begin\{tabular\}\{(\w+)\}", text)[1])
    widths = [
        len(re.findall(r"(?<!\\)&", line)) + len(re.findall("multicolumn", line)) + 1
        for line in body.splitlines()
        if line.endswith("\\\\")
    ]
    assert set(widths) == {columns}
    assert not re.search(r"(?<!\\)[#_^~]", re.sub(r"\\label\{[^}]*\}", "", text))


def test_markdown_tables_have_equal_rows_and_no_path_of_this_machine(written, tmp_path):
    text = written[2]["report.md"]
    for block in re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1
    assert str(tmp_path) not in text
    assert "/tmp/" not in text


def test_the_csv_comes_back(written):
    result, _, files = written
    lines = list(csv.DictReader(files["cells.csv"].splitlines()))
    cells = {(line["row"], line["column"], int(line["seed"])): line for line in lines}
    assert len(cells) == len(lines) == len(result.table.rows) * len(result.table.columns) * len(result.seeds)
    for (row, column), entry in result.entries.items():
        for seed in result.seeds:
            line = cells[row, column, seed]
            assert (float(line["value"]) if line["value"] else None) == entry.values.get(seed)
            assert (float(line["printed"]) if line["printed"] else None) == entry.printed
            state = entry.statuses[seed].state if entry.cells else "not available"
            assert line["state"] == state


def test_numbers_of_generated_data_are_marked_in_every_format(tmp_path):
    files = {path.name: path.read_text() for path in write(build(tmp_path, DONE), tmp_path / "report")}
    warning = "generated data, not HRSC2016"
    page = Page(files["report.html"])
    heads = page.tables["results"][0]
    assert any("HRSC2016" in head and "synthetic" in head and warning in head for head in heads)
    assert any("SSDD" in head and "real" in head for head in heads)
    assert not any("SSDD" in head and "synthetic" in head for head in heads)
    captions = re.findall(r"<figcaption>.*?</figcaption>", files["report.html"])
    assert len(captions) == 2
    assert [warning in caption for caption in captions] == ["HRSC2016" in caption for caption in captions]

    head = next(line for line in files["report.md"].splitlines() if line.startswith("| Method"))
    assert f"HRSC2016: ours (**synthetic: {warning}**)" in head
    assert "SSDD: ours (real)" in head

    assert f"HRSC2016: synthetic data, {warning}." in files["report.tex"]
    assert "{HRSC2016 (synthetic)}" in files["report.tex"]
    assert "{SSDD}" in files["report.tex"]

    lines = list(csv.DictReader(files["cells.csv"].splitlines()))
    assert {(line["column"], line["data_kind"], line["data_warning"]) for line in lines if line["state"] == "done"} == {
        ("HRSC2016", "synthetic", warning),
        ("SSDD", "real", ""),
    }


def test_a_label_that_names_no_dataset_is_not_taken_for_one(tmp_path):
    text = YAML.replace("HRSC2016: data=hrsc2016", "HRSC2016: data=other")
    files = write(build(tmp_path, DONE, text=text, data={"SSDD": SYNTHETIC}), tmp_path / "report")
    for path in files:
        assert "generated data, not HRSC2016" not in path.read_text()
        assert "not the paper" in path.read_text()
        assert "generated data, not SSDD" in path.read_text()


def test_what_cannot_be_written_is_told_and_leaves_nothing(tmp_path):
    (tmp_path / "report").write_text("a file where the folder should be")
    with pytest.raises(OSError, match="report"):
        write(build(tmp_path, DONE), tmp_path / "report")


def test_importing_the_report_is_light():
    code = "import sys, retable.tables.report; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "cv2", "matplotlib", "pandas", "scipy", "wandb", "jinja2", "rich"} & set(loaded)
