"""The drawings that stand for numbers of the report: paper beside ours, and the differences that claims speak of.

Inline SVG whose colours are CSS variables of the page, so that they follow its light and dark themes.
"""

import math
from collections.abc import Sequence

from retable.tables.report import formatting, view_model
from retable.tables.report.claim_lines import LinkLine
from retable.tables.report.markup import Markup, join, tag
from retable.tables.report.scale import Scale, fit
from retable.tables.results import TableResult
from retable.tables.spec import Column

WIDTH = 344
"""Pixels of a panel: what a phone shows without shrinking it."""
FOREST_WIDTH = 300
_ROW, _TOP, _AXIS = 40, 2, 22
_FOREST_HEIGHT, _FOREST_AXIS = 24, 18
_WIDEST_INTERVAL = 1.0  # how far, in ranges of the means, intervals may widen a forest plot before they are cut


def svg(width: float, height: float, label: str, *children: Markup, class_: str = "chart") -> Markup:
    """A drawing with its description."""
    return tag(
        "svg",
        *children,
        class_=class_,
        width=width,
        height=height,
        viewBox=f"0 0 {width} {height}",
        role="img",
        aria_label=label,
    )


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """A straight line."""
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def text(x: float, y: float, words: str, class_: str, anchor: str = "start") -> Markup:
    """Words; `anchor` says whether they start, have their middle or end at x."""
    return tag("text", words, x=x, y=y, class_=class_, text_anchor=anchor)


def paper_mark(x: float, y: float, size: float = 5) -> Markup:
    """A hollow diamond: the paper's number."""
    return tag("path", d=f"M{x} {y - size}l{size} {size}l{-size} {size}l{-size} {-size}z", class_="paper")


def our_mark(x: float, y: float, size: float = 4.5) -> Markup:
    """A filled circle: our mean."""
    return tag("circle", cx=x, cy=y, r=size, class_="ours")


def dot_plot(result: TableResult, column: Column) -> Markup | None:
    """Paper against ours for each row of a column; None where there is not one number.

    A row's label stands above its line, so that it may be long, and our mean ± std and single seeds on it.
    """
    rows = list(result.table.rows.values())
    entries = [result.entries[row.label, column.label] for row in rows]
    numbers = [entry.printed for entry in entries if entry.printed is not None]
    for entry in entries:
        numbers += entry.values.values()
        if entry.summary.mean is not None and entry.summary.std is not None:
            numbers += [entry.summary.mean - entry.summary.std, entry.summary.mean + entry.summary.std]
    if not numbers:
        return None
    scale = fit(numbers, 8, WIDTH - 8)
    bottom = _TOP + _ROW * len(rows)
    drawn = _vertical_axis_lines(scale, _TOP, bottom)
    for index, (row, entry) in enumerate(zip(rows, entries, strict=True)):
        y = _TOP + _ROW * index + 25
        shown = view_model.shown(result, row, column)
        marks = [line(8, y, WIDTH - 8, y, "track")]
        marks += [tag("circle", cx=scale(value), cy=y, r=2, class_="seed") for value in entry.values.values()]
        mean, std = entry.summary.mean, entry.summary.std
        if mean is not None and std is not None:
            marks.append(line(scale(mean - std), y, scale(mean + std), y, "spread"))
        if entry.printed is not None:
            marks.append(paper_mark(scale(entry.printed), y))
        if mean is not None:
            marks.append(our_mark(scale(mean), y))
        else:
            marks.append(text(WIDTH - 8, y - 11, shown.ours, "words", "end"))
        title = f"{row.label} in {column.label}: paper {shown.printed}, ours {shown.ours}"
        if shown.note:
            title += f" ({shown.note})"
        drawn.append(tag("g", tag("title", title), text(8, y - 11, row.label, "label"), *marks))
    label = f"Paper against ours in {column.label}"
    return svg(WIDTH, bottom + _AXIS, label, *drawn)


def _vertical_axis_lines(scale: Scale, top: float, bottom: float) -> list[Markup]:
    drawn = []
    for value, words in scale.ticks().items():
        drawn.append(line(scale(value), top, scale(value), bottom + 3, "grid"))
        drawn.append(text(scale(value), bottom + 15, words, "tick", "middle"))
    return drawn


