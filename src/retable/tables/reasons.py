"""What a claim's verdict rests on, in words."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # it imports this module
    from retable.tables.statistics import LinkTest

_MOST_DESCRIBED = 3  # differences of a claim that its reason lists


def described(tests: "Sequence[LinkTest]") -> str:
    """The differences of a claim with their intervals; of many only the weakest."""
    if len(tests) > _MOST_DESCRIBED:
        return f"the weakest of {len(tests)} differences {_difference(min(tests, key=lambda test: test.strength))}"
    return ("difference " if len(tests) == 1 else "differences ") + ", ".join(map(_difference, tests))


def tested(tests: "Sequence[LinkTest]", p: float, p_adjusted: float) -> str:
    """The differences, with the p-values and how they were found."""
    how = " and ".join(dict.fromkeys(str(test.test) for test in tests))
    return f"{described(tests)}, p {_p(p)} by {how} (Holm {_p(p_adjusted)}), {_seeds(tests)}"


def untested(tests: "Sequence[LinkTest]") -> str:
    """Why a claim cannot be tested."""
    if any(test.n == 0 for test in tests):
        return "no seed has both rows yet"
    if any(test.n == 1 for test in tests):
        return f"{described(tests)}; one seed shows no spread, at least 3 are needed"
    return f"{described(tests)}; equal for all of {_seeds(tests)}, and nothing else varies: seeds do not tell"


def outlook(tests: "Sequence[LinkTest]", needed: int | None, most: int) -> str:
    """What it would take to decide a claim.

    Args:
        tests: Those of its comparisons.
        needed: The number of seeds; None where none up to `most` would do.
        most: The most that was looked at.
    """
    if needed is not None:
        return f"about {needed} seeds would be needed"
    weakest = min(tests, key=lambda test: test.strength)
    if weakest.by_images:
        return "more test images would be needed, not more seeds"
    if weakest.strength == 0:
        return "the mean lies on the claim's boundary"
    return f"more than {most} seeds would be needed"


def looked_twice(added: bool, over: bool) -> str:
    """What is to come of an open claim of a table that is looked at twice."""
    if not added:
        return "no second look at it was planned"
    return "it has been looked at twice, as planned" if over else "its second look is planned and not over"


def _difference(test: "LinkTest") -> str:
    if test.mean is None:
        return "unknown"
    shown = [test.mean] if test.low is None or test.high is None else [test.mean, test.low, test.high]
    largest = max(map(abs, shown))
    # three significant digits of the largest number, and the same decimals for all three
    decimals = min(6, max(0, 2 - math.floor(math.log10(largest)))) if largest else 2
    mean = f"{test.mean:+z.{decimals}f}"
    if len(shown) == 1:
        return mean
    return f"{mean} [{test.low:z.{decimals}f}, {test.high:z.{decimals}f}]"


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3g}"


def _seeds(tests: "Sequence[LinkTest]") -> str:
    fewest, most = min(test.n for test in tests), max(test.n for test in tests)
    return f"{fewest} seeds" if fewest == most else f"{fewest} to {most} seeds"
