import math

import pytest

from retable.tables.claims import ClaimError, Comparison, parse

ROWS = ["Baseline", "LARSD-1", "LARSD-11", "RoI Transformer", "A", "A B"]
COLUMNS = {"AP": True, "FID": False}


def links(text: str) -> list[tuple[dict[tuple[str, str], float], float, float]]:
    (claim,) = parse(text, ROWS, COLUMNS)
    return [({(t.row, t.column): t.factor for t in link.terms}, link.low, link.high) for link in claim.links]


def test_a_comparison_in_a_column() -> None:
    assert links("LARSD-1 > Baseline in AP") == [({("LARSD-1", "AP"): 1, ("Baseline", "AP"): -1}, 0, math.inf)]


def test_a_label_that_begins_another_and_labels_with_spaces() -> None:
    assert links("A B < RoI Transformer in AP") == [({("A B", "AP"): 1, ("RoI Transformer", "AP"): -1}, -math.inf, 0)]
    assert links("LARSD-11 > A in AP")[0][0] == {("LARSD-11", "AP"): 1, ("A", "AP"): -1}


def test_a_chain_has_a_link_for_each_pair() -> None:
    found = links("LARSD-11 > LARSD-1 > Baseline in AP")
    assert [set(terms) for terms, _, _ in found] == [
        {("LARSD-11", "AP"), ("LARSD-1", "AP")},
        {("LARSD-1", "AP"), ("Baseline", "AP")},
    ]


def test_margins_stand_on_either_side() -> None:
    expected = {("LARSD-11", "AP"): 1.0, ("LARSD-1", "AP"): -1.0}
    assert links("LARSD-11 - LARSD-1 < 0.5 in AP") == [(expected, -math.inf, 0.5)]
    assert links("LARSD-11 < LARSD-1 + 0.5 in AP") == [(expected, -math.inf, 0.5)]
    assert links("LARSD-11 - 0.5 < LARSD-1 in AP") == [(expected, -math.inf, 0.5)]


def test_a_difference_as_printed_has_a_tolerance() -> None:
    ((terms, low, high),) = links("LARSD-1 - Baseline = 4.5 +- 1 in AP")
    assert (low, high) == (3.5, 5.5)
    assert terms == {("LARSD-1", "AP"): 1, ("Baseline", "AP"): -1}


@pytest.mark.parametrize(("column", "low", "high"), [("AP", 0, math.inf), ("FID", -math.inf, 0)])
def test_beats_follows_the_metric(column: str, low: float, high: float) -> None:
    assert links(f"LARSD-1 beats Baseline in {column}")[0][1:] == (low, high)


def test_without_a_column_there_is_one_claim_for_each() -> None:
    claims = parse("LARSD-1 beats Baseline", ROWS, COLUMNS, "they say", 7)
    assert [claim.text for claim in claims] == ["LARSD-1 beats Baseline in AP", "LARSD-1 beats Baseline in FID"]
    assert {(claim.says, claim.line) for claim in claims} == {("they say", 7)}


def test_rows_may_name_their_own_columns() -> None:
    assert links("A[AP] - A[FID] > 2")[0][0] == {("A", "AP"): 1, ("A", "FID"): -1}
    assert links("A[AP] > Baseline")[0][0] == {("A", "AP"): 1, ("Baseline", "AP"): -1}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("LARSD-2 > Baseline", "'LARSD-2' is neither a row nor a number nor an operator; did you mean LARSD-1?"),
        ("LARSD-1 > Baseline in Ap", "no column 'Ap'"),
        ("LARSD-1[Ap] > Baseline", "no column 'Ap'"),
        ("LARSD-1[AP] > Baseline in FID", "not both"),
        ("LARSD-1", "compares nothing"),
        ("LARSD-1 >", "missing or incomplete"),
        ("> LARSD-1", "missing or incomplete"),
        ("LARSD-1 Baseline > 3", "should be"),
        ("LARSD-1 - > 3", "missing or incomplete"),
        ("LARSD-1 = Baseline", "tolerance"),
        ("LARSD-1 = 4 +- 0", "above 0"),
        ("LARSD-1 = 4 +- 1 > Baseline", "chain"),
        ("3 > 2", "no row"),
        ("A[AP] beats A[FID]", "one wants high"),
        ("A[AP] + A[FID] > Baseline", "names no column"),
        ("LARSD-1 +- Baseline > 2", "stands where + or - should be"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told(text: str, problem: str) -> None:
    with pytest.raises(ClaimError, match=problem.replace("?", r"\?").replace("+", r"\+")):
        parse(text, ROWS, COLUMNS)


def test_printed_numbers_hold_at_the_ends_of_a_tolerance_only() -> None:
    (claim,) = parse("LARSD-1 - Baseline = 4.5 +- 1 in AP", ROWS, COLUMNS)
    assert claim.links[0].holds(5.5)
    assert not claim.links[0].holds(5.6)
    assert not Comparison((), 0, math.inf).holds(0.0)


def test_a_missing_number_leaves_the_sum_open() -> None:
    (claim,) = parse("LARSD-1 > Baseline in AP", ROWS, COLUMNS)
    numbers = {"LARSD-1": 3.0, "Baseline": None}
    assert claim.links[0].value(lambda row, column: numbers[row]) is None
    assert claim.links[0].value(lambda row, column: 2.0) == 0
