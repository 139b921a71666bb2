"""The trace of FID at 2,048 features against the square root of a general matrix, `scipy.linalg.sqrtm`.

    OMP_NUM_THREADS=1 python benchmarks/frechet.py

Both sides get the same two covariances, of 4,096 samples each with variances over four orders of magnitude, and the
same threads, and are called in turn. SciPy rewrote sqrtm in C not long ago, so its version is printed. Below it, for
information: two sets of 500 samples, where the general product is singular.
Exit code 1 if a target is missed.
"""

import os
import sys
import time
import warnings

import numpy as np
import scipy
from scipy.linalg import LinAlgWarning, sqrtm

from retable.metrics.fidelity.frechet import FeatureMoments, frechet_distance, root_trace

FEATURES, SAMPLES, FEW = 2048, 4096, 500
LEAST_RATIO, LARGEST_ERROR = 10.0, 1e-6


def make_features(count: int, seed: int) -> np.ndarray:
    """(count, 2048) correlated features, as pooled features of a network are: a few directions hold most variance."""
    random = np.random.default_rng(seed)
    mixing = random.standard_normal((FEATURES, FEATURES)) / np.sqrt(FEATURES)
    scale = 10.0 ** np.linspace(0, -2, FEATURES)
    return random.standard_normal((count, FEATURES)) * scale @ mixing + 0.1 * seed


def timed(function):
    started = time.perf_counter()
    return function(), time.perf_counter() - started


def main() -> int:
    threads = os.environ.get("OMP_NUM_THREADS", f"{os.cpu_count()}, as many as cores")
    print(f"{FEATURES} features, numpy {np.__version__}, scipy {scipy.__version__}, threads: {threads}")
    first, second = (FeatureMoments(make_features(SAMPLES, seed)) for seed in (1, 2))
    s1, s2 = first.covariance, second.covariance
    ours, theirs = [], []
    for _ in range(2):
        value, seconds = timed(lambda: root_trace(first, second))
        ours.append(seconds)
        expected, seconds = timed(lambda: np.trace(sqrtm(s1 @ s2)).real)
        theirs.append(seconds)
    root_trace_error = abs(value - expected) / expected
    shift = first.mean - second.mean
    distance = frechet_distance(first, second)
    expected_distance = shift @ shift + np.trace(s1) + np.trace(s2) - 2 * expected
    error = max(root_trace_error, abs(distance - expected_distance) / expected_distance)
    ratio = min(theirs) / min(ours)
    print(
        f"{SAMPLES} samples  sqrtm {min(theirs):6.2f} s  retable {min(ours):6.3f} s  {ratio:5.1f}x  error {error:.1e}"
    )

    few = [make_features(FEW, seed) for seed in (3, 4)]
    distance, seconds = timed(lambda: frechet_distance(*map(FeatureMoments, few)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LinAlgWarning)
        covariances = [np.cov(values, rowvar=False) for values in few]
        singular, slow = timed(lambda: np.trace(sqrtm(covariances[0] @ covariances[1])).real)
    shift = few[0].mean(axis=0) - few[1].mean(axis=0)
    expected_distance = shift @ shift + np.trace(covariances[0]) + np.trace(covariances[1]) - 2 * singular
    print(
        f" {FEW} samples  sqrtm {slow:6.2f} s  retable {seconds:6.3f} s, covariances included  {slow / seconds:5.1f}x  "
        f"distance {distance:.6f}, by sqrtm of the singular product {expected_distance:.6f}"
    )
    missed = ratio < LEAST_RATIO or error > LARGEST_ERROR
    print(f"target: {LEAST_RATIO:.0f}x and a relative error of {LARGEST_ERROR:.0e}: {'missed' if missed else 'met'}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
