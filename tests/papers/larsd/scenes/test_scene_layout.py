import itertools
import math

import numpy as np
import pytest
from shapely.geometry import Polygon, box

from retable.papers.larsd.scenes import HRSC2016, HRSD, Profile, ShipScenes
from retable.papers.larsd.scenes.geometry import rectangle
from retable.papers.larsd.scenes.layout import CLEARLY_VISIBLE, LEAST_VISIBLE, SceneLayout
from retable.papers.larsd.scenes.scene import labels

pytestmark = pytest.mark.slow  # it trains, or starts processes of its own


@pytest.fixture(scope="module", params=[HRSD, HRSC2016], ids=lambda profile: profile.name)
def layouts(request: pytest.FixtureRequest) -> tuple[Profile, list[SceneLayout]]:
    dataset = ShipScenes("train", 700, 512, request.param, seed=7)
    return request.param, [dataset.layout(index) for index in range(700)]


def test_ships_an_image_follow_the_dataset(layouts: tuple[Profile, list[SceneLayout]]) -> None:
    profile, scenes = layouts
    counts = np.array([len(scene.vessels) for scene in scenes])
    assert counts.mean() == pytest.approx(profile.mean_ships, rel=0.1)
    assert (counts <= 1).mean() > 0.15
    if profile is HRSD:
        assert 0.02 < (counts == 0).mean() < 0.15
        assert (counts > 15).mean() > 0.005


def test_lengths_and_aspect_ratios(layouts: tuple[Profile, list[SceneLayout]]) -> None:
    _, scenes = layouts
    vessels = [vessel for scene in scenes for vessel in scene.vessels]
    lengths = np.array([vessel.length for vessel in vessels])
    aspects = lengths / np.array([vessel.width for vessel in vessels])
    assert lengths.min() >= 10.0
    assert lengths.max() <= 400.0
    assert lengths.max() > 250.0
    assert np.percentile(lengths, 10) < 40.0
    assert aspects.min() >= 3.0 - 1e-9
    assert aspects.max() <= 9.0 + 1e-9
    assert len({vessel.kind for vessel in vessels}) >= 10


def test_boxes_are_canonical(layouts: tuple[Profile, list[SceneLayout]]) -> None:
    _, scenes = layouts
    boxes = np.array([vessel.box for scene in scenes for vessel in scene.vessels], np.float32)
    assert (boxes[:, 2] >= boxes[:, 3]).all()
    assert (boxes[:, 4] >= np.float32(-math.pi / 2)).all()
    assert (boxes[:, 4] < np.float32(math.pi / 2)).all()
    # headings are spread over the whole half turn
    assert (np.histogram(boxes[:, 4], 6, (-math.pi / 2, math.pi / 2))[0] > 0.08 * len(boxes)).all()


def test_hulls_never_overlap(layouts: tuple[Profile, list[SceneLayout]]) -> None:
    _, scenes = layouts
    for scene in scenes[:300]:
        polygons = [Polygon(rectangle(*vessel.rectangle)) for vessel in scene.vessels]
        for first, second in itertools.combinations(polygons, 2):
            assert first.distance(second) > 0.3


def test_ships_lie_mostly_inside_and_cut_ones_are_difficult(layouts: tuple[Profile, list[SceneLayout]]) -> None:
    _, scenes = layouts
    frame = box(0, 0, 512, 512)
    cut = 0
    for scene in scenes:
        for vessel, difficult in zip(scene.vessels, labels(scene)["difficult"], strict=True):
            polygon = Polygon(rectangle(*vessel.rectangle))
            visible = polygon.intersection(frame).area / polygon.area
            assert 0 < vessel.cx < 512
            assert 0 < vessel.cy < 512
            assert visible > LEAST_VISIBLE - 1e-3
            assert difficult == (visible < CLEARLY_VISIBLE) or abs(visible - CLEARLY_VISIBLE) < 1e-3
            cut += visible < 0.99
    assert cut > 0


def test_ships_float(layouts: tuple[Profile, list[SceneLayout]]) -> None:
    _, scenes = layouts
    for scene in scenes[:300]:
        for vessel in scene.vessels:
            column, row = int(vessel.cx), int(vessel.cy)
            assert scene.solid[row, column] == 0


def test_some_ships_lie_side_by_side(layouts: tuple[Profile, list[SceneLayout]]) -> None:
    _, scenes = layouts
    near = 0
    for scene in scenes[:300]:
        polygons = [Polygon(rectangle(*vessel.rectangle)) for vessel in scene.vessels]
        near += any(first.distance(second) < 3.0 for first, second in itertools.combinations(polygons, 2))
    assert near > 30


def test_smaller_images_show_smaller_ships() -> None:
    large = ShipScenes("train", 300, 512, seed=2)
    small = ShipScenes("train", 300, 256, seed=2)
    part = [
        np.median([vessel.length / dataset.size for index in range(300) for vessel in dataset.layout(index).vessels])
        for dataset in (large, small)
    ]
    assert part[1] == pytest.approx(part[0], rel=0.25)
    assert min(vessel.length for index in range(300) for vessel in small.layout(index).vessels) >= 10.0
