"""What a paper claims of its table, as one line for each of its sentences.

    Wide > Narrow in Photos              a comparison in one column; without `in`, one claim for every column
    Wide > Narrow > Linear               a chain: every link must hold
    Wider - Wide < 0.5                   a margin, in the table's unit
    Wide - Linear = 4.5 +- 1             a difference as printed, with a tolerance
    Ours beats Theirs                    higher or lower, as the column's metric has it
    Ours beats Theirs, Older in FID, IS  every one of them in every column: one claim, of which all must hold
    Ours beats all                       the same of all rows that the claim does not name
    Ours is best in FID, IS              the same; or `is worst`
    A > B and C > D                      both, as one claim
    all - Worst < 0.06                   `all` and lists may stand wherever a row may
    Ours[FID] < Theirs[FID]              a column of its own for a row; not together with `in`

Operators stand between spaces, so that labels may hold hyphens; a label with spaces in it needs no quotes.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from retable.tables.yaml_lines import hint

_OPERATORS = (">", "<", "=", "+-", "+", "-", "beats", "is best", "is worst", "and", "in", ",")
_RELATIONS = (">", "<", "=", "beats", "loses to")
_ALL = "all"


class ClaimError(ValueError):
    """A claim that cannot be read; the message says why."""


@dataclass(frozen=True)
class Term:
    """A row's number in a column, times a factor."""

    row: str
    column: str
    factor: float


@dataclass(frozen=True)
class Comparison:
    """One link: the sum of the terms lies above `low` and below `high`."""

    terms: tuple[Term, ...]
    low: float
    high: float

    def value(self, number: Callable[[str, str], float | None]) -> float | None:
        """The sum of the terms, where `number` gives the number of a row and column; None if one has none."""
        total = 0.0
        for term in self.terms:
            found = number(term.row, term.column)
            if found is None:
                return None
            total += term.factor * found
        return total

    def holds(self, value: float) -> bool:
        """Whether a value of the sum is as claimed; the ends count where the claim is a tolerance."""
        if math.isfinite(self.low) and math.isfinite(self.high):
            return self.low - 1e-9 <= value <= self.high + 1e-9
        return self.low < value < self.high


@dataclass(frozen=True)
class Claim:
    """One claim in one column (or across columns).

    Attributes:
        text: The claim as written, with its column.
        links: The comparisons that must all hold.
        says: The paper's own sentence, or "".
        line: Line of the table file.
    """

    text: str
    links: tuple[Comparison, ...]
    says: str
    line: int


def parse(
    text: str, rows: Sequence[str], columns: Mapping[str, bool], says: str = "", line: int = 0
) -> tuple[Claim, ...]:
    """Reads a claim of rows and columns, the latter with whether higher is better.

    Returns:
        One claim, or one for each column if it names none. A claim of several rows or columns is one, of which every
        comparison must hold.

    Raises:
        ClaimError: A word is no row, a column is unknown, or the form is none of those above.
    """
    body, chosen = _columns(text, columns)
    tokens = _tokens(body, rows, columns)
    own = {token[2] for token in tokens if token[0] == "row" and token[2] is not None}
    if own and chosen:
        raise ClaimError("give the column either in brackets or after `in`, not both")
    if own:
        (default,) = own if len(own) == 1 else (None,)
        return (Claim(text, _links(tokens, default, rows, columns), says, line),)
    if chosen:
        links = [link for column in chosen for link in _links(tokens, column, rows, columns)]
        return (Claim(f"{body} in {', '.join(chosen)}", tuple(links), says, line),)
    return tuple(Claim(f"{body} in {column}", _links(tokens, column, rows, columns), says, line) for column in columns)


def _columns(text: str, columns: Mapping[str, bool]) -> tuple[str, list[str]]:
    """A claim without its columns, and the columns after `in`."""
    found = re.search(r"\s+in\s+(?P<columns>[^<>=]+)$", text)
    if found is None:
        return text, []
    words = found["columns"].strip()
    chosen = [words] if words in columns else [word.strip() for word in words.split(",")]
    for column in chosen:
        if column not in columns:
            raise ClaimError(f"there is no column {column!r}; the columns are {', '.join(columns)}")
    return text[: found.start()], chosen


# ("row", label, column or None), ("number", value) or ("operator", sign)
_Token = tuple[str, str, str | None]


def _tokens(text: str, rows: Sequence[str], columns: Mapping[str, bool]) -> list[_Token]:
    labels = "|".join(re.escape(row) for row in sorted({*rows, _ALL}, key=len, reverse=True))
    operators = "|".join(map(re.escape, _OPERATORS))
    pattern = (
        rf"(?P<row>{labels})(?=\s|\[|,|$)(?:\[(?P<column>[^\]]*)\])?"
        rf"|(?P<operator>{operators})(?=\s|$)|(?P<number>\d+(?:\.\d+)?)(?=\s|,|$)|(?P<unknown>\S+)"
    )
    tokens: list[_Token] = []
    for found in re.finditer(pattern, text):
        column = found["column"].strip() if found["column"] is not None else None
        if column is not None and column not in columns:
            raise ClaimError(f"there is no column {column!r}; the columns are {', '.join(columns)}")
        kind, word = next((kind, word) for kind, word in found.groupdict().items() if word is not None)
        if kind == "unknown":
            rows_hint = hint(word, rows, "the rows are")
            raise ClaimError(f"{word!r} is neither a row nor a number nor an operator{rows_hint}")
        tokens += _spelled_out(kind, word, column)
    return tokens


