"""The p-value of a claim that is looked at twice: with a table's first seeds, and once more with further ones.

Whoever looks twice errs twice as often, so the level is split between the looks. The first one gets the part that the
spending function of Pocock's type gives it, ``level * ln(1 + (e - 1) t)``, where t is the share of the seeds that it
has (Lan and DeMets 1983); the second one what is left, given that test statistics of two looks correlate with the
square root of t. `p_value` is the least level at which one of the two looks decides, so that it is used, and corrected
for the other claims of a table, as any other (the sequential p-value of Liu and Anderson 2008). Statistics are taken
to be normal and the second number of seeds not to depend on the first look; neither is quite so, and
``benchmarks/claim_verdicts.py`` simulates that the error is kept all the same.
"""

import math
from functools import cache
from typing import Any

_TINY = 1e-10  # below, differences from 1 are lost in rounding


def first_look(p: float, share: float) -> float:
    """The least level at which the first look alone decides.

    Args:
        p: Two-sided p-value of the first look.
        share: Which part of the seeds of both looks it has, above 0 and at most 1.
    """
    return min(1.0, p / _spent(share))


def p_value(first: float, second: float, share: float) -> float:
    """The least level at which one of two looks decides.

    Args:
        first: Two-sided p-value with the first seeds.
        second: The same with all seeds.
        share: Which part of the seeds the first look has, above 0 and at most 1; at 1 nothing was added.
    """
    if share == 1:
        return first
    return min(first_look(first, share), second_look(second, share))


def second_look(p: float, share: float) -> float:
    """The least level at which the second look decides, whatever the first one did; arguments as of `p_value`."""
    rest = 1 - _spent(share)
    if p < _TINY or p >= 1:
        return min(1.0, p / rest)  # as if the looks had nothing in common, which errs on the safe side
    from scipy.optimize import brentq

    # at the level p both looks together spend more than p, at the other end less than that is
    return float(brentq(lambda level: _either(level * (1 - rest), p, share) - level, p, min(1.0, p / rest), rtol=1e-9))


def _spent(share: float) -> float:
    return math.log(1 + (math.e - 1) * share)


def _either(first: float, second: float, share: float) -> float:
    """The chance that one of two normal statistics, which correlate, is beyond its two-sided level."""
    import numpy as np
    from scipy.special import ndtr, ndtri

    one, two = -float(ndtri(first / 2)), -float(ndtri(second / 2))
    nodes, weights = _quadrature()
    values = one * nodes  # of the first statistic; the second one is normal about share ** 0.5 of it
    mean, deviation = math.sqrt(share) * values, math.sqrt(1 - share)
    within = ndtr((two - mean) / deviation) - ndtr((-two - mean) / deviation)
    density = np.exp(-(values**2) / 2) / math.sqrt(2 * math.pi)
    return 1 - one * float(weights @ (within * density))


@cache
def _quadrature() -> Any:
    import numpy as np

    return np.polynomial.legendre.leggauss(64)
