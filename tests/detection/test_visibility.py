import numpy as np
import pytest
import torch
from shapely.geometry import Polygon
from shapely.geometry import box as rectangle

from retable.boxes import format_of
from retable.detection.visibility import visible_fractions, visible_objects


def random_boxes(count=300):
    generator = np.random.default_rng(2)
    centres = generator.uniform(-30, 130, (count, 2))
    sizes = generator.uniform(1, 90, (count, 2))
    return np.column_stack([centres, sizes, generator.uniform(-np.pi / 2, np.pi / 2, count)])


def upright_boxes():
    boxes = random_boxes()
    return np.concatenate([boxes[:, :2] - boxes[:, 2:4] / 2, boxes[:, :2] + boxes[:, 2:4] / 2], axis=1)


@pytest.mark.parametrize("boxes", [random_boxes(), upright_boxes()], ids=["rotated", "axis-aligned"])
def test_fractions_are_those_of_shapely(boxes):
    image = rectangle(0, 0, 100, 80)
    corners = format_of(boxes).corners(torch.from_numpy(boxes)).numpy()
    expected = [Polygon(c).intersection(image).area / Polygon(c).area for c in corners]
    fractions = visible_fractions(boxes, 100, 80)
    np.testing.assert_allclose(fractions, expected, atol=1e-9)
    assert (fractions == 0).any()
    assert (fractions == 1).any()
    assert ((fractions > 0.1) & (fractions < 0.9)).any()


def test_rule_for_objects_at_the_border():
    # 20 pixels long, showing all, 75 %, 50 %, 10 %, 2.5 % and nothing
    boxes = np.array([[x, 50.0, 20.0, 6.0, 0.0] for x in (50, 95, 100, 108, 109.5, 130)])
    annotated = np.array([True, False, False, False, False, False])
    kept, difficult = visible_objects(boxes, annotated, 100, 100)
    assert kept.tolist() == [0, 1, 2, 3]
    assert difficult.tolist() == [True, False, True, True]
    upright = np.concatenate([boxes[:, :2] - boxes[:, 2:4] / 2, boxes[:, :2] + boxes[:, 2:4] / 2], axis=1)
    assert [part.tolist() for part in visible_objects(upright, annotated, 100, 100)] == [
        [0, 1, 2, 3],
        difficult.tolist(),
    ]


@pytest.mark.parametrize("shape", [(0, 5), (0, 4)])
def test_no_objects(shape):
    kept, difficult = visible_objects(np.zeros(shape), np.zeros(0, bool), 10, 10)
    assert kept.shape == difficult.shape == (0,)
