"""When rows have no verdict, and printed numbers no comparison."""

import math
from dataclasses import replace

import numpy as np
import pytest
import scipy.stats
from tests.tables.report.example import DONE, REAL, YAML, build
from tests.tables.report.page import Page

from retable.run.record import Record
from retable.tables import statistics
from retable.tables.comparable import SameNumber, obstacles, same_number
from retable.tables.report import cells_csv, html, latex, markdown
from retable.tables.statistics import Verdict

ALIKE = {"differs_from_paper": {}, "data": REAL}


@pytest.fixture
def record(tmp_path):
    """A record with other values."""
    (found, *_) = build(tmp_path, DONE).entries["Baseline", "SSDD"].records

    def make(**changes) -> Record:
        return Record(**{**vars(found), **changes})

    return make


def test_rows_of_one_clean_commit_and_of_the_weights_asked_for_are_compared(record):
    asked = {"config": {"model": {"weights": "imagenet"}}, "model": {"weights_origin": "imagenet:timm/x"}}
    assert obstacles({"A": [record()], "B": [record(config={"model": {"weights": "none"}}), record(**asked)]}, []) == ()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"config": {"model": {"weights": "imagenet"}}}, "B began from scratch and not with the weights"),
        ({"git": {"commit": "f" * 40, "dirty": False}}, "different code (commits cd8a52d509, ffffffffff)"),
        ({"git": {"commit": "cd8a52d509e496c5d155149ea8aeae6f2b12122d", "dirty": True}}, "code was run that is in no"),
    ],
)
def test_why_rows_are_not_compared(record, changes, reason):
    (found,) = obstacles({"A": [record()], "B": [record(), record(**changes)]}, [])
    assert reason in found


def test_the_code_itself_decides_where_records_hold_it(record):
    dirty = {"git": {"commit": "f" * 40, "dirty": True}}
    same = {"A": [record(code={"a": "1", "b": "2"})], "B": [record(code={"a": "1", "c": "3"}, **dirty)]}
    assert obstacles(same, []) == (), "other modules are loaded by another model, and a commit may change none of them"
    (found,) = obstacles({**same, "C": [record(code={"b": "9"})]}, [])
    assert found == "its rows were run by different code (b)"


def test_a_claim_of_rows_that_must_not_be_compared_has_no_verdict_and_does_not_count(tmp_path):
    dirty = {"git": {"commit": "f" * 40, "dirty": True}}
    result = build(tmp_path, DONE, changes=dirty)
    assert {claim.judgement.verdict for claim in result.claims} == {Verdict.withheld}
    judgement = result.claims[0].judgement
    assert (judgement.p, judgement.p_adjusted) == (None, None)
    assert judgement.reason.startswith("difference +2.03 [")
    assert judgement.reason.endswith("; no verdict, as code was run that is in no commit (uncommitted changes)")
    text = markdown.document(result)
    assert "Of 5 claims: 0 reproduced, 0 contradicted, 0 inconclusive and 5 withheld." in text
    assert "– withheld" in text
    assert "uncommitted changes" in Page(html.document(result, tmp_path)).text


def test_a_column_tuned_on_its_test_images_has_no_verdict_and_the_report_says_so(tmp_path):
    text = YAML.replace("HRSC2016: data=hrsc2016", "HRSC2016: {overrides: data=hrsc2016, tuned_on: test}")
    result = build(tmp_path, DONE, text=text)
    assert [claim.judgement.verdict == Verdict.withheld for claim in result.claims] == [True] * 4 + [False]
    judgement = result.claims[-1].judgement
    assert judgement.p_adjusted == judgement.p, "claims without a verdict do not count"
    sentence = "HRSC2016: something was tuned on its test images"
    assert sentence in markdown.document(result)
    assert sentence in Page(html.document(result, tmp_path)).text


def test_the_table_file_says_how_claims_are_tested(tmp_path):
    seeds = (1, 2, 3, 4, 5, 6)
    outcomes = {
        ("LARSD-3", "SSDD"): (3.1, 3.4, 3.2, 3.6, 3.3, 3.5),
        ("Baseline", "SSDD"): (1.0, 1.1, 1.4, 1.2, 1.0, 1.3),
    }
    text = YAML[: YAML.index("claims:")] + "claims: [LARSD-3 > Baseline in SSDD]\n"
    t_test = build(tmp_path / "t", outcomes, text=text, seeds=seeds)
    flips = build(tmp_path / "f", outcomes, text=f"test: sign flips\n{text.lstrip()}", seeds=seeds)
    assert "by t test" in t_test.claims[0].judgement.reason
    assert flips.claims[0].judgement.p == pytest.approx(2 / 64)
    assert "flips of the differences' signs from six seeds on" in markdown.document(flips)
    assert "flips" not in markdown.document(t_test)


# --- the same number?


def test_a_printed_number_is_compared_with_one_more_run(record):
    summary = statistics.summarise([86.0, 87.0, 88.5])
    found = same_number(90.0, summary, [record(**ALIKE)], "paper")
    margin = 4.302653 * summary.std * math.sqrt(4 / 3)
    assert found == SameNumber(
        True, pytest.approx(summary.mean - margin, rel=1e-6), pytest.approx(summary.mean + margin, rel=1e-6), ""
    )
    assert same_number(94.0, summary, [record(**ALIKE)], "paper").within is False


