"""Statistics over seeds, and the rule that gives each claim of a paper its verdict.

A verdict speaks about our runs: these configurations, this budget, these data. It says whether the runs agree with
what the paper claims, and guards against differences that chance between seeds would make as well. It does not say
whether the paper is right: a claim that our runs contradict may hold at the paper's own schedule and data, and one
that they reproduce may fail there.

**Claims.** A claim is one comparison, or several that must all hold. Each comparison says that the mean of a
difference lies in a region: ``A > B`` says that A - B is above 0, ``A - B < 0.5`` that it is below 0.5,
``A - B = 4.5 +- 1`` that it is between 3.5 and 5.5. In this module a comparison is a `Link`.

**Measurements.** A seed counts once both sides have run it, and then as a pair: its two results are subtracted
first, so that what a seed does to both sides alike drops out. Mean and standard deviation (ddof=1) are those of the
differences. Seeds are all that varies: the test images are the same each time, and what would be on other images is
told apart, see below.

**Spread.** A few seeds estimate a spread badly, and a table has many. So the variance of each difference is shrunk
towards the mean variance of all distinct differences of the table in the same unit, as limma does (Smyth 2004), with a
prior of three degrees of freedom that is fixed in advance, not estimated: ``(3 * table's + (n - 1) * own) / (n + 2)``
on ``n + 2`` degrees of freedom. Where a table has fewer than four such differences the prior is one less than their
number, so that a difference alone has the common t test. So have two seeds, as their shrunk spread does not keep the
level. Differences without a spread do not count for the table's.
``benchmarks/claim_verdicts.py`` simulates how often the rule errs and finds; its table stands in ``docs/tables.md``.

**Test of a comparison.** A t test with this spread against the boundary of the region, in both directions.
``p_for`` tests the null hypothesis that the mean is outside: where it is small, the mean lies inside. For a region
with two boundaries both must be cleared, so it is the larger of two one-sided p-values (TOST). ``p_against`` tests
the null hypothesis that the mean is inside: where it is small, the mean lies outside. For a region with two
boundaries the one-sided p-value is doubled, because the mean may leave on either side. The interval of 95% is that
of the same test. The t test takes the differences to be about normal, which a few seeds can neither show nor refute.

**Sign flips.** Where a table file says so (``test: sign flips``), comparisons of six seeds or more are tested without
that: of all the ways to flip signs of the differences from the boundary, all as likely if these are symmetric about it,
the p-value counts those whose sum is as large. Six seeds give 1/64 at least; fewer seeds have the t test.

**Test of a claim.** To hold, all comparisons must hold, so the claim's ``p_for`` is the largest of theirs
(intersection-union test). To fail, one is enough, so its ``p_against`` is the smallest of theirs times their number,
at most 1 (Bonferroni). The p-value of the claim is twice the smaller of the two, at most 1, because it may fall
either way. For ``A > B`` that is the common two-sided paired t test.

**Verdict.** A claim can be tested when each of its comparisons has 2 seeds or more. The p-values of all claims of
the table that can be tested are adjusted together by Holm's method. A claim whose adjusted p-value is at most the
level, 0.05, is

- ``reproduced`` if ``p_for`` is the smaller: in our runs the differences lie where the paper says;
- ``contradicted`` if ``p_against`` is the smaller: in our runs at least one difference lies elsewhere.

A claim whose rows must not be compared, or that something was tuned for on the test images, is ``withheld``, with the
reason, whatever its numbers are; it does not count among the claims that are tested.

Every other claim is ``inconclusive``: our runs do not tell, which is evidence for neither side. Among claims whose
true mean lies right on the boundary, so that there is nothing to find, the chance that even one is called reproduced
or contradicted is at most the level, as far as the simulation shows the test to keep it.

**No spread.** Differences that are equal for all seeds prove nothing: a metric that is a count repeats itself by
chance, and a method that does not depend on the seed was run once. Unless the images decide (see below), they are
tested with the table's share of their variance; where nothing else in the table varies, they cannot be tested, and the
claim is inconclusive.

**Images.** Where cells keep what they found in each image, every comparison has a second interval, over draws of the
test images with the seeds as they are (the paired bootstrap of `retable.tables.over_images`): what would hold on other
images of this kind. It adds no seed and changes no verdict, with one exception. Where no row of a comparison depends on
the seed at all, as all predictions of each are the same for two seeds or more, only the images vary: the interval and
the p-values over images take the place of the t test's. Equal differences of predictions that are not the same do not
count as such.

**Two looks.** Where seeds were added by a plan (``add_seeds=auto``), a claim's p-value is that of
`retable.tables.sequential`: the level is split between the looks, and until the second one is over the first counts.

**Seeds needed.** For an inconclusive claim: the number of seeds at which it would be decided, in the direction in
which the means lie now, with a power of 80%, if means and standard deviations were as measured. The level of this
calculation is the one that Holm's method leaves for the smallest p-value, the level divided by the number of tested
claims. This is conservative: later claims are judged less strictly. A claim that leans to ``reproduced`` needs as
many seeds as its most demanding comparison; the 80% are those of that comparison, and the whole claim may have
somewhat less. A claim that leans to ``contradicted`` needs as many as its least demanding one. Where it takes more
images, there is no such number. Few seeds estimate a spread badly, so the figure is an order of magnitude, meant for
planning one further round: adding seeds one by one until a verdict appears makes false verdicts more frequent than the
level says.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist, fmean, stdev, variance
from typing import TYPE_CHECKING

from retable.tables import reasons, sequential
from retable.tables.seeds_needed import MOST_SEEDS, seeds_needed

if TYPE_CHECKING:  # it imports NumPy
    from retable.tables.over_images import OverImages

_CONFIDENCE = 0.95
_PRIOR = 3
_LEAST_SHRUNK = 3  # seeds
_LEAST_FLIPS, _MOST_FLIPS = 6, 16  # seeds; above, flips are drawn
_DRAWN_FLIPS = 100_000
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
        unit: Of the differences; those of the same unit share their spread.
        images: What the test images say of their mean; None where nothing is known.

    Raises:
        ValueError: A difference is NaN or infinite, or the region is empty, a point or the whole line.
    """

    differences: tuple[float, ...]
    low: float
    high: float
    unit: str = ""
    images: "OverImages | None" = None

    def __post_init__(self) -> None:
        _refuse_undefined(self.differences)
        if not self.low < self.high or not self.boundaries:
            raise ValueError(f"({self.low}, {self.high}) is no region that a difference could be in or out of")

    @property
    def boundaries(self) -> int:
        """How many boundaries the region has: 1 for a half-line, 2 for an interval."""
        return math.isfinite(self.low) + math.isfinite(self.high)


