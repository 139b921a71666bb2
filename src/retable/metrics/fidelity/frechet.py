"""Fréchet distance between two sets of features, the mathematics of FID (Heusel et al. 2017, arXiv 1706.08500, eq. 6).

The distance between the Gaussians of the two sets is |m1 - m2|^2 + tr S1 + tr S2 - 2 tr (S1 S2)^(1/2). The last trace
needs no square root of the general matrix S1 S2: its eigenvalues are those of the symmetric L^T S1 L, where S2 = L L^T,
and also the squared singular values of A1 A2^T for any factors S1 = A1^T A1, S2 = A2^T A2.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from retable.errors import DataError

Array = NDArray[np.float64]

# The eigenvalues come with an error of about this times the largest; see `_root_trace_by_eigenvalues`.
_EIGENVALUE_ERROR = 4 * float(np.finfo(np.float64).eps)
_LARGEST_ERROR = 1e-8  # of the trace that eigenvalues may give, relative to it


class FeatureMoments:
    """Mean and covariance of a set of features, in double precision.

    Args:
        features: (N, d), N samples of d features.
        name: What they are of, for error messages.

    Attributes:
        mean: (d,).
        samples: N.

    Raises:
        DataError: There are fewer than two samples, or a feature is not finite.
    """

    def __init__(self, features: ArrayLike, name: str = "images") -> None:
        values = np.asarray(features, dtype=np.float64)
        if values.ndim != 2 or values.shape[1] < 1:
            raise DataError(f"features of {name} have shape {values.shape}: (samples, features) are needed")
        self.samples = len(values)
        if self.samples < 2:
            raise DataError(f"{self.samples} {name}: a covariance needs 2 or more; use more samples")
        if not np.isfinite(values).all():
            broken = int((~np.isfinite(values)).any(axis=1).sum())
            raise DataError(
                f"features of {broken} of {self.samples} {name} are not finite: the images hold NaN, or the network "
                "that made them has diverged"
            )
        self.mean: Array = values.mean(axis=0)
        self._scaled: Array = (values - self.mean) / np.sqrt(self.samples - 1)

    @property
    def trace(self) -> float:
        """Trace of the covariance: the features' total variance."""
        return float(np.vdot(self._scaled, self._scaled))

    @property
    def deficient(self) -> bool:
        """Whether there are too few samples for a covariance of full rank."""
        return self.samples <= len(self.mean)

    @cached_property
    def covariance(self) -> Array:
        """(d, d), with N - 1 in the denominator, as numpy.cov and the published FID have it."""
        return self._scaled.T @ self._scaled

    @cached_property
    def factor(self) -> Array:
        """A with A^T A = covariance, (min(N, d), d); computed from the features, so that no digits are lost."""
        if self.deficient:
            return self._scaled
        return np.asarray(np.linalg.qr(self._scaled, mode="r"))


def frechet_distance(first: FeatureMoments, second: FeatureMoments) -> float:
    """Computes the Fréchet distance between the Gaussians of two sets of features.

    Rank-deficient covariances, as those of fewer samples than features, are no special case of the result.

    Args:
        first: Moments of one set.
        second: Moments of the other, of the same features.

    Returns:
        The squared distance, 0 or more; symmetric in its arguments.

    Raises:
        DataError: The sets have different numbers of features.
    """
    if first.mean.shape != second.mean.shape:
        raise DataError(f"{len(first.mean)} and {len(second.mean)} features cannot be compared: use one extractor")
    shift = first.mean - second.mean
    # rounding may take the distance of a set to itself below zero
    return max(0.0, float(shift @ shift) + first.trace + second.trace - 2 * root_trace(first, second))


def root_trace(first: FeatureMoments, second: FeatureMoments) -> float:
    """Computes tr (S1 S2)^(1/2), 0 or more, of two sets with as many features."""
    trace = None
    if not (first.deficient or second.deficient):
        trace = _root_trace_by_eigenvalues(first.covariance, second.covariance)
    return _root_trace_by_singular_values(first.factor, second.factor) if trace is None else trace


def _root_trace_by_eigenvalues(first: Array, second: Array) -> float | None:
    """The quick way; None where S2 is singular, or where small eigenvalues would cost more than the last digits."""
    from scipy.linalg import LinAlgError, eigh

    try:
        # S1 S2 x = l x through the Cholesky factor of S2, without ever forming the unsymmetric product
        eigenvalues = eigh(first, second, type=2, eigvals_only=True, driver="gv", check_finite=False)
    except LinAlgError:
        return None
    eigenvalues = np.maximum(eigenvalues, 0.0)
    roots = np.sqrt(eigenvalues)
    # an eigenvalue that is wrong by e has a root that is wrong by at most sqrt(e), and by e / 2 root if it is large
    error = _EIGENVALUE_ERROR * eigenvalues[-1]
    errors = np.minimum(np.sqrt(error), error / np.maximum(2 * roots, np.finfo(np.float64).tiny))
    trace = float(roots.sum())
    return trace if errors.sum() <= _LARGEST_ERROR * trace else None


def _root_trace_by_singular_values(first: Array, second: Array) -> float:
    """The sure way: singular values of A1 A2^T carry an error of the last digit of the largest, however small they are.

    The matrix has as many rows and columns as samples or features, whichever are fewer.
    """
    return float(np.linalg.svd(first @ second.T, compute_uv=False).sum())
