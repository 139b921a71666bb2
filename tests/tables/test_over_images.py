"""What test images say of a difference: intervals, when they decide, and when there is nothing to say."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from tests.tables.report import example

from retable.metrics.image_results import save
from retable.metrics.image_results.classifications import ClassificationResults
from retable.tables import results, statistics
from retable.tables.over_images import KeptImages, Measured, OverImages, Term
from retable.tables.report import claim_lines, markdown
from retable.tables.results import TableResult
from retable.tables.statistics import Verdict

NAMES = np.array(["a", "b"])
IMAGES = 200
INF = math.inf


def classified(right: Any, predictions: str, tested: str = "these") -> ClassificationResults:
    """Images of class a, of which some are recognised."""
    right = np.asarray(right, bool)
    return ClassificationResults(np.zeros(len(right), int), (~right).astype(int), NAMES, predictions, tested)


def cell(folder: Path, found: ClassificationResults | None, **changes: Any) -> Measured:
    folder.mkdir(parents=True)
    accuracy = 0.5
    if found is not None:
        save(folder / "images.npz", found)
        accuracy = float(np.float32(found.metrics()["accuracy"]))
    numbers = {"test/accuracy": accuracy, "test/loss": 1.0}
    values = example.make_record(example.Cell("c", (), 1, 1), folder, numbers, example.SYNTHETIC)
    return Measured(folder, replace(values, **changes), ("test/accuracy",))


def difference(*rows: tuple[Measured, ...], low: float = 0.0, high: float = INF, columns: str = "XX") -> OverImages:
    """The first row minus the second, in per cent."""
    factors = (100.0, -100.0)
    terms = tuple(Term(column, factor, row) for column, factor, row in zip(columns, factors, rows, strict=False))
    return OverImages(terms, low, high, KeptImages())


def right(share: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random(IMAGES) < share


def test_the_interval_is_that_of_paired_images(tmp_path: Path) -> None:
    worse, better = right(0.6), right(0.6) | right(0.2, seed=1)
    rows = (cell(tmp_path / "a", classified(better, "p")),), (cell(tmp_path / "b", classified(worse, "q")),)
    test = difference(*rows).test
    assert test is not None
    each = 100.0 * (better.astype(float) - worse)
    mean, error = each.mean(), each.std() / math.sqrt(IMAGES)
    assert (test.low, test.high) == (
        pytest.approx(mean - 1.96 * error, abs=0.6),
        pytest.approx(mean + 1.96 * error, abs=0.6),
    )
    assert test.effect == pytest.approx(mean / each.std(), rel=0.05)
    assert test.p_for == pytest.approx(1 / 10001)
    assert test.p_against == 1.0

    margin = difference(*rows, low=mean - error).test
    assert margin is not None
    assert margin.p_for == pytest.approx(stats.norm.cdf(-1), abs=0.03)
    assert margin.p_against == pytest.approx(stats.norm.cdf(1), abs=0.03)
    both = difference(*rows, low=mean - error, high=mean + 2 * error).test
    assert both is not None
    assert both.p_for == margin.p_for
    assert both.p_against == 1.0
    out = difference(*rows, low=mean + error, high=mean + 3 * error).test
    assert out is not None
    assert out.p_against == pytest.approx(2 * stats.norm.cdf(-1), abs=0.06)


def test_seeds_are_averaged_and_columns_are_drawn_on_their_own(tmp_path: Path) -> None:
    several = tuple(cell(tmp_path / str(seed), classified(right(0.5, seed), str(seed))) for seed in range(3))
    other = replace(several[0].record, data={**example.SYNTHETIC, "fingerprint": "others"})
    alone, mean, columns = (
        difference(several[:1]).test,
        difference(several).test,
        difference(several[:1], (replace(several[0], record=other),), columns="XY").test,
    )
    assert alone is not None
    assert mean is not None
    assert columns is not None
    assert mean.high - mean.low < 0.7 * (
        alone.high - alone.low
    )  # images that are hard for one seed are not for another
    assert columns.high - columns.low == pytest.approx(math.sqrt(2) * (alone.high - alone.low), rel=0.1)
    same = difference(several[:1], several[:1], columns="XY").test  # two metrics of the same images
    assert same is not None
    assert same.low == same.high == 0
    assert same.p_for == same.p_against == 1


@pytest.mark.parametrize(
    ("found", "changes"),
    [
        (None, {}),
        (classified(right(0.5), "q", tested="others"), {}),
        (classified(right(0.5)[:-1], "q"), {}),
        (classified(right(0.5), "q"), {"data": {**example.SYNTHETIC, "fingerprint": "others"}}),
        (classified(right(0.5), "q"), {"metrics": {"test/accuracy": 0.25}}),  # of another record
    ],
)
def test_without_results_of_the_same_images_there_is_no_interval(
    tmp_path: Path, found: ClassificationResults | None, changes: dict[str, Any]
) -> None:
    one, other = cell(tmp_path / "a", classified(right(0.6), "p")), cell(tmp_path / "b", found, **changes)
    assert difference((one,), (other,)).test is None
    assert not difference((one, one), (other, other)).decide


def test_metrics_that_are_not_of_images_have_no_interval(tmp_path: Path) -> None:
    one = cell(tmp_path / "a", classified(right(0.6), "p"))
    for metrics in (("train/seconds",), ("test/loss",), ("val/accuracy",), ("test/accuracy", "test/loss")):
        assert difference((replace(one, metrics=metrics),)).test is None
    mean = difference((replace(one, metrics=("test/accuracy",) * 2),)).test
    assert mean == difference((one,)).test


def test_the_other_fingerprint_of_a_test_is_that_of_its_split(tmp_path: Path) -> None:
    training = {**example.SYNTHETIC, "fingerprints": {"train": "t", "test": "same"}}
    test = {**example.SYNTHETIC, "fingerprint": "of one split", "fingerprints": {"test": "same"}}
    cells = [
        cell(tmp_path / name, classified(right(0.6), name), data=data) for name, data in (("a", training), ("b", test))
    ]
    assert difference((cells[0],), (cells[1],)).test is not None


def test_only_images_vary_where_all_seeds_predict_the_same(tmp_path: Path) -> None:
    one, other = (cell(tmp_path / name, classified(right(0.6, seed=len(name)), name)) for name in ("a", "bb"))
    assert difference((one, one), (other, other)).decide
    assert not difference((one,), (other,)).decide  # one seed shows nothing
    again = cell(tmp_path / "c", classified(right(0.6, seed=1), "others"))  # right by chance where the first one is
    assert not difference((one, again), (other, other)).decide


@pytest.mark.parametrize("differing", [0, 1, 3, 6])
def test_few_images_on_which_rows_differ_prove_little(tmp_path: Path, differing: int) -> None:
    worse = right(0.6)
    better = worse.copy()
    better[np.flatnonzero(~worse)[:differing]] = True
    test = difference(
        (cell(tmp_path / "a", classified(better, "p")),), (cell(tmp_path / "b", classified(worse, "q")),)
    ).test
    assert test is not None
    assert test.p_for >= 0.5**differing  # a sign test of these images
    assert (test.p_for < 0.025) == (differing == 6)


TABLE = """
title: Methods
source: An author
base: model=mine
metric: accuracy
unit: "%"
scale: 100
rows:
  Forest: model.width=1
  Vectors: model.width=2
  Network: model.width=3