@pytest.mark.parametrize(
    ("changes", "budget", "values", "why_not"),
    [
        ({"data": {"kind": "synthetic"}}, "small", (1, 2), "synthetic, budget=small"),
        ({"data": {"kind": "mixed"}}, "paper", (1, 2), "mixed"),
        ({"differs_from_paper": {"trainer.max_epochs": [3, 300]}}, "paper", (1, 2), "differs from the paper"),
        ({"config": {"model": {"weights": "imagenet"}}}, "paper", (1, 2), "first weights"),
        ({}, "paper", (1,), "one seed"),
        ({}, "paper", (), "no number of ours"),
    ],
)
def test_numbers_of_other_data_or_budgets_are_not_compared(record, changes, budget, values, why_not):
    found = same_number(1.0, statistics.summarise(values), [record(**{**ALIKE, **changes})], budget)
    assert found == SameNumber(None, None, None, why_not)


def test_the_papers_own_spread_counts_where_it_prints_one(record):
    summary = statistics.summarise([86.0, 87.0, 88.5])
    found = same_number(90.0, summary, [record(**ALIKE)], "paper", printed_std=0.5)
    of_mean = summary.std**2 / 3
    variance = 0.5**2 + of_mean
    freedom = variance**2 / (of_mean**2 / 2)  # Welch and Satterthwaite: the paper's spread is taken for known
    margin = scipy.stats.t.ppf(0.975, freedom) * math.sqrt(variance)
    assert (found.low, found.high) == pytest.approx((summary.mean - margin, summary.mean + margin), rel=1e-6)
    assert found.within is False
    assert same_number(90.0, summary, [record(**ALIKE)], "paper", printed_std=1.5).within is True


def test_a_method_without_a_spread_is_compared_by_the_papers(record):
    found = same_number(90.0, statistics.summarise([89.0, 89.0]), [record(**ALIKE)], "paper", printed_std=0.5)
    assert found == SameNumber(False, pytest.approx(89 - 0.5 * 1.959964), pytest.approx(89 + 0.5 * 1.959964), "")
    exact = same_number(89.0, statistics.summarise([89.0, 89.0]), [record(**ALIKE)], "paper", printed_std=0.0)
    assert exact == SameNumber(True, 89.0, 89.0, "")


def test_the_interval_holds_the_papers_mean_in_at_least_95_of_100_cases(record):
    draw = np.random.default_rng(1)
    for runs in (1, 3):  # of the paper: unknown to the rule
        inside = []
        for _ in range(2000):
            summary = statistics.summarise(draw.normal(80, 1, 3))
            inside.append(same_number(draw.normal(80, 1, runs).mean(), summary, [], "paper", printed_std=1.0).within)
        assert np.mean(inside) > 0.94


def test_the_report_shows_the_papers_spread(tmp_path):
    text = YAML.replace("Baseline: {HRSC2016: 83.3}", "Baseline: {HRSC2016: 83.3 +- 0.6}")
    result = build(tmp_path, DONE, text=text, data={"HRSC2016": REAL}, changes={"differs_from_paper": {}})
    result = replace(result, budget="paper")
    assert Page(html.document(result, tmp_path)).row("results", "Baseline")[3] == "83.3 ± 0.6"
    found = markdown.document(result)
    assert "| 83.3 ± 0.6 |" in found
    assert "the paper's own spread where it prints one) Baseline in HRSC2016: no, 83.3 ± 0.6 outside" in found
    assert r"83.3 $\pm$ 0.6" in latex.document(result)
    assert ",83.3,0.6," in cells_csv.document(result)


def test_the_report_answers_for_each_printed_number(tmp_path):
    result = build(tmp_path, DONE)
    expected = "The same number? HRSC2016: not comparable (synthetic, budget=small)."
    assert expected in Page(html.document(result, tmp_path)).text
    alike = build(tmp_path / "alike", DONE, data={"HRSC2016": REAL}, changes={"differs_from_paper": {}})
    text = markdown.document(replace(alike, budget="paper"))
    assert (
        "The same number? (95% prediction interval of one more run) Baseline in HRSC2016: no, 83.3 outside \\[" in text
    )


def test_a_column_may_be_the_mean_of_metrics(tmp_path):
    text = YAML.replace("SSDD: data=ssdd", 'SSDD: {overrides: data=ssdd, metric: "mean(precision, train/extra)"}')
    both = {"test/precision": 0.5, "train/extra": 0.7}
    result = build(tmp_path / "both", DONE, text=text, metrics=both)
    assert result.entries["Baseline", "SSDD"].values[1] == pytest.approx(60.0)
    assert "mean(test/precision, train/extra)" in cells_csv.document(result)
    result = build(tmp_path / "one", DONE, text=text, metrics={"test/precision": 0.5})
    assert result.entries["Baseline", "SSDD"].values == {}
    assert any("train/extra is not among its metrics" in warning for warning in result.warnings)
