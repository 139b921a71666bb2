"""Generated scenes: boxes, corners, determinism."""

import numpy as np
import pytest

from retable.errors import ConfigError
from retable.papers.plates.countries import COUNTRIES
from retable.papers.plates.scenes import PlateScenes
from retable.papers.plates.scenes.layout import PlacedPlate, SceneLayout, draw_layout
from retable.papers.plates.scenes.scene import draw_plates, labels, plate_corners, render
from retable.synthetic.rng import RandomStream


def test_scenes_are_determined_by_seed_split_and_index() -> None:
    scenes = PlateScenes("train", 5, 160, seed=2)
    image, target = scenes.load(3)
    assert (image.shape, image.dtype) == ((160, 160, 3), np.uint8)
    again, same = PlateScenes("train", 9, 160, seed=2).load(3)
    assert np.array_equal(image, again)
    assert all(np.array_equal(target[key], same[key]) for key in target)
    assert not np.array_equal(image, PlateScenes("val", 5, 160, seed=2).load(3)[0])
    assert scenes.image_ids[3] == "train-00003"
    with pytest.raises(ConfigError, match="unknown split"):
        PlateScenes("other", 5)


def test_a_change_of_what_is_drawn_needs_a_new_version() -> None:
    scenes = PlateScenes("test", 4, 160)
    assert scenes.version == 1
    assert [round(float(scenes.load(index)[0].mean())) for index in range(4)] == pytest.approx(BRIGHTNESS, abs=2)


BRIGHTNESS = [89, 128, 119, 79]


def test_targets_and_plates_need_no_rendering_and_agree() -> None:
    scenes = PlateScenes("train", 60, 160)
    sizes, countries = [], set()
    for index in range(60):
        target, plates = scenes.target(index), scenes.plates(index)
        assert target["boxes"].shape == (len(plates), 4)
        assert target["boxes"].dtype == np.float32
        assert (target["labels"] == 0).all()
        for box, plate in zip(target["boxes"], plates, strict=True):
            around = np.concatenate([plate.corners.min(axis=0), plate.corners.max(axis=0)])
            assert np.allclose(box, np.clip(around, 0, 160), atol=1e-3)
            assert plate.text
            assert plate.country == scenes.country(index)
            # clockwise from the upper left, and never seen from behind
            a, b = plate.corners[1] - plate.corners[0], plate.corners[2] - plate.corners[1]
            assert a[0] * b[1] - a[1] * b[0] > 0
        sizes.append(len(plates))
        countries.add(scenes.country(index))
    assert countries == {*COUNTRIES, ""}
    assert 0 < sizes.count(0) < 20


def test_rendered_targets_are_those_without_rendering() -> None:
    scenes = PlateScenes("val", 4, 160)
    for index in range(4):
        assert all(
            np.array_equal(a, b)
            for a, b in zip(scenes.load(index)[1].values(), scenes.target(index).values(), strict=True)
        )


def _alone(axes: np.ndarray, size: int = 200) -> SceneLayout:
    plate = PlacedPlate(3, "eu", 1, (axes[0, 2], axes[1, 2]), axes, axes[0, 0])
    return SceneLayout(size, 4, "eu", (), (plate,), ())


def test_a_plate_stands_where_its_box_says() -> None:
    layout = _alone(np.array([[0.3, 0.0, 100.0], [0.0, 0.3, 80.0], [0.0, 0.0, 1.0]]))
    plates = draw_plates(layout)
    target = labels(layout, plates)
    assert target["boxes"][0] == pytest.approx(
        [22.0, 80 - 0.15 * 520 / plates[0].aspect, 178.0, 80 + 0.15 * 520 / plates[0].aspect]
    )
    empty = SceneLayout(200, 4, "eu", (), (), ())
    changed = np.abs(render(layout, plates).astype(int) - render(empty, [])).max(axis=2)
    x1, y1, x2, y2 = target["boxes"][0].round().astype(int)
    assert (changed[y1 + 3 : y2 - 3, x1 + 3 : x2 - 3] > 12).mean() > 0.8


def test_plates_beyond_the_edge_are_cut_and_difficult() -> None:
    shifted = np.array([[0.3, 0.0, 10.0], [0.0, 0.3, 80.0], [0.0, 0.0, 1.0]])
    layout = _alone(shifted)
    target = labels(layout, draw_plates(layout))
    assert target["boxes"][0, 0] == 0
    assert not target["difficult"][0]  # a little more than half is seen
    shifted[0, 2] = -10.0
    layout = _alone(shifted)
    assert labels(layout, draw_plates(layout))["difficult"][0]


def test_no_plate_is_covered_by_another_vehicle() -> None:
    for number in range(40):
        layout = draw_layout(RandomStream(9, number), 300)
        plates = draw_plates(layout, 0.1)
        boxes = [plate_corners(*pair) for pair in zip(layout.plates, plates, strict=True)]
        for first, low in enumerate(boxes):
            for high in boxes[first + 1 :]:
                apart = (low.max(axis=0) < high.min(axis=0)) | (high.max(axis=0) < low.min(axis=0))
                assert apart.any()
