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


def pairs(text: str, rows: list[str] = ROWS) -> list[tuple[str, str, str, bool]]:
    """The two rows of each comparison of a claim, its column, and whether the first is claimed to be higher."""
    (claim,) = parse(text, rows, COLUMNS)
    found = []
    for link in claim.links:
        first, second = link.terms
        assert (first.factor, second.factor, first.column) == (1, -1, second.column)
        found.append((first.row, second.row, first.column, link.low == 0))
    return found


def test_a_list_of_rows_is_one_claim_that_every_one_must_meet() -> None:
    assert pairs("A beats LARSD-1, A B, Baseline in FID") == [
        ("A", row, "FID", False) for row in ("LARSD-1", "A B", "Baseline")
    ]
    assert pairs("A, A B > LARSD-1, Baseline in AP") == [
        (first, second, "AP", True) for first in ("A", "A B") for second in ("LARSD-1", "Baseline")
    ]


def test_all_stands_for_the_rows_that_are_not_named() -> None:
    others = ["LARSD-1", "LARSD-11", "RoI Transformer", "A B"]
    assert pairs("A > all > Baseline in AP") == [
        *(("A", row, "AP", True) for row in others),
        *((row, "Baseline", "AP", True) for row in others),
    ]
    found = links("all - A < 0.06 in AP")
    assert [set(terms) for terms, _, _ in found] == [{(row, "AP"), ("A", "AP")} for row in ROWS if row != "A"]
    assert {high for _, _, high in found} == {0.06}
    with pytest.raises(ClaimError, match="a row of this table is called so"):
        parse("A > all in AP", ["A", "all"], COLUMNS)


def test_best_and_worst_are_so_in_every_column_that_is_named() -> None:
    rows = ["A", "B", "C"]
    assert pairs("A is best in AP, FID", rows) == [
        ("A", "B", "AP", True), ("A", "C", "AP", True), ("A", "B", "FID", False), ("A", "C", "FID", False)
    ]  # fmt: skip
    assert pairs("A is worst in AP, FID", rows) == [
        ("A", "B", "AP", False), ("A", "C", "AP", False), ("A", "B", "FID", True), ("A", "C", "FID", True)
    ]  # fmt: skip
    assert [claim.text for claim in parse("A is best in AP, FID", rows, COLUMNS)] == ["A is best in AP, FID"]


def test_and_makes_one_claim_of_several() -> None:
    assert links("A > LARSD-1 and A B - LARSD-1 < 2 in AP") == links("A > LARSD-1 in AP") + links(
        "A B - LARSD-1 < 2 in AP"
    )
    with pytest.raises(ClaimError, match="compares nothing"):
        parse("A > LARSD-1 and A B in AP", ROWS, COLUMNS)


def test_numbers_of_several_rows() -> None:
    found = links("A, A B = 0.98 +- 0.01 in AP")
    assert [terms for terms, _, _ in found] == [{("A", "AP"): 1}, {("A B", "AP"): 1}]
    assert {(round(low, 9), round(high, 9)) for _, low, high in found} == {(0.97, 0.99)}


def test_a_column_whose_label_holds_a_comma() -> None:
    (claim,) = parse("A > A B in AP, at 0.5", ROWS, {"AP, at 0.5": True, "AP": True})
    assert {term.column for link in claim.links for term in link.terms} == {"AP, at 0.5"}


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
        ("A > all > LARSD-1, LARSD-11, RoI Transformer, A B, Baseline in AP", "names every row"),
        ("A > LARSD-1, in AP", "missing or incomplete"),
        ("A > LARSD-1 in AP, Ap", "no column 'Ap'"),
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