class Test(StrEnum):
    """How a comparison was tested, in the words of the report."""

    plain = "t test"
    moderated = "moderated t test"
    flips = "sign flips"
    images = "bootstrap over images"


@dataclass(frozen=True)
class Spread:
    """What the table says of the spread of differences in a unit.

    Attributes:
        variance: The mean over the distinct differences that vary.
        prior: The degrees of freedom with which it counts.
    """

    variance: float
    prior: int


NO_SPREAD = Spread(0.0, 0)
"""Of a table that says nothing; differences then have the common t test."""


@dataclass(frozen=True)
class LinkTest(Summary):
    """The differences of a link, and what they say about its region; ``low`` and ``high`` are of the test's interval.

    Attributes:
        deviation: Standard deviation of the differences, shrunk towards the table's.
        prior: Degrees of freedom that the table's spread adds.
        effect: Cohen's d_z relative to the boundary that is nearest to the mean: the distance between the two in
            deviations, positive if the mean lies inside the region. For ``A > B`` it is the common d_z. Where images
            decide it is that over single images.
        p_for: p-value of the null hypothesis that the mean is outside the region; None where nothing can be tested.
        p_against: p-value of the null hypothesis that it is inside.
        test: Where the p-values come from.
        alone: The differences by themselves, without the table's spread; None where they do not vary.
    """

    deviation: float | None = None
    prior: int = 0
    effect: float | None = None
    p_for: float | None = None
    p_against: float | None = None
    test: Test | None = None
    alone: Summary | None = None

    @property
    def by_flips(self) -> bool:
        """Whether it is a test of sign flips, whose smallest p-value depends on the number of seeds."""
        return self.test is Test.flips

    @property
    def by_images(self) -> bool:
        """Whether the test images decide, as nothing depends on the seed."""
        return self.test is Test.images

    @property
    def strength(self) -> float:
        """The effect, 0 where nothing is tested; where images decide, the one that would have the same p-value."""
        if not self.by_images or self.p_for is None or self.p_against is None:
            return self.effect or 0.0
        sign = (self.p_for < self.p_against) - (self.p_for > self.p_against)
        return sign * -NormalDist().inv_cdf(min(self.p_for, self.p_against, 0.5)) / math.sqrt(self.n)


