"""Classes must differ by what the emoji mean, not by how much ink they take or where it lies."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from retable.papers.emoji.datasets.canvas import to_canvas
from retable.papers.emoji.drawings import MEDIA, EmojiDrawings

pytestmark = pytest.mark.slow  # it trains, or starts processes of its own

ensemble = pytest.importorskip("sklearn.ensemble")

_TRAIN, _TEST = 3200, 2000


def _cheap_features(image: NDArray[np.uint8]) -> list[float]:
    """Stroke width, ink, bounding box, centroid and mean colour of a drawing."""
    background = np.median(image.reshape(-1, 3), axis=0)
    difference = np.abs(image.astype(np.float32) - background.astype(np.float32)).max(axis=2)
    ink = (difference > 50).astype(np.uint8)
    if not ink.any():
        ink[32, 32] = 1
    rows, columns = np.nonzero(ink)
    rim = int(ink.sum()) - int(cv2.erode(ink, np.ones((3, 3), np.uint8)).sum())
    return [
        2.0 * len(rows) / max(rim, 1),  # mean width of what is dark
        float(
            np.median(
                cv2.distanceTransform(cv2.copyMakeBorder(ink, 1, 1, 1, 1, 0), cv2.DIST_L2, 3)[1:-1, 1:-1][ink > 0]
            )
        ),
        float(ink.mean()),
        float(difference.mean()),
        float(columns.min()),
        float(columns.max()),
        float(rows.min()),
        float(rows.max()),
        float(columns.mean()),
        float(rows.mean()),
        *(float(channel) for channel in image.reshape(-1, 3).mean(axis=0)),
    ]


def _tables(crop_to_ink: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    train, test = (EmojiDrawings(count, 64, 12, split) for count, split in ((_TRAIN, "train"), (_TEST, "test")))
    return tuple(
        np.array([_cheap_features(to_canvas(each.image(i), 64, crop_to_ink)) for i in range(len(each))])
        for each in (train, test)
    )


@pytest.fixture(scope="module")
def tables() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return _tables(crop_to_ink=False)


def _accuracy(tables: tuple[NDArray[np.float64], ...], labels: list[NDArray[np.int64]]) -> float:
    forest = ensemble.RandomForestClassifier(60, min_samples_leaf=5, random_state=0, n_jobs=1)
    forest.fit(tables[0], labels[0])
    return float((forest.predict(tables[1]) == labels[1]).mean())


def test_cheap_features_do_not_tell_the_class(tables: tuple[NDArray[np.float64], NDArray[np.float64]]) -> None:
    assert _accuracy(tables, [np.arange(_TRAIN) % 8, np.arange(_TEST) % 8]) < 0.2  # chance is 0.125


def test_nor_do_they_on_the_canvases_that_networks_see() -> None:
    assert _accuracy(_tables(crop_to_ink=True), [np.arange(_TRAIN) % 8, np.arange(_TEST) % 8]) < 0.2


def test_the_same_features_do_tell_the_medium(tables: tuple[NDArray[np.float64], NDArray[np.float64]]) -> None:
    names = [medium.name for medium in MEDIA]
    labels = []
    for count, split in ((_TRAIN, "train"), (_TEST, "test")):
        drawings = EmojiDrawings(count, 64, 12, split)
        labels.append(np.array([names.index(drawings.medium(index)) for index in range(count)]))
    most_frequent = np.bincount(labels[1]).max() / _TEST
    assert _accuracy(tables, labels) > most_frequent + 0.15  # or the test above would prove nothing