def forest_scale(links: Sequence[LinkLine]) -> Scale:
    """One scale for the differences of many claims: all means, printed differences and boundaries.

    Intervals of two seeds can be so long that nothing else could be told apart; they are cut.
    """
    means = [0.0]
    for link in links:
        bounds = (link.comparison.low, link.comparison.high)
        found = (link.printed_value, link.test.mean, *(bound for bound in bounds if math.isfinite(bound)))
        means += [value for value in found if value is not None]
    most = (max(means) - min(means)) * _WIDEST_INTERVAL
    ends = [end for link in links for end in (link.test.low, link.test.high) if end is not None]
    kept = [min(max(end, min(means) - most), max(means) + most) for end in ends]
    return fit(means + kept, 7, FOREST_WIDTH - 7, margin=0.04)


def forest_axis(scale: Scale) -> Markup:
    """The axis above the forest plots."""
    drawn = []
    for value, words in scale.ticks().items():
        drawn.append(text(scale(value), 10, words, "tick", "middle"))
        drawn.append(line(scale(value), _FOREST_AXIS - 4, scale(value), _FOREST_AXIS, "axis"))
    return svg(FOREST_WIDTH, _FOREST_AXIS, "scale of the differences", *drawn, class_="chart forest")


def forest_row(link: LinkLine, scale: Scale) -> Markup:
    """Our mean difference with its interval, the paper's difference, and the side that the claim is on."""
    test, middle = link.test, _FOREST_HEIGHT / 2
    left, right = scale(link.comparison.low), scale(link.comparison.high)
    drawn = [tag("rect", x=left, y=0, width=round(right - left, 1), height=_FOREST_HEIGHT, class_="claimed")]
    drawn += [line(scale(value), 0, scale(value), _FOREST_HEIGHT, "grid") for value in scale.ticks()]
    for bound in (link.comparison.low, link.comparison.high):
        if math.isfinite(bound):
            drawn.append(line(scale(bound), 0, scale(bound), _FOREST_HEIGHT, "boundary"))
    if test.low is not None and test.high is not None:
        drawn.append(line(scale(test.low), middle, scale(test.high), middle, "spread"))
        drawn += [_interval_end(end, scale, middle) for end in (test.low, test.high)]
    if link.printed_value is not None:
        drawn.append(paper_mark(scale(link.printed_value), middle))
    if test.mean is not None:
        drawn.append(our_mark(scale(test.mean), middle, 4))
    words = f"{link.name}: claimed {link.region}, paper {link.printed}, ours {link.ours} {link.interval}".strip()
    return svg(FOREST_WIDTH, _FOREST_HEIGHT, words, tag("title", words), *drawn, class_="chart forest")


def _interval_end(end: float, scale: Scale, middle: float) -> Markup:
    """A short bar at an interval's end, or an arrow head where the interval goes on beyond the drawing."""
    x = scale(end)
    if scale.low <= end <= scale.high:
        return line(x, middle - 3.5, x, middle + 3.5, "spread")
    direction = 1 if end > scale.high else -1
    return tag("path", d=f"M{x + 5 * direction} {middle}l{-7 * direction} -4v8z", class_="arrow")


def key() -> Markup:
    """What the marks of `dot_plot` mean."""
    return tag(
        "p",
        _key_item(paper_mark(8, 8), "paper"),
        _key_item(join(line(0, 8, 26, 8, "spread"), our_mark(13, 8)), "ours, mean ± standard deviation", 26),
        _key_item(tag("circle", cx=8, cy=8, r=2, class_="seed"), "one seed"),
        class_="key",
    )


def forest_key() -> Markup:
    """What the marks of `forest_row` mean."""
    return tag(
        "p",
        _key_item(paper_mark(8, 8), "paper’s difference"),
        _key_item(join(line(0, 8, 26, 8, "spread"), our_mark(13, 8)), "ours, mean and 95% interval", 26),
        _key_item(tag("path", d="M14 8l-8 -4v8z", class_="arrow"), "goes on beyond the drawing"),
        _key_item(tag("rect", x=0, y=1, width=26, height=14, class_="claimed"), "where the claim puts it", 26),
        class_="key",
    )


def _key_item(drawn: Markup, words: str, width: int = 16) -> Markup:
    drawing = tag("svg", drawn, class_="chart", width=width, height=16, viewBox=f"0 0 {width} 16", aria_hidden="true")
    return tag("span", drawing, formatting.printable(words))
