import pytest
import scipy.stats
from tests.tables.report.example import DONE, YAML, build
from tests.tables.report.page import Page

from retable.tables import display
from retable.tables.report import claim_lines, html, markdown


def summaries(result):
    return [line.summary for line in claim_lines.claim_lines(result)]


def test_the_summary_sets_our_difference_beside_the_papers_by_its_own_spread(tmp_path):
    first, chain, *_, in_ssdd = summaries(build(tmp_path, DONE))
    low, high = scipy.stats.t.interval(0.95, 2, 6.1 / 3, scipy.stats.sem([2.1, 2.3, 1.7]))
    assert first == f"ours +2.03 [{low:.2f}, {high:.2f}], paper +1.7, in AP (%)"
    assert chain == f"weakest of 2, LARSD-3 − LARSD-1: {first}"
    assert in_ssdd.endswith("], paper –, in AP (%)")


def test_of_several_comparisons_the_one_furthest_from_the_claim_is_named(tmp_path):
    text = YAML.replace("LARSD-3 > LARSD-1 > Baseline in", "LARSD-1 > Baseline > LARSD-3 in")
    assert summaries(build(tmp_path, DONE, text=text))[1].startswith("weakest of 2, Baseline − LARSD-3: ours −4.27 [")


def test_the_comparisons_of_a_claim_in_several_columns_name_theirs(tmp_path):
    text = YAML.replace("LARSD-3 > Baseline in SSDD", "LARSD-3 > Baseline in HRSC2016, SSDD")
    names = [link.name for link in claim_lines.claim_lines(build(tmp_path, DONE, text=text))[-1].links]
    assert names == ["LARSD-3 − Baseline in HRSC2016", "LARSD-3 − Baseline in SSDD"]


def test_a_summary_says_why_it_has_no_interval(tmp_path):
    single = {place: values[:1] for place, values in DONE.items()}
    assert summaries(build(tmp_path / "one", single, seeds=(1,)))[0] == "ours +2.10 (one seed), paper +1.7, in AP (%)"
    assert summaries(build(tmp_path / "none"))[1] == "weakest of 2, LARSD-3 − LARSD-1: ours –, paper +1.7, in AP (%)"
    equal = {**DONE, ("LARSD-1", "HRSC2016"): (60.3, 59.9, 61.0)}
    assert summaries(build(tmp_path, equal))[0] == "ours +2.00 (equal for all seeds), paper +1.7, in AP (%)"


def test_a_metric_without_a_unit_is_named_by_its_column_alone(tmp_path):
    assert summaries(build(tmp_path, text=YAML.replace("unit: AP (%)\n", "")))[0] == "ours –, paper +1.7"


def test_the_summary_stands_before_the_reason_everywhere(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    result = build(tmp_path, DONE)
    line = claim_lines.claim_lines(result)[0]
    display.show_table(result)
    shown = [
        " ".join(Page(html.document(result, tmp_path)).text.split()),
        markdown.document(result).replace("\\", ""),
        capsys.readouterr().out,
    ]
    for text in shown:
        assert 0 < text.index(line.summary) < text.index(line.reason)


@pytest.mark.parametrize("label", ["[b]LARSD-3", "LARSD-3 [ours]"])
def test_labels_with_brackets_are_shown_in_the_terminal(tmp_path, capsys, monkeypatch, label):
    monkeypatch.setenv("COLUMNS", "200")
    display.show_table(build(tmp_path, text=YAML[: YAML.index("claims:")].replace("LARSD-3:", f'"{label}":')))
    assert label in capsys.readouterr().out
