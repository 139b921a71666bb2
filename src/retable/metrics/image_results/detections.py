"""Detections in images, and the average precisions of them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retable.metrics.average_precision import (
    BoolArray,
    average_precision_voc07,
    average_precision_voc12,
    precision_recall,
)

# Hundredths divided once, so that each is the float64 nearest to its decimal.
IOU_THRESHOLDS = np.arange(50, 100, 5) / 100
_BITS = 1 << np.arange(len(IOU_THRESHOLDS), dtype=np.uint16)
_VOC07, _VOC12, _RECALL = range(3)
_MEASURES: dict[str, tuple[slice, int]] = {
    "ap50_voc07": (slice(0, 1), _VOC07),
    "ap50_voc12": (slice(0, 1), _VOC12),
    "ap75": (slice(5, 6), _VOC12),
    "ap50_95": (slice(None), _VOC12),
    "recall50": (slice(0, 1), _RECALL),
}
"""Which of the thresholds each metric is the mean over, and of what."""
_OF_CLASSES = ("ap50_voc07", "ap50_voc12")


@dataclass(frozen=True, eq=False)
class DetectionResults:
    """How the detections in I images of C classes came out (see `retable.metrics.image_results.ImageResults`).

    Detections stand class by class, by descending score, of which nothing but this order is kept. Left out are those
    that no metric depends on, whichever images are drawn: after the last true positive of a class, and those that
    count at no threshold. Copies of an image are ranked beside each other.

    Attributes:
        label: (D,) class of each detection.
        image: (D,) its image, from 0 to I - 1.
        hits: (D,) at which of `IOU_THRESHOLDS` it is a true positive: bit t for threshold t.
        ignored: (D,) at which of them it counts neither way, as it claims a difficult ground truth.
        truths: (C, I) ground truths that are not difficult.
        predictions: Digest of all boxes, scores and labels.
        tested: Digest of the images' ids and of what is true in them.
    """

    label: NDArray[Any]
    image: NDArray[Any]
    hits: NDArray[Any]
    ignored: NDArray[Any]
    truths: NDArray[Any]
    predictions: str
    tested: str

    @property
    def images(self) -> int:
        """Number of images."""
        return int(self.truths.shape[1])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What is kept: up to seven bytes a detection and one an image and class, before compression."""
        return {name: getattr(self, name) for name in ("label", "image", "hits", "ignored", "truths")}

    def metrics(self) -> dict[str, float]:
        """All metrics that `retable.metrics.detection.DetectionAveragePrecision` describes."""
        classes, thresholds = len(self.truths), len(IOU_THRESHOLDS)
        found = np.array([[self._once(label, index) for index in range(thresholds)] for label in range(classes)])
        table = found.transpose(2, 0, 1)[..., None]
        names = [*_MEASURES]
        if classes > 1:
            names += [f"{name}_class{label}" for label in range(classes) for name in _OF_CLASSES]
        return {name: float(_mean(table[:, :, _MEASURES[_parts(name)[0]][0]], name)[0]) for name in names}

    def resampled(self, name: str, counts: NDArray[np.uint8]) -> NDArray[np.float64] | None:
        """One metric over multisets of the images."""
        measure, label = _parts(name)
        if measure not in _MEASURES or (label is not None and not 0 <= label < len(self.truths)):
            return None
        thresholds, _ = _MEASURES[measure]
        labels = range(len(self.truths)) if label is None else (label,)
        chosen = range(len(IOU_THRESHOLDS))[thresholds]
        found = np.full((3, len(self.truths), len(chosen), counts.shape[1]), np.nan)
        for of_class in labels:
            for place, threshold in enumerate(chosen):
                found[:, of_class, place] = self._resampled(of_class, threshold, counts)
        return _mean(found, name)

    def outcomes(self) -> NDArray[np.int64]:
        """Detections and true positives of each image, over all classes and thresholds."""
        hits = (self.hits[:, None] & _BITS).astype(bool).sum(axis=1)
        found = [np.bincount(self.image, weights, self.images) for weights in (None, hits)]
        return np.stack(found, axis=1).astype(np.int64)

    def _at(self, label: int, threshold: int) -> tuple[BoolArray, BoolArray, NDArray[Any]]:
        """True positives and ignored ones among the detections of a class at a threshold, and their images."""
        of_class = self.label == label
        bit = _BITS[threshold]
        return (self.hits[of_class] & bit) > 0, (self.ignored[of_class] & bit) > 0, self.image[of_class]

    def _once(self, label: int, threshold: int) -> tuple[float, float, float]:
        positives = int(self.truths[label].sum(dtype=np.int64))
        if positives == 0:
            return np.nan, np.nan, np.nan
        hits, ignored, _ = self._at(label, threshold)
        precision, recall = precision_recall(hits, ignored, positives)
        # Precision only falls between two hits, so the hits alone carry both averages.
        at_hits = hits[~ignored]
        precision, recall = precision[at_hits], recall[at_hits]
        last = float(recall[-1]) if len(recall) > 0 else 0.0
        return average_precision_voc07(precision, recall), average_precision_voc12(precision, recall), last

    def _resampled(self, label: int, threshold: int, counts: NDArray[np.uint8]) -> NDArray[np.float64]:
        from retable.metrics.image_results.resampling.kernels import average_precisions

        hits, ignored, image = self._at(label, threshold)
        counted = ~ignored
        counted[len(hits) - int(np.argmax(hits[::-1])) if hits.any() else 0 :] = False
        return average_precisions(counts, image[counted], hits[counted], self.truths[label])


def from_masks(
    hits: list[BoolArray],
    ignored: list[BoolArray],
    images: list[NDArray[Any]],
    truths: NDArray[Any],
    predictions: str,
    tested: str,
) -> DetectionResults:
    """Keeps what matters of matched detections.

    Args:
        hits: For each class (T, D) true positives at each threshold, by descending score.
        ignored: The same of those that count neither way.
        images: For each class (D,) the images of the detections.
        truths: (C, I) ground truths that are not difficult.
        predictions: Digest of all boxes, scores and labels.
        tested: Digest of the images' ids and of what is true in them.
    """
    parts: list[tuple[NDArray[Any], ...]] = []
    for of_class, (true, neither, image) in enumerate(zip(hits, ignored, images, strict=True)):
        ever: BoolArray = np.logical_or.reduce(true)
        kept: BoolArray = ~np.logical_and.reduce(neither)
        kept[len(ever) - int(np.argmax(ever[::-1])) if ever.any() else 0 :] = False
        packed = [np.bitwise_or.reduce(mask[:, kept] * _BITS[:, None], axis=0) for mask in (true, neither)]
        parts.append((np.full(int(kept.sum()), of_class), image[kept], *packed))
    label, image, true_bits, neither_bits = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return DetectionResults(label, image, true_bits, neither_bits, truths, predictions, tested)


def _parts(name: str) -> tuple[str, int | None]:
    """Name and class of a metric, such as ``ap50_voc07_class3``."""
    measure, _, label = name.partition("_class")
    return (measure, int(label)) if measure in _OF_CLASSES and label.isdecimal() else (name, None)


def _mean(found: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    """A metric of numbers (3, C, T, D) at its thresholds: the mean over the classes that have ground truth."""
    measure, label = _parts(name)
    values = found[_MEASURES[measure][1]]
    if label is not None:
        values = values[label : label + 1]
    known = ~np.isnan(values)
    with np.errstate(invalid="ignore"):  # without any class that has ground truth it is undefined
        means: NDArray[np.float64] = (np.where(known, values, 0).sum(axis=0) / known.sum(axis=0)).mean(axis=0)
    return means
