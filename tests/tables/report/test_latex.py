import re

import pytest
from tests.tables.report.example import DONE, MIXED, build

from retable.tables.report import latex


def test_the_table_has_paper_and_ours_for_each_column(tmp_path):
    text = latex.document(build(tmp_path, DONE))
    assert text.startswith("% needs \\usepackage{booktabs}\n\\begin{table}")
    assert "    Method & Distribution & Number of points & paper & ours & paper & ours \\\\\n" in text
    assert "    Baseline & / & / & 83.3 & 58.1 $\\pm$ 0.8 & -- & 70.7 $\\pm$ 0.4 \\\\\n" in text
    assert "& \\textbf{87.2} & \\textbf{62.4 $\\pm$ 0.6} &" in text
    assert "    R2CNN & / &  & 75.7 & not available & -- & not available \\\\\n" in text


def test_the_caption_says_what_the_numbers_are(tmp_path):
    caption = re.search(r"\\caption\{(.*)\}", latex.document(build(tmp_path, MIXED)))[1]
    assert "``Locality-Aware Rotated Ship Detection'', Table II" in caption
    assert "mean $\\pm$ standard deviation (ddof=1) over 3 seeds" in caption
    assert "HRSC2016: synthetic data, generated data, not HRSC2016." in caption
    assert "SSDD: real data." in caption
    assert "Not finished: 9 of 18 cells done" in caption
    assert "Not finished" not in latex.document(build(tmp_path, DONE))


def test_few_seeds_are_said_beside_the_number(tmp_path):
    assert "60.2 {\\scriptsize (n = 1 of 3)}" in latex.document(build(tmp_path, MIXED))


def test_wide_tables_are_parted_with_labels_of_their_own(tmp_path):
    text = latex.document(build(tmp_path, DONE, columns={f"C{index}": f"data=c{index}" for index in range(3)}))
    assert re.findall(r"\\label\{(.*)\}", text) == ["tab:larsd-2", "tab:larsd-2-2", "tab:larsd-2-3"]
    assert text.count("Distribution &") == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("100% & #1_a", r"100\% \& \#1\_a"),
        ("\\{}~^", r"\textbackslash{}\{\}\textasciitilde{}\textasciicircum{}"),
        ("[1] *", "{[}1{]} {*}"),
        ('"a" “b”', "``a'' ``b''"),
        ("−1 ± <0.1 é", r"$-$1 $\pm$ $<$0.1 é"),
        ("中\x1b[0m", "?"),
    ],
)
def test_escape(text, expected):
    assert latex.escape(text) == expected
