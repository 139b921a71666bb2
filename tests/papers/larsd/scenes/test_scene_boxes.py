import math

import cv2
import numpy as np
import pytest
from shapely.geometry import Polygon

from retable.detection.visibility import visible_fractions
from retable.papers.larsd.scenes import ShipScenes
from retable.papers.larsd.scenes.geometry import rectangle, rectangles_touch, wrap_half_turn
from retable.papers.larsd.scenes.scene import labels
from retable.papers.larsd.scenes.sprites import Stamp, coverage, set_stamp
from retable.papers.larsd.scenes.vessels import KINDS, Kind, draw_hull, hull_outline
from retable.synthetic.rng import RandomStream


def _extents(weight: np.ndarray, cx: float, cy: float, angle: float) -> tuple[float, float, float, float]:
    """Where half-covered pixels end along and across the angle: least and greatest of each, relative to the centre."""
    rows, columns = np.nonzero(weight >= 0.5)
    x, y = columns + 0.5 - cx, rows + 0.5 - cy
    along, across = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
    # half a pixel, seen along the direction, reaches beyond the centres
    reach = 0.5
    return along.min() - reach, along.max() + reach, across.min() - reach, across.max() + reach


def test_hull_masks_fill_their_boxes() -> None:
    dataset = ShipScenes("test", 200, 512, seed=5)
    checked = 0
    for index in range(80):
        layout = dataset.layout(index)
        for vessel, (cx, cy, length, width, theta) in zip(
            layout.vessels, labels(layout)["boxes"].tolist(), strict=True
        ):
            if vessel.length < 20 or visible_fractions(np.array([vessel.rectangle]), 512, 512)[0] < 1:
                continue
            canvas = np.zeros((512, 512, 3), np.uint8)
            stamp = Stamp(*vessel.rectangle, hull_outline(vessel.hull), 0.0)
            set_stamp(canvas, stamp, np.full((20, 100, 3), 255, np.uint8))
            weight = canvas[..., 0] / 255.0
            low, high, left, right = _extents(weight, cx, cy, theta)
            # the tips of sharp bows are thinner than a pixel: they may fade before their end
            slack = 1.0 + (3.0 if vessel.kind in ("warship", "yacht", "fishing", "submarine") else 1.5)
            assert -length / 2 - 1.0 <= low <= -length / 2 + slack
            assert length / 2 - slack <= high <= length / 2 + 1.0
            assert left == pytest.approx(-width / 2, abs=1.0)
            assert right == pytest.approx(width / 2, abs=1.0)
            # the edge lies within a tenth of a pixel of the outline on average
            hull = Polygon(stamp.polygon())
            assert weight.sum() == pytest.approx(hull.area, abs=0.1 * hull.length)
            checked += 1
    assert checked > 60


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_hull_outlines_touch_their_rectangle_on_all_sides(kind: Kind) -> None:
    for seed in range(20):
        outline = hull_outline(draw_hull(RandomStream(seed), kind))
        assert outline.min(0) == pytest.approx([-0.5, -0.5], abs=1e-12)
        assert outline.max(0) == pytest.approx([0.5, 0.5], abs=1e-12)
        # among all directions, the smallest enclosing rectangle of a slender hull is the ship's own
        (_, size, degrees) = cv2.minAreaRect((outline * (600, 100)).astype(np.float32))
        assert sorted(size) == pytest.approx([100, 600], abs=0.5)
        assert degrees % 90 == pytest.approx(0, abs=0.2) or degrees % 90 == pytest.approx(90, abs=0.2)


@pytest.mark.parametrize(("length", "width", "angle"), [(20, 5, 0.3), (61, 13, -1.2), (240, 40, 2.6), (30, 10, 0.0)])
def test_coverage_is_unbiased(length: float, width: float, angle: float) -> None:
    square = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])
    weight = coverage(Stamp(151.3, 149.8, length, width, angle, square, 0.0), 0, 0, 300, 300) / 255.0
    assert weight.sum() == pytest.approx(length * width, rel=0.01)
    rows, columns = np.mgrid[0:300, 0:300] + 0.5
    assert (weight * columns).sum() / weight.sum() == pytest.approx(151.3, abs=0.05)
    assert (weight * rows).sum() / weight.sum() == pytest.approx(149.8, abs=0.05)


def test_texture_is_placed_bow_first_and_unmirrored() -> None:
    texture = np.zeros((40, 160, 3), np.uint8)
    texture[:, 120:, 0] = 255  # the bow quarter is red
    texture[:20, :, 1] = 255  # the half at smaller y is green
    square = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])
    image = np.zeros((200, 200, 3), np.uint8)
    # heading down the screen (+90 degrees clockwise): bow at larger y, the green side at larger x
    set_stamp(image, Stamp(100.0, 100.0, 120.0, 30.0, math.pi / 2, square, 0.0), texture)
    assert image[150, 92].tolist() == [255, 0, 0]
    assert image[150, 108].tolist() == [255, 255, 0]
    assert image[60, 108].tolist() == [0, 255, 0]
    # colour changes exactly where a quarter of the length remains: y = 100 + 30
    column = image[:, 92, 0].astype(float)
    assert 200 - (column / 255.0).sum() - (200 - 160) == pytest.approx(130.0, abs=0.3)


def test_rectangles_touch_agrees_with_shapely() -> None:
    generator = np.random.default_rng(3)
    disagreements = 0
    for _ in range(400):
        first, second = (
            (
                *generator.uniform(0, 60, 2),
                generator.uniform(10, 60),
                generator.uniform(3, 20),
                generator.uniform(-4, 4),
            )
            for _ in range(2)
        )
        expected = Polygon(rectangle(*first)).intersects(Polygon(rectangle(*second)))
        disagreements += rectangles_touch(first, second) != expected
    assert disagreements == 0


@pytest.mark.parametrize("angle", [0.0, 1.0, math.pi / 2, math.pi, -math.pi / 2, 3 * math.pi / 2, 5.0, -9.0])
def test_wrapped_angles_stay_canonical_in_float32(angle: float) -> None:
    wrapped = np.float32(wrap_half_turn(angle))
    assert np.float32(-math.pi / 2) <= wrapped < np.float32(math.pi / 2)
    assert math.sin(2 * (float(wrapped) - angle)) == pytest.approx(0.0, abs=1e-5)


def test_labelled_ships_can_be_seen() -> None:
    dataset = ShipScenes("test", 60, 512, seed=9)
    contrasts = []
    for index in range(30):
        image, target = dataset.load(index)
        colours = image.astype(np.float32)
        for cx, cy, length, width, angle in target["boxes"].tolist():
            hull, grown, core = (np.zeros((512, 512), np.uint8) for _ in range(3))
            for mask, size in (
                (core, (0.9 * length, 0.7 * width)),
                (hull, (length + 1, width + 1)),
                (grown, (length + 6, width + 6)),
            ):
                corners = np.rint(rectangle(cx, cy, *size, angle) - 0.5).astype(np.int32)
                cv2.fillConvexPoly(mask, corners, (255,))
            around = np.median(colours[(grown > 0) & (hull == 0)], 0)
            contrasts.append(np.abs(colours[core > 0] - around).max(1).mean())
    assert min(contrasts) > 7.0
    # and not all of them easily
    assert np.percentile(contrasts, 10) < 40.0