def _spelled_out(kind: str, word: str, column: str | None) -> list[_Token]:
    if word in ("is best", "is worst"):
        return [("operator", "beats" if word == "is best" else "loses to", None), ("row", _ALL, None)]
    return [(kind, word, column)]


def _links(
    tokens: list[_Token], column: str | None, rows: Sequence[str], columns: Mapping[str, bool]
) -> tuple[Comparison, ...]:
    named = {word for kind, word, _ in tokens if kind == "row"}
    if _ALL in named and _ALL in rows:
        raise ClaimError("`all` means all other rows, and a row of this table is called so; name the rows")
    others = [row for row in rows if row not in named]
    links = (_chain(part, column, others, columns) for part in _split(tokens, "and"))
    return tuple(link for of_part in links for link in of_part)


def _split(tokens: list[_Token], word: str) -> list[list[_Token]]:
    """The parts between an operator's occurrences."""
    parts: list[list[_Token]] = [[]]
    for token in tokens:
        if token[:2] == ("operator", word):
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _chain(
    tokens: list[_Token], column: str | None, others: Sequence[str], columns: Mapping[str, bool]
) -> tuple[Comparison, ...]:
    sides: list[list[_Token]] = [[]]
    signs: list[str] = []
    for token in tokens:
        if token[0] == "operator" and token[1] in _RELATIONS:
            signs.append(token[1])
            sides.append([])
        else:
            sides[-1].append(token)
    if not signs:
        raise ClaimError("it compares nothing; write ROW > ROW, ROW - ROW < NUMBER, or ROW beats ROW")
    tolerance = None
    if "=" in signs:
        if len(signs) > 1:
            raise ClaimError("= cannot be part of a chain")
        sides[-1], tolerance = _tolerance(sides[-1])
    sums = [[_sum(part, column) for part in _parts(side, others)] for side in sides]
    return tuple(
        _comparison(left, sign, right, tolerance, columns)
        for sign, lefts, rights in zip(signs, sums, sums[1:], strict=False)
        for left in lefts
        for right in rights
    )


def _parts(side: list[_Token], others: Sequence[str]) -> list[list[_Token]]:
    """What a side lists, each part once for each row that `all` stands for in it."""
    parts = []
    for part in _split(side, ","):
        if not any(word == _ALL for _, word, _ in part):
            parts.append(part)
        elif not others:
            raise ClaimError("`all` stands for the rows that the claim does not name, and it names every row")
        else:
            parts += [[(kind, row if word == _ALL else word, own) for kind, word, own in part] for row in others]
    return parts


_Side = tuple[tuple[Term, ...], float]


def _comparison(
    left: _Side, sign: str, right: _Side, tolerance: float | None, columns: Mapping[str, bool]
) -> Comparison:
    terms = left[0] + tuple(Term(term.row, term.column, -term.factor) for term in right[0])
    if not terms:
        raise ClaimError("it compares numbers with numbers, and no row")
    bound = right[1] - left[1]
    if sign in ("beats", "loses to"):
        better = {columns[term.column] for term in terms}
        if len(better) > 1:
            raise ClaimError(f"`{sign}` across columns of which one wants high and one low numbers")
        sign = ">" if better.pop() == (sign == "beats") else "<"
    if sign == "=":
        assert tolerance is not None
        return Comparison(terms, bound - tolerance, bound + tolerance)
    return Comparison(terms, bound, math.inf) if sign == ">" else Comparison(terms, -math.inf, bound)


def _tolerance(side: list[_Token]) -> tuple[list[_Token], float]:
    if len(side) < 3 or side[-2][1] != "+-" or side[-1][0] != "number" or float(side[-1][1]) == 0:
        raise ClaimError("= needs a tolerance above 0: ROW - ROW = 4.5 +- 1")
    return side[:-2], float(side[-1][1])


def _sum(side: list[_Token], column: str | None) -> _Side:
    terms: list[Term] = []
    constant, factor, expected = 0.0, 1.0, True
    for kind, word, own in side:
        if expected == (kind == "operator"):
            raise ClaimError(f"{word!r} stands where {'a row or number' if expected else 'an operator'} should be")
        expected = not expected
        if kind == "operator":
            if word not in "+-" or word == "+-":
                raise ClaimError(f"{word!r} stands where + or - should be")
            factor = 1.0 if word == "+" else -1.0
        elif kind == "number":
            constant += factor * float(word)
        else:
            where = own or column
            if where is None:
                raise ClaimError(f"{word!r} names no column, and the other rows name several")
            terms.append(Term(word, where, factor))
    if expected:
        raise ClaimError("a side of the comparison is missing or incomplete")
    return tuple(terms), constant
