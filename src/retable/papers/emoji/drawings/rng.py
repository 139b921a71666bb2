"""Cheap, reproducible random choices, on the standard library's Mersenne Twister.

A drawing takes one to two hundred random numbers and as many microseconds in all. `random.Random` is seeded in a few
microseconds, from an integer of any length, and hands out a number in tens of nanoseconds; Python promises the same
numbers for the same seed in all versions. NumPy's generators take ten times as long for single numbers.
"""

from __future__ import annotations

import math
import random
from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from typing import Generic, TypeVar

T = TypeVar("T")


class Dice:
    """A reproducible source of random choices.

    Args:
        entropy: A non-negative integer that determines all draws.
    """

    def __init__(self, entropy: int) -> None:
        self.unit = random.Random(entropy).random  # a number in [0, 1)

    def uniform(self, low: float, high: float) -> float:
        """Draw a number in [low, high)."""
        return low + (high - low) * self.unit()

    def log_uniform(self, low: float, high: float) -> float:
        """Draw a positive number whose logarithm is uniform in [log low, log high)."""
        return float(low * (high / low) ** self.unit())

    def around(self, reach: float) -> float:
        """Draw a number in (-reach, reach), those near 0 more often (triangular distribution)."""
        return reach * (self.unit() - self.unit())

    def normal(self, deviation: float) -> float:
        """Draw from the normal distribution around 0 (Box-Muller)."""
        return deviation * math.sqrt(-2.0 * math.log(1.0 - self.unit())) * math.cos(math.tau * self.unit())

    def integer(self, low: int, high: int) -> int:
        """Draw an integer in [low, high], both ends included."""
        return low + int(self.unit() * (high - low + 1))

    def chance(self, probability: float) -> bool:
        """Return True with the given probability."""
        return self.unit() < probability

    def sign(self) -> float:
        """Return -1.0 or 1.0."""
        return -1.0 if self.unit() < 0.5 else 1.0

    def pick(self, options: Sequence[T]) -> T:
        """Choose one of the options with equal probability."""
        return options[int(self.unit() * len(options))]


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

    def draw(self, dice: Dice) -> T:
        """Choose one of the options in proportion to its weight."""
        return self.options[bisect(self._marks, dice.unit())]
