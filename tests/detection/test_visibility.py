import numpy as np
import pytest
from shapely.geometry import Polygon
from shapely.geometry import box as rectangle

from retable.detection.visibility import corner_points, visible_fractions, visible_objects


def random_boxes(count=300):
    generator = np.random.default_rng(2)
    centres = generator.uniform(-30, 130, (count, 2))
    sizes = generator.uniform(1, 90, (count, 2))
    return np.column_stack([centres, sizes, generator.uniform(-np.pi / 2, np.pi / 2, count)])


def test_fractions_are_those_of_shapely():
    boxes = random_boxes()
    image = rectangle(0, 0, 100, 80)
    expected = [Polygon(c).intersection(image).area / Polygon(c).area for c in corner_points(boxes)]
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
    kept, difficult = visible_objects(boxes, annotated, 100, 100, keep_visible=0.4, drop_visible=0.2)
    assert kept.tolist() == [0, 1, 2]
    assert difficult.tolist() == [True, False, False]


@pytest.mark.parametrize("shape", [(0, 5)])
def test_no_objects(shape):
    kept, difficult = visible_objects(np.zeros(shape), np.zeros(0, bool), 10, 10)
    assert kept.shape == difficult.shape == (0,)
