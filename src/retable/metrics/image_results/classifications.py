"""Classified images, and the scores of a classification."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

PER_CLASS = ("precision", "recall", "f1")
_DRAWS_AT_A_TIME = 1000


def scores(
    hits: NDArray[Any], true: NDArray[Any], recognised: NDArray[Any], names: Sequence[str]
) -> dict[str, NDArray[np.float64]]:
    """Computes the scores of classifications.

    Args:
        hits: (..., C) images of each class that were recognised.
        true: (..., C) images of each class.
        recognised: (..., C) images that were taken for each class.
        names: C names of the classes.

    Returns:
        accuracy; precision, recall and f1, means over the classes that the images show; and each of the three for each
        class, as in ``recall_winking_face``; each of shape (...). What a class is never taken for has precision 0;
        recall and F1 of a class that no image shows are NaN.
    """
    shown = true > 0
    of_classes = {
        "precision": hits / np.maximum(recognised, 1),
        "recall": np.where(shown, hits / np.maximum(true, 1), np.nan),
        "f1": np.where(shown, 2 * hits / np.maximum(true + recognised, 1), np.nan),
    }
    with np.errstate(invalid="ignore"):  # of no images at all nothing is defined
        found = {"accuracy": hits.sum(axis=-1) / true.sum(axis=-1)}
        for score, values in of_classes.items():
            found[score] = np.where(shown, values, 0).sum(axis=-1) / shown.sum(axis=-1)
    for score, values in of_classes.items():
        found.update({f"{score}_{name}": values[..., label] for label, name in enumerate(names)})
    return found


@dataclass(frozen=True, eq=False)
class ClassificationResults:
    """What each of I images is, and what it was taken for (see `retable.metrics.image_results.ImageResults`).

    Attributes:
        true: (I,) classes.
        recognised: (I,) classes.
        names: Names of all C classes.
        predictions: Digest of all logits.
        tested: Digest of the images' ids and of what is true in them.
    """

    true: NDArray[Any]
    recognised: NDArray[Any]
    names: NDArray[np.str_]
    predictions: str
    tested: str

    @property
    def images(self) -> int:
        """Number of images."""
        return len(self.true)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What is kept: two bytes an image."""
        return {"true": self.true, "recognised": self.recognised, "names": self.names}

    def metrics(self) -> dict[str, float]:
        """All scores."""
        found = self._scores(np.ones((self.images, 1), np.uint8))
        return {name: float(values[0]) for name, values in found.items()}

    def resampled(self, name: str, counts: NDArray[np.uint8]) -> NDArray[np.float64] | None:
        """One score over multisets of the images."""
        if name not in self._scores(counts[:, :1]):
            return None
        parts = range(0, counts.shape[1], _DRAWS_AT_A_TIME)
        return np.concatenate([self._scores(counts[:, first : first + _DRAWS_AT_A_TIME])[name] for first in parts])

    def outcomes(self) -> NDArray[np.int64]:
        """What each image was taken for."""
        return self.recognised.astype(np.int64)[:, None]

    def _scores(self, counts: NDArray[np.uint8]) -> dict[str, NDArray[np.float64]]:
        classes = np.arange(len(self.names))
        true, recognised = self.true[:, None] == classes, self.recognised[:, None] == classes
        several = counts.astype(np.float32)  # products of matrices are quick for floats only; these sums are exact
        marks = (true & recognised, true, recognised)
        hits, of_class, taken = (np.rint(several.T @ mark.astype(np.float32)).astype(np.int64) for mark in marks)
        return scores(hits, of_class, taken, self.names.tolist())