columns:
  Photos: data=photos
claims:
  - Vectors > Forest in Photos
  - Network > Forest in Photos
"""


def table(folder: Path, forest: np.ndarray, vectors: np.ndarray, network: tuple[np.ndarray, ...]) -> TableResult:
    """Forest and Vectors predict the same with each seed, Network does not."""
    rows = {
        "Forest": [(forest, "f")] * 2,
        "Vectors": [(vectors, "v")] * 2,
        "Network": list(zip(network, "nm", strict=True)),
    }
    outcomes = {(row, "Photos"): [100 * float(found.mean()) for found, _ in seeds] for row, seeds in rows.items()}
    result = example.build(folder, outcomes, TABLE, seeds=(1, 2))
    plan = {}
    for (row, column), entry in result.entries.items():
        for (found, predictions), (seed, status) in zip(rows[row], entry.statuses.items(), strict=True):
            status.folder.mkdir(parents=True)
            save(status.folder / "images.npz", classified(found, f"{row} {predictions}"))
            plan[row, column, seed] = entry.cells[seed]
    return results.gather(result.table, "small", (1, 2), plan, result.statuses, "command")


def test_images_decide_where_no_row_depends_on_the_seed(tmp_path: Path) -> None:
    result = table(tmp_path, right(0.4), right(0.4) | right(0.3, seed=1), (right(0.6, 2), right(0.7, 3)))
    decided, varying = (claim.judgement for claim in result.claims)
    assert decided.verdict is Verdict.reproduced
    assert [test.test for test in decided.tests] == [statistics.Test.images]
    assert "by bootstrap over images" in decided.reason
    assert varying.tests[0].test is statistics.Test.plain  # the other difference has no part in its spread
    line, other = claim_lines.claim_lines(result)
    assert line.links[0].interval == "[no spread]"
    assert line.links[0].other_images.startswith("[")
    assert other.links[0].other_images.startswith("[")
    assert "decides" in claim_lines.method(result)
    assert f", other images {markdown.escape(line.links[0].other_images)}" in markdown.document(result)


def test_one_drawing_proves_nothing(tmp_path: Path) -> None:
    # 32 drawings, of which the one method knows 6 with both seeds and the other 7
    known = np.arange(IMAGES) < 6
    more = np.arange(IMAGES) < 7
    judgement = table(tmp_path, known[:32], more[:32], (known[:32], more[:32])).claims[0].judgement
    assert judgement.verdict is Verdict.inconclusive
    assert judgement.seeds_needed is None
    assert judgement.reason.endswith("more test images would be needed, not more seeds")


def test_equal_differences_of_other_predictions_are_not_for_images_to_decide(tmp_path: Path) -> None:
    worse, better = right(0.4), right(0.4) | right(0.3, seed=1)
    result = table(tmp_path, worse, worse, (better, better))
    judgement = result.claims[1].judgement
    assert judgement.verdict is Verdict.inconclusive
    assert "seeds do not tell" in judgement.reason
    assert claim_lines.claim_lines(result)[1].links[0].other_images
