"""With how many seeds an open claim would probably be decided, see `retable.tables.statistics`."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # it imports this module
    from retable.tables.statistics import Link, LinkTest

_POWER = 0.8
MOST_SEEDS = 1000


def seeds_needed(links: "Sequence[Link]", tests: "Sequence[LinkTest]", level: float) -> int | None:
    """How many seeds would decide a claim in its present direction; None where none up to `MOST_SEEDS` would.

    Args:
        links: The claim's comparisons.
        tests: What is known of them.
        level: Of its two-sided p-value.
    """
    strengths = [test.strength for test in tests]
    if min(strengths) > 0:
        inside = [_seeds_inside(link, test, level / 2) for link, test in zip(links, tests, strict=True)]
        known = [needed for needed in inside if needed is not None]
        return max(known) if len(known) == len(inside) else None
    outside = [
        _seeds_for([-test.strength], level / (2 * len(links) * link.boundaries), test)
        for link, test in zip(links, tests, strict=True)
        if test.strength < 0 and not test.by_images
    ]
    return min((needed for needed in outside if needed is not None), default=None)


def _seeds_inside(link: "Link", test: "LinkTest", level: float) -> int | None:
    """How many seeds would show that a link's mean is inside; None where more seeds would not."""
    if test.by_images:
        return test.n if test.p_for is not None and test.p_for <= level else None
    return _seeds_for(_depths(link, test), level, test)


def _depths(link: "Link", test: "LinkTest") -> list[float]:
    """How far inside each boundary of its region a link's mean lies, in deviations."""
    assert test.mean is not None
    assert test.deviation
    distances = (test.mean - link.low, link.high - test.mean)
    return [distance / test.deviation for distance in distances if math.isfinite(distance)]


def _seeds_for(effects: Sequence[float], level: float, test: "LinkTest") -> int | None:
    """The least number of seeds at which one-sided t tests of these effects all reject with the wanted power.

    Of sign flips it is that of the t test, and at least as many as can reach the level.
    """
    from scipy.special import nctdtr, stdtrit

    def enough(count: int) -> bool:
        # the chances to miss are added up, which for two boundaries of one interval is at worst too cautious
        freedom = count - 1 + test.prior
        critical = -float(stdtrit(freedom, level))
        misses = [float(nctdtr(freedom, effect * math.sqrt(count), critical)) for effect in effects]
        # SciPy answers NaN only where the effect is so large that a miss is out of the question
        return sum(miss for miss in misses if not math.isnan(miss)) <= 1 - _POWER

    counts = range(max(2, math.ceil(-math.log2(level)) if test.by_flips else 2), MOST_SEEDS + 1)
    found = bisect_left(counts, True, key=enough)
    return counts[found] if found < len(counts) else None
