"""Sequences that were read from images, such as the digits of a code, and the scores of a reader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class SequenceResults:
    """What stands in each of I images, and what was read (see `retable.metrics.image_results.ImageResults`).

    Attributes:
        sequences: (I, S) true characters, counted from 1; 0 where an image shows none.
        read: (I, S) characters that were read, counted from 1; 0 where the answer was withheld.
        predictions: Digest of all that was read, confidences included.
        tested: Digest of the images' ids and of what is true in them.
    """

    sequences: NDArray[Any]
    read: NDArray[Any]
    predictions: str
    tested: str

    @property
    def images(self) -> int:
        """Number of images."""
        return len(self.sequences)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What is kept: two bytes a character, before compression."""
        return {"sequences": self.sequences, "read": self.read}

    def metrics(self) -> dict[str, float]:
        """All metrics that `retable.metrics.sequences.SequenceAccuracy` describes."""
        with np.errstate(invalid="ignore"):  # of no images at all nothing is defined
            return {name: float(np.divide(mark.sum(), images.sum())) for name, (mark, images) in self._marks().items()}

    def resampled(self, name: str, counts: NDArray[np.uint8]) -> NDArray[np.float64] | None:
        """One metric over multisets of the images."""
        if name not in (found := self._marks()):
            return None
        weights = counts.astype(np.float64)
        mark, images = found[name]
        with np.errstate(invalid="ignore"):
            return np.asarray((mark @ weights) / (images @ weights))

    def outcomes(self) -> NDArray[np.int64]:
        """What was read of each image."""
        return self.read.astype(np.int64)

    def _marks(self) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """(I,) what each image adds to each metric, and (I,) to the number by which that is divided."""
        told = self.sequences[:, 0] > 0
        right = (self.sequences == self.read) & told[:, None]
        whole, answered = right.all(axis=1), (self.read > 0).all(axis=1)
        of_told = {
            "sequence_accuracy": whole,
            "character_accuracy": right.mean(axis=1),
            "no_answers": ~answered & told,
            **{f"character_accuracy_{place}": column for place, column in enumerate(right.T)},
        }
        return {
            "wrong_answers": ((answered & ~whole).astype(np.float64), np.ones(self.images)),
            **{name: (mark.astype(np.float64), told.astype(np.float64)) for name, mark in of_told.items()},
        }
