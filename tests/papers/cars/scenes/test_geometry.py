"""The model of a car: a closed surface, symmetric, seen in perspective."""

import math
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from retable.papers.cars.scenes.bodies import BODIES, draw_body
from retable.papers.cars.scenes.mesh import PARTS, SIDE, STRIP, TRIANGLES, VERTICES, WHEEL, build
from retable.papers.cars.scenes.raster import AIM, find_visible, project
from retable.papers.cars.scenes.render import record
from retable.papers.cars.scenes.views import Camera, Occlusion, draw_camera, draw_occlusion, view_name
from retable.synthetic.rng import RandomStream

Floats = NDArray[np.float64]


def _car(kind: str, seed: int = 1) -> tuple[Floats, Floats]:
    body, outline = draw_body(RandomStream(seed), kind)
    positions, normals, traits = (np.empty((VERTICES, 3)) for _ in range(3))
    build(record(body), np.array(outline), TRIANGLES, positions, normals, traits)
    return positions, normals


def _seen(positions: Floats, azimuth: float, size: int = 64) -> NDArray[np.int32]:
    projected = np.empty_like(positions)
    project(record(Camera(azimuth, 10.0, 1.5, 0.0)), positions, projected)
    projected[:, :2] = projected[:, :2] * size * 1.8 + size / 2
    seen, weights = np.empty((size, size), np.int32), np.empty((size, size, 2), np.float32)
    find_visible(TRIANGLES, projected, seen, weights)
    return seen


@pytest.mark.parametrize("kind", BODIES)
def test_every_body_is_a_car(kind: str) -> None:
    for seed in range(5):
        body, outline = draw_body(RandomStream(seed), kind)
        positions, normals = _car(kind, seed)
        assert np.isfinite(positions).all()
        assert 0 <= positions[:, 2].min() < 0.02  # it stands on its wheels
        assert body.height - 0.1 < positions[:, 2].max() < body.height + 0.1
        assert np.ptp(positions[:, 0]) == pytest.approx(body.length, abs=0.06)
        assert body.rear_axle < body.rear_pillar <= body.front_pillar < body.front_axle
        assert all(front[0] > rear[0] for front, rear in pairwise(outline[3:9]))
        used = np.unique(TRIANGLES[np.isin(PARTS, (STRIP, SIDE))])
        assert np.allclose(np.linalg.norm(normals[used], axis=1), 1)


@pytest.mark.parametrize("kind", BODIES)
def test_surfaces_face_outwards(kind: str) -> None:
    positions, _ = _car(kind)
    corners = positions[TRIANGLES]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    outwards = corners.mean(axis=1) - (0.0, 0.0, 0.6)
    sides, wheels = PARTS == SIDE, PARTS == WHEEL
    assert (normals[sides, 1] * outwards[sides, 1] > -1e-12).all()
    assert (normals[wheels, 1] * outwards[wheels, 1] > 0).all()
    swept = PARTS == STRIP
    assert ((normals[swept] * outwards[swept]).sum(axis=1) > 0).mean() > 0.95  # a saloon's boot is hollow behind


def test_a_car_is_symmetric() -> None:
    positions, _ = _car("saloon")
    for azimuth in (0.0, 0.4, 1.5, 2.5):
        left, right = _seen(positions, azimuth) >= 0, _seen(positions, -azimuth) >= 0
        assert left.mean() > 0.1
        assert (left != right[:, ::-1]).mean() < 0.01


def test_the_camera_looks_at_the_car_and_sees_near_things_large() -> None:
    camera = record(Camera(0.0, 10.0, 1.5, 0.0))
    points = np.array([(0.0, 0.0, AIM), (0.0, 1.0, AIM), (0.0, 0.0, AIM + 1), (5.0, 1.0, AIM)])
    projected = np.empty_like(points)
    project(camera, points, projected)
    distance = math.hypot(10.0, 1.5 - AIM)
    assert projected[0] == pytest.approx((0.0, 0.0, 1 / distance))
    assert projected[1] == pytest.approx((1 / distance, 0.0, 1 / distance))  # from before the nose, its left is right
    assert projected[2, 1] < 0  # up is up
    assert projected[3, 0] > 1.8 * projected[1, 0]
    project(record(Camera(math.pi, 10.0, 1.5, 0.0)), points, projected)
    assert projected[1, 0] == pytest.approx(-1 / distance)


def test_the_nearest_triangle_that_shows_its_face_is_seen() -> None:
    def triangle(depth: float) -> list[list[float]]:
        return [[1.0, 7.0, 1 / depth], [7.0, 7.0, 1 / depth], [1.0, 1.0, 1 / depth]]  # anticlockwise, y points down

    projected = np.array(triangle(5.0) + triangle(3.0) + triangle(1.0))
    triangles = np.array([[0, 1, 2], [3, 4, 5], [6, 8, 7]], np.int32)  # the third shows its back
    seen, weights = np.empty((8, 8), np.int32), np.empty((8, 8, 2), np.float32)
    find_visible(triangles, projected, seen, weights)
    assert seen[5, 2] == 1
    assert seen[1, 6] == -1
    assert set(np.unique(seen)) == {-1, 1}
    # weights give the pixel's middle back
    corners = projected[3:6, :2]
    second, third = weights[5, 2].astype(float)
    middle = (1 - second - third) * corners[0] + second * corners[1] + third * corners[2]
    assert middle == pytest.approx((2.5, 5.5), abs=1e-5)


def test_views_are_named_by_sectors_of_45_degrees() -> None:
    names = [view_name(math.radians(angle)) for angle in (0, 20, 45, 90, 135, 180, 225, 270, 315, 350)]
    assert names == [
        "front", "front", "front_left", "left", "rear_left", "rear", "rear_right", "right", "front_right", "front",
    ]  # fmt: skip


def test_cameras_and_occlusions_are_possible() -> None:
    rng = RandomStream(3)
    for _ in range(300):
        camera = draw_camera(rng)
        assert 0 <= camera.azimuth < math.tau
        assert 5 <= camera.distance <= 30
        occlusion = draw_occlusion(rng, 1.0)
        left, top, right, bottom = occlusion.window
        assert right - left > 0.5
        assert bottom - top > 0.5
        assert all(shape[2] > 0 and shape[3] > 0 for shape in occlusion.shapes)
        assert bool(occlusion.shapes) == (occlusion.kind != "border")
    assert draw_occlusion(rng, 0.0) == Occlusion("none")
