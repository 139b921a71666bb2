import math

import pytest

from retable.tables import sequential
from retable.tables.statistics import FirstLook, Link, Verdict, judge


def link(*differences: float) -> Link:
    return Link(differences, 0.0, math.inf)


FIRST, ALL = (1.0, 2.2, 0.9), (1.0, 2.2, 0.9, 1.4, 1.5, 1.1)


def test_until_the_second_look_is_over_the_first_one_counts_at_its_share_of_the_level() -> None:
    once = judge([[link(*FIRST)]])[0]
    planned = judge([[link(*ALL)]], looks=[FirstLook((link(*FIRST),), 0.5, added=True, over=False)])[0]
    assert once.p is not None
    assert planned.p == pytest.approx(sequential.first_look(once.p, 0.5))
    assert planned.tests == once.tests
    assert planned.seeds_needed is None
    assert planned.reason.endswith("its second look is planned and not over")


def test_after_both_looks_the_p_value_is_that_of_both() -> None:
    first, everything = judge([[link(*FIRST)]])[0], judge([[link(*ALL)]])[0]
    assert first.p is not None
    assert everything.p is not None
    (both,) = judge([[link(*ALL)]], looks=[FirstLook((link(*FIRST),), 0.5, added=True, over=True)])
    assert both.p == pytest.approx(sequential.p_value(first.p, everything.p, 0.5))
    assert both.p > everything.p, "looking twice has its price"
    assert both.tests == everything.tests
    assert (first.verdict, both.verdict) == (Verdict.inconclusive, Verdict.reproduced)


def test_what_the_first_look_decided_stays_decided_in_its_direction() -> None:
    certain = (5.0, 5.1, 4.9)
    looks = [FirstLook((link(*certain),), 0.5, added=True, over=True)]
    (found,) = judge([[link(*certain, -30.0, -31.0, -29.0)]], looks=looks)
    assert found.verdict is Verdict.reproduced


def test_claims_that_get_no_seeds_have_the_first_looks_level_too() -> None:
    once = judge([[link(*FIRST)]])[0]
    (left,) = judge([[link(*FIRST)]], looks=[FirstLook((link(*FIRST),), 0.5, added=False, over=True)])
    assert once.p is not None
    assert left.p == pytest.approx(sequential.first_look(once.p, 0.5))
    assert left.reason.endswith("no second look at it was planned")
