"""What may be compared: rows with each other, and our numbers with the printed ones."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from retable.run.record import Record
from retable.tables.statistics import Summary

_CONFIDENCE = 0.95


def obstacles(rows: Mapping[str, Sequence[Record]], tuned: Iterable[str]) -> tuple[str, ...]:
    """Why rows must not be compared with each other; nothing if they may.

    Args:
        rows: Records by the row's label.
        tuned: Columns on whose test images the table's file says that something was tuned.
    """
    found = [f"something was tuned on the test images of {column} (tuned_on: test)" for column in tuned]
    scratch = [row for row, records in rows.items() if any(lacks_weights(record) for record in records)]
    if scratch:
        found.append(
            f"{', '.join(scratch)} began from scratch and not with the weights that the configuration asks for"
        )
    everything = [record for records in rows.values() for record in records]
    if different := different_code(everything):
        found.append(f"its rows were run by different code ({different})")
    if any(record.git.get("dirty") for record in everything) and not _has_digests(everything):
        found.append("code was run that is in no commit (uncommitted changes)")
    return tuple(found)


def different_code(records: Sequence[Record]) -> str:
    """What tells the code of some runs apart, or "": modules by their digests, without these in all records commits."""
    if _has_digests(records):  # they tell what commits can only suggest
        codes: list[dict[str, str]] = []  # few, of any number of records
        for record in records:
            if record.code not in codes:
                codes.append(record.code)
        names = {name for code in codes for name in code}
        digests = {name: {code[name] for code in codes if name in code} for name in names}
        changed = sorted(name for name, found in digests.items() if len(found) > 1)
        return ", ".join(changed[:3]) + (f" and {len(changed) - 3} more" if len(changed) > 3 else "")
    commits = sorted({str(record.git.get("commit"))[:10] for record in records})
    return f"commits {', '.join(commits)}" if len(commits) > 1 else ""


def _has_digests(records: Sequence[Record]) -> bool:
    return bool(records) and all(record.code for record in records)


def lacks_weights(record: Record) -> bool:
    """Whether a run began from scratch although its configuration asks for weights."""
    model = record.config.get("model")
    asked = model.get("weights") if isinstance(model, dict) else None
    return asked not in (None, "none") and record.model.get("weights_origin") == "scratch"


@dataclass(frozen=True)
class SameNumber:
    """Whether a printed number is one that one more run of ours could have given.

    Attributes:
        within: Whether it lies in the interval; None where that cannot be said.
        low: Lower end of the 95% prediction interval of one more run, see `same_number`; None as above.
        high: Its upper end.
        why_not: Why it cannot be said, such as ``synthetic, budget=small``; else "".
    """

    within: bool | None
    low: float | None
    high: float | None
    why_not: str


def same_number(
    printed: float, summary: Summary, records: Sequence[Record], budget: str, printed_std: float | None = None
) -> SameNumber:
    """Compares a printed number with the runs of a row in a column, where data and budget are the paper's.

    The number is compared with the 95% prediction interval of one more run around the mean of our n runs: of variance
    ``s² (1 + 1 / n)``, with t on n - 1 degrees of freedom, where only our spread s is known. Where the paper prints a
    spread, the interval is that of the difference of the two means, of variance ``printed_std² + s² / n``.

    Papers rarely say of how many runs a printed spread is. It is taken for the standard deviation of single runs (not
    for a standard error) and for known, and the printed mean for no more exact than one run: a mean of more runs varies
    less, so that the interval is rather too wide than too narrow, and "no" the safer answer. Only the share of our mean
    is estimated, so by Welch and Satterthwaite the degrees of freedom are n - 1 over the square of that share.

    Args:
        printed: The paper's number.
        summary: Ours.
        records: Those of ours.
        budget: Name of the budget.
        printed_std: The paper's own standard deviation over runs, if it prints one.
    """
    kinds = sorted({str(record.data.get("kind")) for record in records} - {"real"})
    reasons = kinds + ([f"budget={budget}"] if budget != "paper" else [])
    reasons += ["first weights"] if any(lacks_weights(record) for record in records) else []
    if not reasons and any(record.differs_from_paper for record in records):
        reasons.append("differs from the paper")
    if summary.std is None:
        reasons.append("one seed" if summary.n else "no number of ours")
    if reasons or summary.mean is None or summary.std is None:
        return SameNumber(None, None, None, ", ".join(reasons))
    from scipy.special import stdtrit

    of_mean = summary.std**2 / summary.n
    freedom = float(summary.n - 1)
    if printed_std is None:
        variance = summary.std**2 + of_mean
    else:
        variance = printed_std**2 + of_mean
        freedom = freedom * (variance / of_mean) ** 2 if of_mean else math.inf
    margin = float(stdtrit(freedom, (1 + _CONFIDENCE) / 2)) * math.sqrt(variance)
    low, high = summary.mean - margin, summary.mean + margin
    return SameNumber(low <= printed <= high, low, high, "")
