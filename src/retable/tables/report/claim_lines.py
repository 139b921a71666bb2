"""The claims of a table in words and numbers, as every format of the report shows them."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retable.tables.claims import Comparison
from retable.tables.report import formatting, view_model
from retable.tables.results import ClaimResult, TableResult
from retable.tables.statistics import LinkTest

if TYPE_CHECKING:
    from retable.tables.over_images import OverImages

_SUPPORT = {
    True: "The paper's own numbers agree with it.",
    False: "The paper's own numbers do not agree with it.",
    None: "The paper prints too little to check it by its own numbers.",
}

_METHOD = (
    "Ours is the mean over seeds of the difference, seed by seed, with its 95% interval. The effect is the distance of "
    "that mean from the claim's boundary in standard deviations of the differences (Cohen's d_z), positive on the "
    "claimed side; each variance is shrunk towards the table's mean variance in that unit (moderated, with a prior of "
    "three degrees of freedom). p is two-sided, of {test}; of a claim of several comparisons, which must all hold, it "
    "is that of the weakest. The adjusted p allows, by Holm's method, for the number of claims tested. At an adjusted "
    "p of 0.05 or less a claim is reproduced or contradicted, else inconclusive: the runs do not tell. The interval "
    "beside a verdict is of that difference alone (t on n − 1 degrees of freedom), whatever the table's variance. A "
    "verdict speaks about these runs at this budget on these data, not about the paper's own."
)
_OVER_IMAGES = (
    " Other images: the 95% interval of ours on other test images of this kind, the seeds as they are (10,000 draws of "
    "the images with replacement, the same for all rows). It adds no seed and changes no verdict, but where none of a "
    "comparison's rows depends on the seed at all: then it decides."
)
_T_TEST = "the paired moderated t test"
_FLIPS = f"the flips of the differences' signs from six seeds on and of {_T_TEST} below"


@dataclass(frozen=True)
class LinkLine:
    """One comparison of a claim.

    Attributes:
        name: The difference, such as ``Ours − Baseline``.
        region: Where the claim puts it, such as ``> 0``.
        printed: The paper's difference.
        printed_sum: The printed numbers that make it, or "".
        ours: Our mean difference.
        interval: Its 95% interval, or "".
        other_images: Its 95% interval over other test images, or "".
        comparison: The comparison itself.
        printed_value: The paper's difference as a number.
        test: Our numbers.
        alone: The 95% interval of the difference without the table's spread, or why there is none.
    """

    name: str
    region: str
    printed: str
    printed_sum: str
    ours: str
    interval: str
    other_images: str
    comparison: Comparison
    printed_value: float | None
    test: LinkTest
    alone: str

    @property
    def bounds(self) -> list[float]:
        """The finite ends of where the claim puts it."""
        return [bound for bound in (self.comparison.low, self.comparison.high) if math.isfinite(bound)]


@dataclass(frozen=True)
class ClaimLine:
    """One claim.

    Attributes:
        number: Its number in the report.
        text: The claim.
        summary: Our difference and the paper's, for people; of several comparisons that of the weakest.
        support: Whether the paper's own numbers are as claimed, as a sentence.
        warnings: What the numbers of its columns must not be taken for.
        reason: What the verdict rests on, as a sentence without its stop.
        links: Its comparisons.
        one_unit: Whether all its differences have the same unit, so that one drawing can show them.
        unit: What its differences can be compared with: a unit, or the name of a metric that has none.
        result: The claim and its judgement.
    """

    number: int
    text: str
    summary: str
    support: str
    warnings: tuple[str, ...]
    reason: str
    links: tuple[LinkLine, ...]
    one_unit: bool
    unit: str
    result: ClaimResult


_TWO_LOOKS = (
    " The claims were looked at twice: with {first}, and with those that were planned from these on {written}, before "
    "any of them was run. The level is split between the two looks by a spending function of Pocock's type (Lan and "
    "DeMets): p is the least level at which one of them decides."
)


def method(result: TableResult) -> str:
    """How the claims of a table were judged."""
    known = any(found is not None and found.test for claim in result.claims for found in claim.over_images)
    text = _METHOD.format(test=_FLIPS if result.table.flips else _T_TEST) + (_OVER_IMAGES if known else "")
    if result.look is not None:
        seeds = formatting.counted(len(result.look.first), "seed")
        text += _TWO_LOOKS.format(first=seeds, written=formatting.moment(result.look.written))
    return text


def claim_lines(result: TableResult) -> list[ClaimLine]:
    """All claims of a table, in its order."""
    return [_claim_line(result, claim, number) for number, claim in enumerate(result.claims, 1)]


def _claim_line(result: TableResult, claim: ClaimResult, number: int) -> ClaimLine:
    judgement = claim.judgement
    labels = dict.fromkeys(term.column for link in claim.claim.links for term in link.terms)
    columns = [result.table.columns[label] for label in labels]
    units = list(dict.fromkeys(column.quantity for column in columns))
    marks = [view_model.mark(result, column) for column in columns]
    links = tuple(
        _link_line(result, *parts, len(columns) > 1)
        for parts in zip(claim.claim.links, claim.printed, judgement.tests, claim.over_images, strict=True)
    )
    return ClaimLine(
        number,
        claim.claim.text.replace(" +- ", " ± ").replace(" - ", " − "),
        _summary(result, links),
        _SUPPORT[claim.printed_holds],
        tuple(mark.warning for mark in marks if mark.warning),
        re.sub(r"(?<=[ \[])-(?=\d)", "−", judgement.reason),
        links,
        len(units) == 1,
        " and ".join(units),
        claim,
    )


def _link_line(
    result: TableResult,
    link: Comparison,
    printed: float | None,
    test: LinkTest,
    over_images: "OverImages | None",
    name_columns: bool,
) -> LinkLine:
    images = None if over_images is None else over_images.test
    columns = {term.column for term in link.terms}
    decimals = max(result.table.columns[column].decimals for column in columns)
    several = len(columns) > 1
    names = [f"{term.row}[{term.column}]" if several else term.row for term in link.terms]
    factors = [term.factor for term in link.terms]
    numbers = [formatting.number(result.entries[term.row, term.column].printed, decimals) for term in link.terms]
    return LinkLine(
        _sum(factors, names) + (f" in {next(iter(columns))}" if name_columns and not several else ""),
        _region(link),
        formatting.signed(printed, decimals),
        "" if printed is None else _sum(factors, numbers),
        formatting.signed(test.mean, decimals + 1),  # one digit more than the paper: differences are small
        "[no spread]"
        if test.deviation is None and test.n > 1
        else formatting.interval(test.low, test.high, decimals + 1),
        "" if images is None else formatting.interval(images.low, images.high, decimals + 1),
        link,
        printed,
        test,
        _alone(test, decimals + 1),
    )


def _summary(result: TableResult, links: Sequence[LinkLine]) -> str:
    weakest = min(links, key=_depth)
    units = dict.fromkeys(result.table.columns[term.column].unit for term in weakest.comparison.terms)
    return (
        (f"weakest of {len(links)}, {weakest.name}: " if len(links) > 1 else "")
        + f"{f'ours {weakest.ours} {weakest.alone}'.strip()}, paper {weakest.printed}"
        + (f", in {formatting.listed(units)}" if all(units) else "")
    )


def _alone(test: LinkTest, decimals: int) -> str:
    if test.by_images:
        return f"{formatting.interval(test.low, test.high, decimals)} over images"
    if test.alone is not None:
        return formatting.interval(test.alone.low, test.alone.high, decimals)
    return {0: "", 1: "(one seed)"}.get(test.n, "(equal for all seeds)")


def _depth(link: LinkLine) -> float:
    """How far inside its region our mean lies; in deviations, where it can be tested."""
    if link.test.mean is None:
        return -math.inf
    if link.test.p_for is not None:
        return link.test.strength
    return min(link.test.mean - link.comparison.low, link.comparison.high - link.test.mean)


def _sum(factors: list[float], words: list[str]) -> str:
    signs = ["−" if factor < 0 else "+" for factor in factors]
    first = f"−{words[0]}" if factors[0] < 0 else words[0]
    return " ".join([first, *(f"{sign} {word}" for sign, word in zip(signs[1:], words[1:], strict=True))])


def _region(link: Comparison) -> str:
    low, high = (f"{bound + 0.0:g}".replace("-", "−") for bound in (link.low, link.high))
    if math.isinf(link.low):
        return f"< {high}"
    return f"> {low}" if math.isinf(link.high) else f"{low} to {high}"
