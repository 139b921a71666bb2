"""The scales of the drawings: paper beside ours, the differences that claims speak of, and curves."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from retable.tables.report.claim_lines import LinkLine
from retable.tables.report.formatting import number
from retable.tables.results import TableResult
from retable.tables.spec import Column

WIDTH = 344
"""Pixels of a dot plot: what a phone shows without shrinking it."""
FOREST_WIDTH = 300
_WIDEST_INTERVAL = 1.0  # how far, in ranges of the means, intervals may widen a forest plot before they are cut


@dataclass(frozen=True)
class Scale:
    """A scale from numbers to pixels.

    Attributes:
        low: Number at the start.
        high: Number at the end, above `low`.
        start: Pixel of `low`.
        end: Pixel of `high`.
        logarithmic: Whether equal ratios, rather than differences, are equally long.
    """

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def __call__(self, value: float) -> float:
        """The pixel of a number, at most the ends."""
        low, high = self.low, self.high
        value = min(max(value, low), high)
        if self.logarithmic:
            low, high, value = math.log10(low), math.log10(high), math.log10(value)
        return round(self.start + (value - low) / (high - low) * (self.end - self.start), 1)

    def ticks(self) -> dict[float, str]:
        """About four round numbers on the scale, as they are written."""
        if self.logarithmic:
            exponents = range(math.ceil(math.log10(self.low)), math.floor(math.log10(self.high)) + 1)
            every = max(1, len(exponents) // 4)
            return {10.0**exponent: f"{10.0**exponent:g}" for exponent in exponents[::every]}
        span = self.high - self.low
        magnitude = 10.0 ** math.floor(math.log10(span))
        # the smallest step that leaves five ticks or fewer
        step = next(magnitude * part for part in (0.1, 0.2, 0.5, 1, 2, 5) if span / (magnitude * part) <= 5)
        decimals = max(0, -math.floor(math.log10(step) + 1e-9))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        if last * step >= 10_000:
            return {index * step: f"{index * step:.3g}" for index in range(first, last + 1)}
        return {index * step: number(index * step, decimals) for index in range(first, last + 1)}


def fit(values: Iterable[float], start: float, end: float, margin: float = 0.06, may_be_log: bool = False) -> Scale:
    """A scale that holds some numbers, with a margin on both sides.

    Args:
        values: Finite numbers, at least one.
        start: Pixel of the lower end.
        end: Pixel of the upper end.
        margin: Part of the range that is added at each end.
        may_be_log: Take a logarithmic scale where the numbers span more than a factor of 50.
    """
    known = list(values)
    low, high = min(known), max(known)
    if may_be_log and low > 0 and high > 50 * low:
        ratio = (high / low) ** margin
        return Scale(low / ratio, high * ratio, start, end, logarithmic=True)
    extra = (high - low) * margin or max(abs(high) * 0.05, 1e-6)
    return Scale(low - extra, high + extra, start, end)


def dot_scale(result: TableResult, column: Column) -> Scale | None:
    """A scale for all numbers of a column, the paper's and ours with their spread; None where there is not one."""
    numbers: list[float] = []
    for row in result.table.rows:
        entry = result.entries[row, column.label]
        numbers += entry.values.values()
        for mean, std in ((entry.printed, entry.printed_std), (entry.summary.mean, entry.summary.std)):
            numbers += [] if mean is None else [mean - (std or 0), mean + (std or 0)]
    return fit(numbers, 8, WIDTH - 8) if numbers else None


def forest_scale(links: Sequence[LinkLine]) -> Scale:
    """One scale for the differences of many claims: all means, printed differences and boundaries.

    Intervals of two seeds can be so long that nothing else could be told apart; they are cut.
    """
    means = [0.0]
    for link in links:
        means += [value for value in (link.printed_value, link.test.mean, *link.bounds) if value is not None]
    most = (max(means) - min(means)) * _WIDEST_INTERVAL
    ends = [end for link in links for end in (link.test.low, link.test.high) if end is not None]
    kept = [min(max(end, min(means) - most), max(means) + most) for end in ends]
    return fit(means + kept, 7, FOREST_WIDTH - 7, margin=0.04)