class Verdict(StrEnum):
    """What our runs under the budget say about a claim."""

    reproduced = "reproduced"
    contradicted = "contradicted"
    inconclusive = "inconclusive"
    withheld = "withheld"


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


def assess(link: Link, spread: Spread = NO_SPREAD, flips: bool = False) -> LinkTest:
    """Tests whether the mean difference lies inside or outside the link's region.

    Args:
        link: The differences and the region.
        spread: What the table says of their spread.
        flips: Whether six differences or more are tested by flips of their signs.

    Returns:
        The test, without p-values for fewer than two differences or where neither they nor the table vary.
    """
    summary = summarise(link.differences)
    count, mean = summary.n, summary.mean
    if mean is None or summary.std is None:
        return LinkTest(count, mean, None, None, None)
    if _is_constant(link) and link.images is not None and link.images.decide and (found := link.images.test):
        return LinkTest(
            count, mean, 0.0, found.low, found.high,
            effect=found.effect, p_for=found.p_for, p_against=found.p_against, test=Test.images,
        )  # fmt: skip
    if count < _LEAST_SHRUNK and not _is_constant(link):
        spread = NO_SPREAD
    std = 0.0 if _is_constant(link) else summary.std
    freedom = count - 1 + spread.prior
    deviation = math.sqrt((spread.prior * spread.variance + (count - 1) * std**2) / freedom)
    if deviation == 0:
        return LinkTest(count, mean, 0.0, mean, mean)
    from scipy.special import stdtr, stdtrit

    effect = min(mean - link.low, link.high - mean) / deviation  # how far inside, negative if outside
    if flips and std > 0 and count >= _LEAST_FLIPS:
        test = Test.flips
        distances = [[difference - link.low for difference in link.differences]] if math.isfinite(link.low) else []
        distances += [[link.high - difference for difference in link.differences]] if math.isfinite(link.high) else []
        p_for = max(_flipped(inside) for inside in distances)
        outside = min(_flipped([-distance for distance in inside]) for inside in distances)
    else:
        test = Test.moderated if spread.prior else Test.plain
        # of two boundaries the nearest gives both p-values: the larger from inside, the smaller from outside
        t = effect * math.sqrt(count)
        p_for, outside = float(stdtr(freedom, -t)), float(stdtr(freedom, t))
    margin = float(stdtrit(freedom, (1 + _CONFIDENCE) / 2)) * deviation / math.sqrt(count)
    p_against = min(1.0, link.boundaries * outside)
    alone = summary if std > 0 else None
    return LinkTest(
        count, mean, std, mean - margin, mean + margin, deviation, spread.prior, effect, p_for, p_against, test, alone
    )  # fmt: skip


def spreads(links: Iterable[Link]) -> dict[str, Spread]:
    """What a table's comparisons say of the spread of differences, by unit."""
    distinct: dict[str, dict[tuple[float, ...], Link]] = {}
    for link in links:
        if len(link.differences) > 1 and not _is_constant(link):
            mirrored = tuple(-difference for difference in link.differences)
            distinct.setdefault(link.unit, {})[max(link.differences, mirrored)] = link  # B - A is A - B again
    found = {}
    for unit, of_unit in distinct.items():
        freedom = [len(differences) - 1 for differences in of_unit]
        total = sum(count * variance(differences) for count, differences in zip(freedom, of_unit, strict=True))
        found[unit] = Spread(total / sum(freedom), min(_PRIOR, len(of_unit) - 1))
    return found


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


@dataclass(frozen=True)
class FirstLook:
    """The first look at a claim of a table that is looked at twice, see `retable.tables.second_look`.

    Attributes:
        links: The claim's comparisons with the first seeds alone.
        share: Which part of the seeds of both looks they are. The level is split for claims without further seeds as
            well, as it was by their first look that they got none.
        added: Whether the claim gets further seeds.
        over: Whether all of these have been run; until then the first look counts.
    """

    links: tuple[Link, ...]
    share: float
    added: bool
    over: bool


