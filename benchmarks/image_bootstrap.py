"""The paired bootstrap over test images, as a table's report does it: 10,000 draws of 528 images.

    python benchmarks/image_bootstrap.py

Detectors find 20 things in each image, 3.7 ships among them on average. The other side evaluates each draw in NumPy
with the functions of `retable.metrics.average_precision` (some of the draws, taken times their number); the draws that
both have evaluated must agree. A table is one of 5 rows, 2 columns and 15 seeds, with a claim for each pair of rows in
each column.

Where two methods differ on few of 200 images, and it is chance which of them each of these favours, p-values of at most
0.05 must be rare: as often they come with and without the bound 2 / 2^m, and with McNemar's exact test.

Leaves with 1 if a comparison of two runs takes 2 s or more, or such a table a minute.
"""

import itertools
import math
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from retable.metrics.average_precision import average_precision_voc12, precision_recall
from retable.metrics.image_results import save
from retable.metrics.image_results.detections import IOU_THRESHOLDS, DetectionResults, from_masks
from retable.metrics.image_results.resampling import draw
from retable.run.record import Record
from retable.tables.over_images import DRAWS, KeptImages, Measured, OverImages, Term

IMAGES, SHIPS, DETECTIONS = 528, 3.7, 20
ROWS, COLUMNS, SEEDS = 5, 2, 15
LIMIT, TABLE_LIMIT = 2.0, 60.0
METRIC = "test/ap50_voc12"
PLAIN_DRAWS = 100


def detections(seed: int, quality: float) -> DetectionResults:
    """What a detector finds: the better it is, the more of the images' ships, above all those that it ranks high."""
    truths = np.random.default_rng(0).poisson(SHIPS, IMAGES)  # the same images for all
    random = np.random.default_rng(seed)
    image = random.integers(0, IMAGES, IMAGES * DETECTIONS)
    left = truths.copy()
    hits = np.zeros(len(image), bool)
    for place in np.flatnonzero(random.random(len(image)) < quality * np.exp(-5 * np.arange(len(image)) / len(image))):
        hits[place] = left[image[place]] > 0
        left[image[place]] -= hits[place]
    every = np.stack([hits & (random.random(len(image)) < 1 - 0.05 * step) for step in range(len(IOU_THRESHOLDS))])
    every[0] = hits
    return from_masks([every], [np.zeros_like(every)], [image], truths[None], f"{seed}", "images")


def measured(folder: Path, found: DetectionResults, data: str) -> Measured:
    """A cell's folder with what it kept, and as much of a record as is asked for."""
    folder.mkdir(parents=True)
    save(folder / "images.npz", found)
    blank: dict[str, Any] = dict.fromkeys(Record.__dataclass_fields__)
    blank |= {"metrics": {METRIC: found.metrics()["ap50_voc12"]}, "data": {"fingerprint": data, "tested_split": "test"}}
    return Measured(folder, Record(**blank), (METRIC,))


def compare(rows: list[tuple[Measured, ...]], kept: KeptImages, column: str = "HRSD") -> OverImages:
    """The first row above the second, in per cent."""
    terms = tuple(Term(column, factor, row) for factor, row in zip((100.0, -100.0), rows, strict=True))
    return OverImages(terms, 0.0, math.inf, kept)


def plain(found: DetectionResults, counts: np.ndarray) -> float:
    """AP of one draw."""
    hits = (found.hits & 1 > 0).repeat(counts[found.image])
    precision, recall = precision_recall(hits, np.zeros_like(hits), int(counts @ found.truths[0]))
    return average_precision_voc12(precision[hits], recall[hits])


def errors(differing: int, images: int = 200, draws: int = 20_000) -> tuple[float, float, float]:
    """How often a difference is found where there is none: by draws alone, with the bound, and by McNemar's test."""
    found = np.zeros(3)
    for favoured in range(differing + 1):
        parts = [favoured / images, (differing - favoured) / images, 1 - differing / images]
        first, second, _ = np.random.default_rng(favoured).multinomial(images, parts, draws).T
        p = [(1 + np.sum(side)) / (1 + draws) for side in (first <= second, first >= second)]
        exact = stats.binomtest(favoured, differing).pvalue
        p_values = np.array([2 * min(p), 2 * max(min(p), 0.5**differing), exact])
        found += stats.binom.pmf(favoured, differing, 0.5) * (p_values <= 0.05)
    return tuple(found)


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        one, other = detections(1, 0.75), detections(2, 0.7)
        pair = [(measured(folder / str(seed), found, "a"),) for seed, found in enumerate((one, other))]
        _ = compare(pair, KeptImages()).test  # compiles, or loads what was compiled
        times = []
        for _ in range(3):
            started = time.perf_counter()
            test = compare(pair, KeptImages()).test
            times.append(time.perf_counter() - started)
        assert test is not None
        counts = draw(IMAGES, PLAIN_DRAWS, "key")
        started = time.perf_counter()
        expected = [plain(found, of_draw) for of_draw in counts.T for found in (one, other)]
        plain_seconds = (time.perf_counter() - started) / (1 + PLAIN_DRAWS) * DRAWS
        found = np.stack([result.resampled("ap50_voc12", counts) for result in (one, other)], axis=1).ravel()
        agree = bool(np.abs(found - expected).max() < 1e-12)

        size = (folder / "0" / "images.npz").stat().st_size
        table = {
            (row, column): tuple(
                measured(folder / f"{row} {column} {seed}", detections(100 * row + seed, 0.7 + 0.02 * row), str(column))
                for seed in range(SEEDS)
            )
            for row in range(ROWS)
            for column in range(COLUMNS)
        }
        started, kept = time.perf_counter(), KeptImages()
        for column in range(COLUMNS):
            for first, second in itertools.combinations(range(ROWS), 2):
                assert compare([table[first, column], table[second, column]], kept, str(column)).test is not None
        table_seconds = time.perf_counter() - started
    seconds = min(times)
    print(f"{IMAGES} images, {len(one.image):,} of {IMAGES * DETECTIONS:,} detections kept in {size / 1000:.1f} kB")
    print(f"  difference {test.low:.2f} to {test.high:.2f} of AP (%), p {2 * test.p_for:.4f}, one thread")
    print(f"  retable      {seconds:8.2f} s for two runs")
    print(f"  NumPy        {plain_seconds:8.2f} s")
    print(f"  ratio        {plain_seconds / seconds:8.1f} x")
    print(f"  a table of {ROWS} rows, {COLUMNS} columns and {SEEDS} seeds: {table_seconds:.1f} s")
    for differing in (3, 4, 5, 6, 8, 10, 20, 50):
        alone, bound, exact = errors(differing)
        print(f"  {differing:2} images differ: errs {alone:.3f}, with the bound {bound:.3f}, exact test {exact:.3f}")
    passed = agree and seconds < LIMIT and table_seconds < TABLE_LIMIT
    print(f"  {'passed' if passed else 'FAILED'}: the targets are {LIMIT:.0f} s, {TABLE_LIMIT:.0f} s and equal numbers")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
