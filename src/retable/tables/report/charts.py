"""The scales of the drawings that stand for numbers: paper beside ours, and the differences that claims speak of."""

from collections.abc import Sequence

from retable.tables.report.claim_lines import LinkLine
from retable.tables.report.scale import Scale, fit
from retable.tables.results import TableResult
from retable.tables.spec import Column

WIDTH = 344
"""Pixels of a dot plot: what a phone shows without shrinking it."""
FOREST_WIDTH = 300
_WIDEST_INTERVAL = 1.0  # how far, in ranges of the means, intervals may widen a forest plot before they are cut


def dot_scale(result: TableResult, column: Column) -> Scale | None:
    """A scale for all numbers of a column, the paper's and ours with their spread; None where there is not one."""
    numbers: list[float] = []
    for row in result.table.rows:
        entry = result.entries[row, column.label]
        numbers += [] if entry.printed is None else [entry.printed]
        numbers += entry.values.values()
        mean, std = entry.summary.mean, entry.summary.std
        if mean is not None and std is not None:
            numbers += [mean - std, mean + std]
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
