"""Which images of a test are worth a look: the first ones, and those that went worst."""

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class FirstAndWorst(Generic[T]):
    """Collects pictures of the first images of a test and of the worst ones; of others none is drawn.

    Args:
        most_first: Number of first images at most.
        most_worst: Number of worst images at most.

    Attributes:
        first: Pictures of the first images, in the order of the test.
    """

    def __init__(self, most_first: int, most_worst: int) -> None:
        self.first: list[T] = []
        self._most_first, self._most_worst = most_first, most_worst
        self._worst: list[tuple[float, T]] = []

    @property
    def worst(self) -> list[T]:
        """Pictures of the worst images, the worst first; equally bad ones in the order of the test."""
        return [picture for _, picture in self._worst]

    def add(self, badness: float, draw: Callable[[], T]) -> None:
        """Takes the next image of the test.

        Args:
            badness: How bad its result is; 0 or less where it is not wrong.
            draw: Makes its picture; called only if it is among the first or the worst so far.
        """
        is_first = len(self.first) < self._most_first
        is_worst = badness > 0 and (len(self._worst) < self._most_worst or badness > self._worst[-1][0])
        if not is_first and not is_worst:
            return
        picture = draw()
        if is_first:
            self.first.append(picture)
        if is_worst:
            self._worst = sorted([*self._worst, (badness, picture)], key=lambda entry: -entry[0])[: self._most_worst]
