"""The generated cars: what they look like can be counted in their pixels."""

import hashlib
import os
import pickle
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from retable.errors import ConfigError
from retable.papers.cars.scenes import CarScenes
from retable.papers.cars.scenes.bodies import BODIES
from retable.papers.cars.scenes.materials import COLOURS
from retable.papers.cars.scenes.views import OCCLUSIONS, VIEWS

pytestmark = pytest.mark.slow  # it trains, or starts processes of its own

GREEN = (51, 255, 51)

_DIGEST = """
import hashlib, sys
from retable.papers.cars.scenes import CarScenes
scenes = CarScenes(20, 32, 11)
[scenes.attributes(index) for index in range(20)]
assert "numba" not in sys.modules
print(hashlib.sha256(b"".join(scenes.image(index).tobytes() for index in range(20))).hexdigest())
assert "torch" not in sys.modules
"""


def _car(image: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Pixels that are not background."""
    return (image != GREEN).any(axis=2)


def _chosen(scenes: CarScenes, **wanted: str) -> list[NDArray[np.uint8]]:
    matches = [
        index
        for index in range(len(scenes))
        if all(getattr(scenes.attributes(index), name) == value for name, value in wanted.items())
    ]
    return [scenes.image(index) for index in matches[:12]]


@pytest.mark.parametrize("size", [16, 32, 64, 128])
def test_images_are_squares_on_green(size: int) -> None:
    scenes = CarScenes(12, size, 3)
    for index in range(len(scenes)):
        image = scenes.image(index)
        assert image.shape == (size, size, 3)
        assert image.dtype == np.uint8
        assert tuple(image[0, 0]) == GREEN or tuple(image[0, -1]) == GREEN
        assert 0.08 < _car(image).mean() < 0.97


def test_same_bytes_in_another_process_and_from_threads() -> None:
    scenes = pickle.loads(pickle.dumps(CarScenes(20, 32, 11)))
    with ThreadPoolExecutor(3) as pool:
        images = list(pool.map(scenes.image, reversed(range(20))))[::-1]
    digest = hashlib.sha256(b"".join(image.tobytes() for image in images)).hexdigest()
    done = subprocess.run(
        [sys.executable, "-c", _DIGEST], env=dict(os.environ), capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == digest


def test_seed_and_index_make_the_car_and_the_count_does_not() -> None:
    first = CarScenes(10, 32, 1)
    assert np.array_equal(first.image(3), CarScenes(500, 32, 1).image(3))
    assert not np.array_equal(first.image(3), first.image(4))
    assert not np.array_equal(first.image(3), CarScenes(10, 32, 2).image(3))
    assert first.attributes(3) == CarScenes(10, 128, 1).attributes(3)


def test_all_attributes_occur() -> None:
    scenes = CarScenes(1500, 32, 0)
    drawn = [scenes.attributes(index) for index in range(len(scenes))]
    assert {car.body for car in drawn} == set(BODIES)
    assert {car.colour for car in drawn} == set(COLOURS)
    assert {car.view for car in drawn} == set(VIEWS)
    kinds = Counter(car.occlusion for car in drawn)
    assert set(kinds) == set(OCCLUSIONS)
    assert 0.25 < 1 - kinds["none"] / len(drawn) < 0.35
    assert all(0 <= car.azimuth < 360 and 0 < car.elevation < 25 for car in drawn)


def test_a_whole_car_fills_the_square_and_lies_in_its_middle() -> None:
    scenes = CarScenes(30, 64, 5, occluded=0)
    for index in range(len(scenes)):
        rows, columns = np.nonzero(_car(scenes.image(index)))
        height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
        assert 54 <= max(height, width) <= 64
        assert abs(rows.min() + rows.max() - 63) <= 5
        assert abs(columns.min() + columns.max() - 63) <= 5


def test_views_have_their_proportions_and_lights() -> None:
    scenes = CarScenes(1500, 64, 7, occluded=0)

    def proportion(view: str) -> float:
        boxes = [np.nonzero(_car(image)) for image in _chosen(scenes, view=view)]
        return float(np.mean([np.ptp(columns) / np.ptp(rows) for rows, columns in boxes]))

    def reddish(image: NDArray[np.uint8]) -> NDArray[np.bool_]:
        red, green, blue = image.astype(np.int64).transpose(2, 0, 1)
        return (red > 70) & (red > 1.8 * green) & (red > 1.8 * blue)

    def red_share(view: str) -> float:
        images = _chosen(scenes, view=view, colour="silver") + _chosen(scenes, view=view, colour="white")
        return float(np.mean([reddish(image).sum() / _car(image).sum() for image in images]))

    assert proportion("left") > 2 > 1.6 > proportion("front") > 0.8
    assert abs(proportion("left") / proportion("right") - 1) < 0.3
    assert red_share("rear") > 0.015 > 0.003 > red_share("front")
    # seen from its left the car points to the left, so that its tail lights lie on the right
    for view, right in (("left", True), ("right", False)):
        images = _chosen(scenes, view=view, colour="silver") + _chosen(scenes, view=view, colour="white")
        marks = sum(reddish(image).sum(axis=0) for image in images)
        assert (marks[32:].sum() > marks[:32].sum()) == right


def test_paints_and_bodies_differ() -> None:
    scenes = CarScenes(1500, 32, 9, occluded=0)

    def mean(colour: str) -> NDArray[np.float64]:
        return np.mean([image[_car(image)].mean(axis=0) for image in _chosen(scenes, colour=colour)], axis=0)

    assert mean("white").mean() > mean("grey").mean() + 30
    assert mean("grey").mean() > mean("black").mean()
    assert mean("red")[0] > mean("red")[2] + 20
    assert mean("blue")[2] > mean("blue")[0] + 8

    def height(body: str) -> float:
        rows = [np.nonzero(_car(image))[0] for image in _chosen(scenes, body=body, view="left")]
        return float(np.mean([np.ptp(row) for row in rows]))

    assert height("van") > height("saloon") + 2


def test_occlusion_takes_a_part_of_the_same_car_away() -> None:
    hidden, whole = CarScenes(400, 64, 2, occluded=1), CarScenes(400, 64, 2, occluded=0)
    kinds = {}
    for index in range(len(hidden)):
        kinds.setdefault(hidden.attributes(index).occlusion, index)
    assert set(kinds) == set(OCCLUSIONS) - {"none"}
    assert whole.attributes(0).occlusion == "none"
    poles = _chosen(hidden, occlusion="pole")
    pieces = [cv2.connectedComponents(_car(image).astype(np.uint8))[0] - 1 for image in poles]
    assert np.mean(np.array(pieces) >= 2) > 0.6
    # what is cut off at the photograph's border ends in a straight line
    cut = [_car(image) for image in _chosen(hidden, occlusion="border")]
    straight = [max(car[:, np.nonzero(car.any(0))[0][end]].sum() for end in (0, -1)) for car in cut]
    assert np.median(straight) > 15


def test_the_fingerprint_tells_all_parameters_apart() -> None:
    settings = [(10, 32, 0, 0.3), (11, 32, 0, 0.3), (10, 64, 0, 0.3), (10, 32, 1, 0.3), (10, 32, 0, 0.4)]
    assert len({CarScenes(*values).fingerprint() for values in settings}) == len(settings)
    assert CarScenes(10, 32).fingerprint() == CarScenes(10, 32).fingerprint()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"count": 0}, "count=0"),
        ({"count": 1, "image_size": 8}, "size=8"),
        ({"count": 1, "seed": -1}, "seed=-1"),
        ({"count": 1, "occluded": 1.5}, "occluded=1.5"),
    ],
)
def test_parameters_are_checked(arguments: dict[str, int], word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        CarScenes(**arguments)


def test_there_is_no_car_beyond_the_end() -> None:
    with pytest.raises(IndexError, match="3 of 3"):
        CarScenes(3).image(3)
