"""Which images of a test are worth a look: the first ones, and those that went worst."""

import heapq
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
        self._worst: list[tuple[float, int, T]] = []
        self._seen = 0

    @property
    def worst(self) -> list[T]:
        """Pictures of the worst images, the worst first; equally bad ones in the order of the test."""
        return [picture for _, _, picture in sorted(self._worst, key=lambda entry: entry[:2], reverse=True)]

    def add(self, badness: float, draw: Callable[[], T]) -> None:
        """Takes the next image of the test.

        Args:
            badness: How bad its result is; 0 or less where it is not wrong.
            draw: Makes its picture; called only if it is among the first or the worst so far.
        """
        self._seen += 1
        is_first = len(self.first) < self._most_first
        is_worst = badness > 0 and (len(self._worst) < self._most_worst or badness > self._worst[0][0])
        if not is_first and not is_worst:
            return
        picture = draw()
        if is_first:
            self.first.append(picture)
        if is_worst:
            heapq.heappush(self._worst, (badness, -self._seen, picture))
            if len(self._worst) > self._most_worst:
                heapq.heappop(self._worst)
