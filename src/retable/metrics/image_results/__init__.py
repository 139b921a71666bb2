"""What a test found in each of its images, kept beside the record: enough to evaluate any multiset of these images.

Nothing here imports torch, so that a table's report can resample the images. Images are in the order of their ids in
the dataset, which is the same for all runs on the same data: a draw of images means the same ones for each of them.
"""

import hashlib
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from retable.errors import DataError
from retable.files import write_atomically
from retable.metrics.image_results.classifications import ClassificationResults
from retable.metrics.image_results.detections import DetectionResults
from retable.metrics.image_results.sequences import SequenceResults


class ImageResults(Protocol):
    """What a test found in each of its images."""

    @property
    def predictions(self) -> str:
        """Digest of all that was predicted, scores included: two runs with the same predict the same."""

    @property
    def tested(self) -> str:
        """Digest of the images' ids and of what is true in them: only two runs with the same tested the same images."""

    @property
    def images(self) -> int:
        """Number of images I."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What is kept, by the names of the class's arguments."""

    def metrics(self) -> dict[str, float]:
        """Each metric by its last name, over each image once; NaN where it is undefined."""

    def resampled(self, name: str, counts: NDArray[np.uint8]) -> NDArray[np.float64] | None:
        """One metric over multisets of the images.

        Args:
            name: Last name of the metric.
            counts: (I, D) how often each image is in each multiset.

        Returns:
            (D,) values, NaN where the metric is undefined; None if there is no such metric.
        """

    def outcomes(self) -> NDArray[np.int64]:
        """(I, K) numbers that tell how each image came out, to count those that two runs found alike."""


_KINDS: dict[str, Callable[..., ImageResults]] = {
    "hits": DetectionResults,
    "recognised": ClassificationResults,
    "sequences": SequenceResults,
}
"""Which results each array belongs to that only they keep."""


def digest(*arrays: NDArray[Any]) -> str:
    """Sixteen hexadecimal digits that tell arrays from others."""
    found = hashlib.sha256()
    for array in arrays:
        found.update(f"{array.dtype} {array.shape} ".encode())
        found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()[:16]


def save(path: Path, results: ImageResults) -> None:
    """Writes results, compressed, complete or not at all.

    Raises:
        OSError: The disk is full or the folder cannot be written.
    """
    kept: dict[str, Any] = {name: _smallest(values) for name, values in results.arrays().items()}
    kept |= {"predictions": results.predictions, "tested": results.tested}
    write_atomically(path, lambda temporary: np.savez_compressed(temporary, **kept))


def load(path: Path) -> ImageResults:
    """Reads results.

    Raises:
        DataError: The file is missing, damaged, or of none of the kinds above.
    """
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            kept: dict[str, Any] = {name: file[name] for name in file.files}
        kept |= {name: str(kept[name]) for name in ("predictions", "tested")}
        (kind,) = (_KINDS[name] for name in kept if name in _KINDS)
        return kind(**kept)
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: no results of images ({error})") from error


def _smallest(values: NDArray[Any]) -> NDArray[Any]:
    """Whole numbers of at least 0 in the smallest type that holds them; others as they are."""
    if values.dtype.kind not in "iu" or not values.size:
        return values
    return values.astype(np.min_scalar_type(int(values.max())))
