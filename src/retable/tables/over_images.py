"""What the test images say of a difference: the paired bootstrap over them, beside the spread over seeds.

Cells keep what they found in each image. The images are drawn with replacement, as many as there are, `DRAWS` times,
and each draw gives the mean difference over the shared seeds anew. The draws are the same for all rows and seeds on the
same images, so that what an image does to both sides alike drops out; other images are drawn independently. The middle
95% of the draws are the interval, and the share of draws beyond a boundary is the one-sided p-value, with the
difference that was measured counted as one of those beyond it.

A few images on which rows differ give too few different draws: whichever side each of m such images had favoured is as
likely as another where there is nothing to find, so that no p-value is below 1 / 2^m.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retable.errors import DataError
from retable.metrics import image_results
from retable.metrics.image_results import ImageResults
from retable.run import paths
from retable.run.record import Record, tested_fingerprint

DRAWS = 10_000
_CONFIDENCE = 0.95
_MOST_UNDEFINED = 0.05  # of the draws, such as those without a class whose recall is asked for
_ROUNDING = 1e-12
_RECORD_ROUNDING = 1e-6  # records hold metrics that were float32
_DRAWS_KEPT = 2  # data whose draws stay in memory: 5 MB for 528 images


@dataclass(frozen=True)
class Measured:
    """A number of a cell.

    Attributes:
        folder: The cell's folder.
        record: Its record.
        metrics: Full names of the metrics that the number is the mean of.
    """

    folder: Path
    record: Record
    metrics: tuple[str, ...]


@dataclass(frozen=True)
class Term:
    """A term of a difference.

    Attributes:
        column: Its column: within one, all cells must have been tested on the same images.
        factor: What the numbers are multiplied with.
        measured: One number for each seed.
    """

    column: str
    factor: float
    measured: tuple[Measured, ...]


@dataclass(frozen=True)
class ImageTest:
    """What draws of the test images say of a difference and its region.

    Attributes:
        low: Lower end of the 95% interval.
        high: Its upper end.
        effect: Distance of the mean from the nearest boundary, positive inside the region, in standard deviations over
            single images; None where the draws do not differ.
        p_for: p-value of the null hypothesis that the mean is outside the region.
        p_against: p-value of the null hypothesis that it is inside.
    """

    low: float
    high: float
    effect: float | None
    p_for: float
    p_against: float


class KeptImages:
    """The kept results of cells, each read once, and their metrics over the draws, each worked out once."""

    def __init__(self) -> None:
        self._results: dict[Path, ImageResults | None] = {}
        self._values: dict[tuple[Any, ...], NDArray[np.float64] | None] = {}
        self._counts: dict[str, NDArray[np.uint8]] = {}

    def results(self, folder: Path) -> ImageResults | None:
        """What a cell found in each image; None where nothing is kept that can be read."""
        if folder not in self._results:
            try:
                self._results[folder] = image_results.load(folder / paths.IMAGES)
            except DataError:
                self._results[folder] = None
        return self._results[folder]

    def tested(self, measured: Measured) -> str | None:
        """What tells the images of a cell from others."""
        results, data = self.results(measured.folder), measured.record.data
        if results is None:
            return None
        return f"{tested_fingerprint(data)} {data.get('tested_split')} {results.images} {results.tested}"

    def drawn(self, measured: Measured) -> NDArray[np.float64] | None:
        """A cell's number, first over each image once, then over each draw.

        Returns:
            (1 + DRAWS,), NaN where it is undefined; None where it is no metric of images, or not the record's.
        """
        results, tested = self.results(measured.folder), self.tested(measured)
        if results is None or tested is None:
            return None
        parts = []
        for metric in measured.metrics:
            key = (tested, results.predictions, metric)
            if key not in self._values:
                split, _, name = metric.rpartition("/")
                known = split == measured.record.data.get("tested_split", "test")
                self._values[key] = results.resampled(name, self._draws(tested, results.images)) if known else None
            found, recorded = self._values[key], measured.record.metrics.get(metric)
            if found is None or recorded is None or not abs(found[0] - recorded) <= _RECORD_ROUNDING:
                return None  # NaN among the others
            parts.append(found)
        return np.mean(parts, axis=0) if len(parts) > 1 else parts[0]

    def _draws(self, tested: str, images: int) -> NDArray[np.uint8]:
        from retable.metrics.image_results.resampling import draw

        if tested not in self._counts:
            while len(self._counts) >= _DRAWS_KEPT:
                del self._counts[next(iter(self._counts))]
            self._counts[tested] = draw(images, DRAWS, tested)
        return self._counts[tested]


@dataclass(frozen=True)
class OverImages:
    """What the test images say of a difference, worked out when it is asked for.

    Attributes:
        terms: The terms that make the difference, over the same seeds.
        low: Lower boundary of the region, or ``-inf``.
        high: Upper boundary, or ``inf``.
        kept: Where the results are.
    """

    terms: tuple[Term, ...]
    low: float
    high: float
    kept: KeptImages

    @cached_property
    def decide(self) -> bool:
        """Whether no term depends on the seed, of which there are several, so that only the images vary."""
        for term in self.terms:
            results = [self.kept.results(measured.folder) for measured in term.measured]
            if len(results) < 2 or len({None if found is None else found.predictions for found in results}) > 1:
                return False
        return self.test is not None

    @cached_property
    def test(self) -> ImageTest | None:
        """The test; None where results are missing, or are of other images than those of their column."""
        columns: dict[str, set[str | None]] = {}
        for term in self.terms:
            columns.setdefault(term.column, set()).update(self.kept.tested(measured) for measured in term.measured)
        if not columns or any(len(tested) != 1 or None in tested for tested in columns.values()):
            return None
        total: NDArray[np.float64] = np.zeros(1 + DRAWS)
        for term in self.terms:
            for measured in term.measured:
                drawn = self.kept.drawn(measured)
                if drawn is None:
                    return None
                total = total + drawn * (term.factor / len(term.measured))
        measured_mean, draws = float(total[0]), total[1:][np.isfinite(total[1:])]
        if len(draws) < (1 - _MOST_UNDEFINED) * DRAWS:
            return None
        return self._tested(measured_mean, draws)

    def _tested(self, mean: float, draws: NDArray[np.float64]) -> ImageTest:
        images, differing = self._count()
        slack = _ROUNDING * max(1.0, float(np.abs(draws).max()))

        def share(beyond: NDArray[np.bool_]) -> float:
            return max(float((1 + beyond.sum()) / (1 + len(draws))), 0.5**differing)

        p_for, p_inside = [], []
        for bound, above in ((self.low, draws - self.low), (self.high, self.high - draws)):
            if math.isfinite(bound):
                p_for.append(share(above <= slack))
                p_inside.append(share(above >= -slack))
        low, high = np.quantile(draws, [(1 - _CONFIDENCE) / 2, (1 + _CONFIDENCE) / 2])
        spread = float(draws.std()) * math.sqrt(images)
        effect = min(mean - self.low, self.high - mean) / spread if spread > slack else None
        return ImageTest(float(low), float(high), effect, max(p_for), min(1.0, len(p_inside) * min(p_inside)))

    def _count(self) -> tuple[int, int]:
        """How many images there are, and on how many of them terms that are compared on the same images differ."""
        first = [self.kept.results(term.measured[0].folder) for term in self.terms]
        results = [found for found in first if found is not None]
        images = min(found.images for found in results)
        if len(results) < 2 or len({found.tested for found in results}) > 1:
            return images, images
        outcomes = [found.outcomes() for found in results]
        return images, int(np.logical_or.reduce([(other != outcomes[0]).any(axis=1) for other in outcomes[1:]]).sum())
