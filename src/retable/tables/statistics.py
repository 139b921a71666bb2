"""Statistics over seeds, and the rule that gives each claim of a paper its verdict.

A verdict speaks about our runs: these configurations, this budget, these data. It says whether the runs agree with
what the paper claims, and guards against differences that chance between seeds would make as well. It does not say
whether the paper is right: a claim that our runs contradict may hold at the paper's own schedule and data, and one
that they reproduce may fail there.

**Claims.** A claim is one comparison, or several that must all hold. Each comparison says that the mean of a
difference lies in a region: ``A > B`` says that A - B is above 0, ``A - B < 0.5`` that it is below 0.5,
``A - B = 4.5 +- 1`` that it is between 3.5 and 5.5. In this module a comparison is a `Link`.

**Measurements.** A seed counts once both sides have run it, and then as a pair: its two results are subtracted
first, so that what a seed does to both sides alike drops out. Mean, standard deviation (ddof=1) and 95% t interval
are those of the differences. Seeds are all that varies: the test images are the same each time, so nothing is said
about other images.

**Test of a comparison.** A t test of the differences against the boundary of the region, in both directions.
``p_for`` tests the null hypothesis that the mean is outside: where it is small, the mean lies inside. For a region
with two boundaries both must be cleared, so it is the larger of two one-sided p-values (TOST). ``p_against`` tests
the null hypothesis that the mean is inside: where it is small, the mean lies outside. For a region with two
boundaries the one-sided p-value is doubled, because the mean may leave on either side. The t test takes the
differences to be about normal, which a few seeds can neither show nor refute.

**Test of a claim.** To hold, all comparisons must hold, so the claim's ``p_for`` is the largest of theirs
(intersection-union test). To fail, one is enough, so its ``p_against`` is the smallest of theirs times their number,
at most 1 (Bonferroni). The p-value of the claim is twice the smaller of the two, at most 1, because it may fall
either way. For ``A > B`` that is the common two-sided paired t test.

**Verdict.** A claim can be tested when each of its comparisons has 2 seeds or more. The p-values of all claims of
the table that can be tested are adjusted together by Holm's method. A claim whose adjusted p-value is at most the
level, 0.05, is

- ``reproduced`` if ``p_for`` is the smaller: in our runs the differences lie where the paper says;
- ``contradicted`` if ``p_against`` is the smaller: in our runs at least one difference lies elsewhere.

Every other claim is ``inconclusive``: our runs do not tell, which is evidence for neither side. Among claims whose
true mean lies right on the boundary, so that there is nothing to find, the chance that even one is called reproduced
or contradicted is at most the level.

**No spread.** Differences that are equal for all seeds, up to rounding, leave no doubt as far as seeds go: the
p-value is 0 on the side where they lie. On the boundary itself they are evidence for neither side, and both p-values
are 1. Methods that do not depend on the seed get their verdicts in this way, and the reason given says "no spread".

**Seeds needed.** For an inconclusive claim: the number of seeds at which it would be decided, in the direction in
which the means lie now, with a power of 80%, if means and standard deviations were as measured. The level of this
calculation is the one that Holm's method leaves for the smallest p-value, the level divided by the number of tested
claims. This is conservative: later claims are judged less strictly. A claim that leans to ``reproduced`` needs as
many seeds as its most demanding comparison; the 80% are those of that comparison, and the whole claim may have
somewhat less. A claim that leans to ``contradicted`` needs as many as its least demanding one. Few seeds estimate a
spread badly, so the figure is an order of magnitude, meant for planning one further round: adding seeds one by one
until a verdict appears makes false verdicts more frequent than the level says.
"""

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean, stdev

_CONFIDENCE = 0.95
_POWER = 0.8
_MOST_SEEDS = 1000
_ROUNDING = 1e-12  # of the numbers, or of 1 where they are smaller: float64 leaves 1e-14 on metrics of up to 100


@dataclass(frozen=True)
class Summary:
    """Numbers over seeds.

    Attributes:
        n: How many there are.
        mean: None without any.
        std: Standard deviation with ddof=1; None for fewer than two.
        low: Lower end of the 95% t interval of the mean; None for fewer than two.
        high: Its upper end.
    """

    n: int
    mean: float | None
    std: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Link:
    """One comparison of a claim: the mean of paired differences lies in a region.

    Attributes:
        differences: One for each seed that both sides share.
        low: Lower boundary of the region, or ``-inf``.
        high: Upper boundary, or ``inf``.

    Raises:
        ValueError: A difference is NaN or infinite, or the region is empty, a point or the whole line.
    """

    differences: tuple[float, ...]
    low: float
    high: float

    def __post_init__(self) -> None:
        _refuse_undefined(self.differences)
        if not self.low < self.high or not self.boundaries:
            raise ValueError(f"({self.low}, {self.high}) is no region that a difference could be in or out of")

    @property
    def boundaries(self) -> int:
        """How many boundaries the region has: 1 for a half-line, 2 for an interval."""
        return math.isfinite(self.low) + math.isfinite(self.high)


