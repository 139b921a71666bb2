"""Random numbers by place: quick, and the same for the same seed in every process and version of Python.

A scene takes hundreds to thousands of random numbers. The standard library's Mersenne Twister is seeded in a few
microseconds, from an integer of any length, and hands out a number in tens of nanoseconds; NumPy's generators take ten
times as long for single numbers. Of its methods only `random` is promised to stay the same, so that all else is derived
from that one here.
"""

from __future__ import annotations

import math
import random
from bisect import bisect
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate
from typing import Generic, TypeVar

import numpy as np

T = TypeVar("T")


class RandomStream:
    """The random numbers of one place, such as one image of a dataset.

    Args:
        place: Non-negative integers that determine all numbers; all but the first are below 2^64. Places of as many
            integers have different streams.
    """

    def __init__(self, *place: int) -> None:
        entropy = 0
        for number in place:
            entropy = (entropy << 64) + number
        self.random = random.Random(entropy).random  # returns a number in [0, 1)

    @cached_property
    def generator(self) -> np.random.Generator:
        """NumPy's generator, for whole arrays; the first use takes its seed from the stream."""
        return np.random.Generator(np.random.PCG64(self.seed()))

    def uniform(self, low: float, high: float) -> float:
        """Returns a number in [low, high)."""
        return low + (high - low) * self.random()

    def log_uniform(self, low: float, high: float) -> float:
        """Returns a positive number whose logarithm is uniform in [log low, log high)."""
        return float(low * (high / low) ** self.random())

    def triangular(self, reach: float) -> float:
        """Returns a number in (-reach, reach) of the symmetric triangular distribution."""
        return reach * (self.random() - self.random())

    def normal(self, mean: float, deviation: float) -> float:
        """Returns a number of the normal distribution (Box-Muller)."""
        radius = math.sqrt(-2.0 * math.log(1.0 - self.random()))
        return mean + deviation * radius * math.cos(math.tau * self.random())

    def integer(self, low: int, high: int) -> int:
        """Returns an integer in [low, high], both ends included."""
        return low + int(self.random() * (high - low + 1))

    def chance(self, probability: float) -> bool:
        """Returns True with the given probability."""
        return self.random() < probability

    def sign(self) -> float:
        """Returns -1.0 or 1.0."""
        return -1.0 if self.random() < 0.5 else 1.0

    def choice(self, options: Sequence[T]) -> T:
        """Returns one of the options, each with equal probability; see `Weighted` for unequal ones."""
        return options[int(self.random() * len(options))]

    def seed(self) -> int:
        """Returns a seed for another stream, below 2^48."""
        return int(self.random() * 2**48)


class Weighted(Generic[T]):
    """Options of which some are drawn more often than others.

    Args:
        options: (option, weight) pairs; the weights need not sum to 1.
    """

    def __init__(self, *options: tuple[T, float]) -> None:
        self.options = tuple(option for option, _ in options)
        total = math.fsum(weight for _, weight in options)
        # the last mark is 1 whatever rounding does to the sum
        self._marks = (*accumulate(weight / total for _, weight in options[:-1]), 1.0)

    def draw(self, rng: RandomStream) -> T:
        """Returns one of the options, with a probability in proportion to its weight."""
        return self.options[bisect(self._marks, rng.random())]
