"""Cheap, reproducible random numbers: one block of draws at a time, handed out one by one.

NumPy's scalar draws cost a microsecond or more each, and a scene takes thousands. `Dice` draws blocks
from a PCG64 generator and derives everything else in plain Python, which is also free of platform differences
beyond the last bit of floating point.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")

_BLOCK = 128


class Dice:
    """A reproducible source of random choices.

    Args:
        entropy: One non-negative integer, or several, that determine all draws.
    """

    def __init__(self, entropy: int | Sequence[int]) -> None:
        self.generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))
        self._pool: list[float] = []
        self._next = self._pool.pop

    def unit(self) -> float:
        """Draw a number in [0, 1)."""
        try:
            return self._next()
        except IndexError:
            self._pool.extend(self.generator.random(_BLOCK).tolist())
            return self._next()

    def uniform(self, low: float, high: float) -> float:
        """Draw a number in [low, high)."""
        return low + (high - low) * self.unit()

    def log_uniform(self, low: float, high: float) -> float:
        """Draw a positive number whose logarithm is uniform in [log low, log high)."""
        return low * math.exp(math.log(high / low) * self.unit())

    def normal(self, mean: float = 0.0, deviation: float = 1.0) -> float:
        """Draw from a normal distribution (Box-Muller)."""
        radius = math.sqrt(-2.0 * math.log(1.0 - self.unit()))
        return mean + deviation * radius * math.cos(2.0 * math.pi * self.unit())

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

    def weighted(self, options: Sequence[tuple[T, float]]) -> T:
        """Choose one of the (option, weight) pairs in proportion to its weight."""
        mark = self.unit() * sum(weight for _, weight in options)
        for option, weight in options:
            mark -= weight
            if mark < 0.0:
                return option
        return options[-1][0]

    def seed(self) -> int:
        """Draw a seed for another `Dice`."""
        return int(self.unit() * 2**48)