@dataclass(frozen=True)
class LinkTest(Summary):
    """The differences of a link, and what they say about its region.

    Attributes:
        effect: Cohen's d_z relative to the boundary that is nearest to the mean: the distance between the two in
            standard deviations of the differences, positive if the mean lies inside the region. For ``A > B`` it is
            the common d_z. None without spread.
        p_for: p-value of the null hypothesis that the mean is outside the region; None for fewer than two seeds.
        p_against: p-value of the null hypothesis that it is inside.
    """

    effect: float | None
    p_for: float | None
    p_against: float | None


class Verdict(StrEnum):
    """What our runs under the budget say about a claim."""

    reproduced = "reproduced"
    contradicted = "contradicted"
    inconclusive = "inconclusive"


@dataclass(frozen=True)
class Judgement:
    """A claim's verdict and what it rests on.

    Attributes:
        verdict: By the rule in the module's docstring.
        tests: One for each link, in their order.
        p: Two-sided p-value of the claim; None if it cannot be tested yet.
        p_adjusted: The same after Holm's method over the claims of the table.
        seeds_needed: For an inconclusive claim, with how many seeds it would probably be decided. None if that is more
            than 1000, if a mean lies on the boundary, or if there are fewer than two seeds to estimate it from.
        reason: One sentence with the numbers.
    """

    verdict: Verdict
    tests: tuple[LinkTest, ...]
    p: float | None
    p_adjusted: float | None
    seeds_needed: int | None
    reason: str


def summarise(values: Iterable[float]) -> Summary:
    """Mean, standard deviation and 95% t interval of numbers over seeds.

    Raises:
        ValueError: A number is NaN or infinite.
    """
    numbers = [float(value) for value in values]
    _refuse_undefined(numbers)
    count = len(numbers)
    mean = fmean(numbers) if numbers else None
    if mean is None or count < 2:
        return Summary(count, mean, None, None, None)
    from scipy.special import stdtrit  # here and below: importing SciPy takes 0.3 s that most commands need not wait

    std = stdev(numbers)
    margin = float(stdtrit(count - 1, (1 + _CONFIDENCE) / 2)) * std / math.sqrt(count)
    return Summary(count, mean, std, mean - margin, mean + margin)


def test_link(link: Link) -> LinkTest:
    """Tests by paired t tests whether the mean difference lies inside or outside the link's region.

    There are no p-values for fewer than two differences, and no effect if they are all equal.
    """
    summary = summarise(link.differences)
    count, mean, std = summary.n, summary.mean, summary.std
    if mean is None or std is None:
        return LinkTest(count, mean, None, None, None, effect=None, p_for=None, p_against=None)
    depth = min(mean - link.low, link.high - mean)  # how far inside, negative if outside
    finite = [abs(number) for number in (*link.differences, link.low, link.high) if math.isfinite(number)]
    rounding = _ROUNDING * max(1.0, *finite)
    if std <= rounding:
        p_for, p_against = float(depth <= rounding), float(depth >= -rounding)
        return LinkTest(count, mean, 0.0, mean, mean, effect=None, p_for=p_for, p_against=p_against)
    from scipy.special import stdtr

    effect = depth / std
    # of two boundaries the nearest gives both p-values: the larger from inside, the smaller from outside
    t = effect * math.sqrt(count)
    p_for = float(stdtr(count - 1, -t))
    p_against = min(1.0, link.boundaries * float(stdtr(count - 1, t)))
    return LinkTest(count, mean, std, summary.low, summary.high, effect=effect, p_for=p_for, p_against=p_against)


