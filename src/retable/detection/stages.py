"""How long each stage of a prediction takes."""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median

log = logging.getLogger(__name__)

Milliseconds = dict[str, float]
"""Milliseconds by the name of a stage, in the order of the stages."""


class Stopwatch:
    """Measures the stages of one image.

    Attributes:
        milliseconds: Of each stage that is done; those of one name are added.
    """

    def __init__(self) -> None:
        self.milliseconds: Milliseconds = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measures what is done inside as a stage."""
        started = time.perf_counter()
        yield
        taken = 1000 * (time.perf_counter() - started)
        self.milliseconds[name] = round(self.milliseconds.get(name, 0.0) + taken, 2)


def medians(measured: Sequence[Milliseconds]) -> Milliseconds:
    """Returns the median of each stage over images, and as ``all`` that of their sums."""
    if not measured:
        return {}
    found = {name: median(each[name] for each in measured) for name in measured[0]}
    return {**{name: round(value, 2) for name, value in found.items()}, "all": round(_whole(measured), 2)}


def _whole(measured: Sequence[Milliseconds]) -> float:
    return median(sum(each.values()) for each in measured)


def log_medians(found: Milliseconds, published_time: str) -> None:
    """Logs the medians, and beside them what the paper says."""
    stages = ", ".join(f"{name} {value:.1f}" for name, value in found.items() if name != "all")
    beside = f" ({published_time})" if published_time else ""
    log.info("median milliseconds an image: %s; in all %.1f%s", stages, found["all"], beside)