def judge(
    claims: Sequence[Sequence[Link]],
    level: float = 0.05,
    flips: bool = False,
    withheld: Sequence[str] = (),
    looks: Sequence[FirstLook | None] = (),
) -> list[Judgement]:
    """Gives each claim of a table its verdict, by the rule in the module's docstring.

    Args:
        claims: All claims of one table, each as the links that must all hold.
        level: The greatest chance to call even one claim reproduced or contradicted where there is nothing to find.
        flips: Whether comparisons of six seeds or more are tested by sign flips.
        withheld: For each claim why it must have no verdict, or ""; nothing where all may have one.
        looks: For each claim the first of two looks, or None; nothing where all are looked at once.

    Returns:
        One judgement for each claim, in their order.

    Raises:
        ValueError: A claim has no link, or the level is not between 0 and 1.
    """
    if not all(claims):
        raise ValueError("a claim needs at least one link")
    if not 0 < level < 1:
        raise ValueError(f"the level lies between 0 and 1: {level}")
    tests = _assess_all(claims, flips)
    first = dict(enumerate(looks))
    at_first = [look.links if (look := first.get(index)) else links for index, links in enumerate(claims)]
    earlier = _assess_all(at_first, flips) if any(looks) else tests
    why_not = dict(enumerate(withheld))
    sides = {}
    p_values = []
    for index, (before, now) in enumerate(zip(earlier, list(tests), strict=True)):
        look = first.get(index)
        if look is not None and not (look.added and look.over):
            tests[index] = now = before
        both = _combine(now)
        if why_not.get(index) or both is None:
            continue
        p = min(1.0, 2 * min(both))
        if look is not None and (side := _combine(before)) is not None:
            p_first = sequential.first_look(min(1.0, 2 * min(side)), look.share)
            p = sequential.second_look(p, look.share) if look.added and look.over else p_first
            if p_first < p:
                p, both = p_first, side
        sides[index] = both
        p_values.append(p)
    corrected = dict(zip(sides, zip(p_values, holm(p_values), strict=True), strict=True))

    judgements = []
    for index, (links, of_claim) in enumerate(zip(claims, tests, strict=True)):
        if why_not.get(index):
            reason = f"{reasons.described(of_claim)}; no verdict, as {why_not[index]}"
            judgements.append(Judgement(Verdict.withheld, of_claim, None, None, None, reason))
            continue
        if index not in sides:
            judgements.append(
                Judgement(Verdict.inconclusive, of_claim, None, None, None, reason=reasons.untested(of_claim))
            )
            continue
        (p_for, p_against), (p, p_adjusted) = sides[index], corrected[index]
        reason = reasons.tested(of_claim, p, p_adjusted)
        needed = None
        if p_adjusted <= level:
            verdict = Verdict.reproduced if p_for < p_against else Verdict.contradicted
        else:
            verdict = Verdict.inconclusive
            if (look := first.get(index)) is None:
                needed = seeds_needed(links, of_claim, level / len(sides))
                reason += f"; {reasons.outlook(of_claim, needed, MOST_SEEDS)}"
            else:
                reason += f"; {reasons.looked_twice(look.added, look.over)}"
        judgements.append(Judgement(verdict, of_claim, p, p_adjusted, needed, reason))
    return judgements


def _assess_all(claims: Sequence[Sequence[Link]], flips: bool) -> list[tuple[LinkTest, ...]]:
    known = spreads(link for links in claims for link in links)
    return [tuple(assess(link, known.get(link.unit, NO_SPREAD), flips) for link in links) for links in claims]


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


def _is_constant(link: Link) -> bool:
    """Whether differences are equal up to rounding."""
    finite = [abs(number) for number in (*link.differences, link.low, link.high) if math.isfinite(number)]
    return stdev(link.differences) <= _ROUNDING * max(1.0, *finite)


def _flipped(distances: Sequence[float]) -> float:
    """The share of all flips of signs (or of many of them, drawn) that give at least the sum of some distances."""
    import numpy as np

    count = len(distances)
    if count <= _MOST_FLIPS:
        signs = 1 - 2 * (np.arange(2**count)[:, None] >> np.arange(count) & 1)
    else:
        signs = np.random.default_rng(0).choice((-1, 1), size=(_DRAWN_FLIPS, count))
        signs[0] = 1  # what was measured is one of them, so that no p-value is 0
    sums = signs @ np.asarray(distances)
    return float(np.mean(sums >= sum(distances) - _ROUNDING * max(1.0, *map(abs, distances)) * count))