test_link.__test__ = False  # type: ignore[attr-defined]  # not a test of ours, whatever pytest makes of its name


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values: rejecting those up to a level keeps the chance of any false rejection to that level.

    Returns:
        Adjusted p-values in the order given, at most 1.

    Raises:
        ValueError: A number is not in [0, 1].
    """
    if not all(0 <= p <= 1 for p in p_values):
        raise ValueError(f"p-values lie between 0 and 1: {list(p_values)}")
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return adjusted


def judge(claims: Sequence[Sequence[Link]], level: float = 0.05) -> list[Judgement]:
    """Gives each claim of a table its verdict, by the rule in the module's docstring.

    Args:
        claims: All claims of one table, each as the links that must all hold.
        level: The greatest chance to call even one claim reproduced or contradicted where there is nothing to find.

    Returns:
        One judgement for each claim, in their order.

    Raises:
        ValueError: A claim has no link, or the level is not between 0 and 1.
    """
    if not all(claims):
        raise ValueError("a claim needs at least one link")
    if not 0 < level < 1:
        raise ValueError(f"the level lies between 0 and 1: {level}")
    tests = [tuple(test_link(link) for link in links) for links in claims]
    sides = {index: both for index, of_claim in enumerate(tests) if (both := _combine(of_claim)) is not None}
    p_values = [min(1.0, 2 * min(both)) for both in sides.values()]
    corrected = dict(zip(sides, zip(p_values, holm(p_values), strict=True), strict=True))

    judgements = []
    for index, (links, of_claim) in enumerate(zip(claims, tests, strict=True)):
        if index not in sides:
            judgements.append(
                Judgement(Verdict.inconclusive, of_claim, None, None, None, reason=_untested_reason(of_claim))
            )
            continue
        (p_for, p_against), (p, p_adjusted) = sides[index], corrected[index]
        reason = f"{_describe(of_claim)}, p {_p_text(p)} (Holm {_p_text(p_adjusted)}), {_seeds_text(of_claim)}"
        needed = None
        if p_adjusted <= level:
            verdict = Verdict.reproduced if p_for < p_against else Verdict.contradicted
        else:
            verdict = Verdict.inconclusive
            needed = _seeds_needed(links, of_claim, level / len(sides))
            reason += f"; {_outlook(of_claim, needed)}"
        judgements.append(Judgement(verdict, of_claim, p, p_adjusted, needed, reason))
    return judgements


def _refuse_undefined(numbers: Iterable[float]) -> None:
    for number in numbers:
        if not math.isfinite(number):
            raise ValueError(f"only finite numbers can be averaged over seeds, not {number}")


def _combine(tests: Sequence[LinkTest]) -> tuple[float, float] | None:
    """p_for and p_against of a claim; None if one of its links cannot be tested."""
    p_for = [test.p_for for test in tests if test.p_for is not None]
    p_against = [test.p_against for test in tests if test.p_against is not None]
    if len(p_for) < len(tests):
        return None
    return max(p_for), min(1.0, len(tests) * min(p_against))


def _strength(test: LinkTest) -> float:
    """The effect of a tested link; without spread 0 on the boundary and infinite off it."""
    if test.effect is not None:
        return test.effect
    if test.p_for == test.p_against:
        return 0.0
    return math.inf if test.p_for == 0 else -math.inf


def _seeds_needed(links: Sequence[Link], tests: Sequence[LinkTest], level: float) -> int | None:
    """How many seeds would decide a claim in its present direction (see the module's docstring), or None."""
    strengths = [_strength(test) for test in tests]
    if min(strengths) > 0:
        inside = [_seeds_for(_depths(link, test), level / 2) for link, test in zip(links, tests, strict=True)]
        known = [needed for needed in inside if needed is not None]
        return max(known) if len(known) == len(inside) else None
    outside = [
        _seeds_for([-strength], level / (2 * len(links) * link.boundaries))
        for link, strength in zip(links, strengths, strict=True)
        if strength < 0
    ]
    return min((needed for needed in outside if needed is not None), default=None)


def _depths(link: Link, test: LinkTest) -> list[float]:
    """How far inside each boundary of its region a link's mean lies, in standard deviations; none without spread."""
    if test.mean is None or not test.std:
        return []
    distances = (test.mean - link.low, link.high - test.mean)
    return [distance / test.std for distance in distances if math.isfinite(distance)]


def _seeds_for(effects: Sequence[float], level: float) -> int | None:
    """The least number of seeds at which one-sided t tests of these effects all reject with the wanted power."""
    from scipy.special import nctdtr, stdtrit

    def enough(count: int) -> bool:
        # the chances to miss are added up, which for two boundaries of one interval is at worst too cautious
        critical = -float(stdtrit(count - 1, level))
        misses = [float(nctdtr(count - 1, effect * math.sqrt(count), critical)) for effect in effects]
        # SciPy answers NaN only where the effect is so large that a miss is out of the question
        return sum(miss for miss in misses if not math.isnan(miss)) <= 1 - _POWER

    counts = range(2, _MOST_SEEDS + 1)
    found = bisect_left(counts, True, key=enough)
    return counts[found] if found < len(counts) else None


def _describe(tests: Sequence[LinkTest]) -> str:
    return ("difference " if len(tests) == 1 else "differences ") + ", ".join(_difference_text(test) for test in tests)


def _difference_text(test: LinkTest) -> str:
    if test.mean is None:
        return "unknown"
    shown = [test.mean] if test.low is None or test.high is None else [test.mean, test.low, test.high]
    largest = max(map(abs, shown))
    # three significant digits of the largest number, and the same decimals for all three
    decimals = min(6, max(0, 2 - math.floor(math.log10(largest)))) if largest else 2
    mean = f"{test.mean:+z.{decimals}f}"
    if len(shown) == 1:
        return mean
    return f"{mean} [no spread]" if test.std == 0 else f"{mean} [{test.low:z.{decimals}f}, {test.high:z.{decimals}f}]"


def _p_text(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3g}"


def _seeds_text(tests: Sequence[LinkTest]) -> str:
    fewest, most = min(test.n for test in tests), max(test.n for test in tests)
    return f"{fewest} seeds" if fewest == most else f"{fewest} to {most} seeds"


def _untested_reason(tests: Sequence[LinkTest]) -> str:
    if any(test.n == 0 for test in tests):
        return "no seed has both rows yet"
    return f"{_describe(tests)}; one seed shows no spread, at least 3 are needed"


def _outlook(tests: Sequence[LinkTest], needed: int | None) -> str:
    if needed is not None:
        return f"about {needed} seeds would be needed"
    if min(map(_strength, tests)) == 0:
        return "the mean lies on the claim's boundary"
    return f"more than {_MOST_SEEDS} seeds would be needed"
