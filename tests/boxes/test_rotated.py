import math

import numpy as np
import pytest
import torch
from tests.boxes.reference import corners_of, points_in_boxes, random_boxes, same_points

from retable.boxes import (
    box_to_corners,
    box_to_distances,
    canonical,
    corners_to_box,
    distances_to_box,
    transform_boxes,
    upright_size,
)

PI = math.pi


def assert_same_rectangles(first, second, tolerance=1e-3):
    for one, other in zip(corners_of(first.reshape(-1, 5)), corners_of(second.reshape(-1, 5)), strict=True):
        assert same_points(one, other) < tolerance


def test_canonical_is_the_same_rectangle_in_range():
    boxes = torch.cat([random_boxes(500, 1000, 0), random_boxes(500, 1000, 1)[:, [0, 1, 3, 2, 4]]])
    result = canonical(boxes)
    assert (result[:, 2] >= result[:, 3]).all()
    assert (result[:, 4] >= -PI / 2).all()
    assert (result[:, 4] < PI / 2).all()
    assert_same_rectangles(boxes, result)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_canonical_twice_changes_no_bit(dtype):
    once = canonical(random_boxes(1000, 1000, 2).to(dtype))
    assert torch.equal(canonical(once), once)


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((0, 0, 8, 2, PI / 2), (0, 0, 8, 2, -PI / 2)),
        ((0, 0, 8, 2, -PI / 2), (0, 0, 8, 2, -PI / 2)),
        ((0, 0, 8, 2, 3 * PI / 2), (0, 0, 8, 2, -PI / 2)),
        ((0, 0, 2, 8, 0.0), (0, 0, 8, 2, -PI / 2)),
        ((0, 0, 2, 8, -0.5), (0, 0, 8, 2, PI / 2 - 0.5)),
        ((0, 0, 8, 2, PI), (0, 0, 8, 2, 0.0)),
        ((0, 0, 8, 2, 0.25 + 100 * PI), (0, 0, 8, 2, 0.25)),
        ((0, 0, 5, 5, 1.2), (0, 0, 5, 5, 1.2)),
    ],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_canonical_at_the_seams(box, expected, dtype):
    result = canonical(torch.tensor(box, dtype=dtype))
    torch.testing.assert_close(result, torch.tensor(expected, dtype=dtype), atol=2e-5, rtol=0)


def test_canonical_around_the_seam_stays_in_the_half_open_range():
    seam = torch.tensor(PI / 2)
    angles = [seam]
    for direction in (0.0, 10.0):
        angle = seam
        for _ in range(20):
            angle = torch.nextafter(angle, torch.tensor(direction))
            angles.append(angle)
    angles = torch.stack(angles)
    for theta in (angles, -angles, angles + PI, -angles - PI):
        for width, height in ((8.0, 2.0), (2.0, 8.0)):
            boxes = torch.stack(
                [torch.zeros_like(theta), torch.zeros_like(theta), 0 * theta + width, 0 * theta + height, theta], 1
            )
            result = canonical(boxes)[:, 4]
            assert (result >= -PI / 2).all()
            assert (result < PI / 2).all()


def test_corners_agree_with_an_independent_computation_and_go_clockwise():
    boxes = random_boxes(200, 4000, 3)
    corners = box_to_corners(boxes).numpy()
    np.testing.assert_allclose(corners, corners_of(boxes), atol=1e-3)
    x, y = corners[..., 0].astype(np.float64), corners[..., 1].astype(np.float64)
    shoelace = (x * np.roll(y, -1, 1) - np.roll(x, -1, 1) * y).sum(1) / 2
    # clockwise on a screen whose y points down is positive; the area is the box's own
    np.testing.assert_allclose(shoelace, boxes[:, 2:4].prod(1).numpy(), rtol=1e-3)


def test_corners_of_an_unturned_box_start_at_the_upper_left():
    corners = box_to_corners(torch.tensor([10.0, 20.0, 6.0, 4.0, 0.0]))
    assert corners.tolist() == [[7, 18], [13, 18], [13, 22], [7, 22]]


@pytest.mark.parametrize("roll", [0, 1, 2, 3])
@pytest.mark.parametrize("backwards", [False, True])
def test_corners_round_trip_from_any_corner_in_either_sense(roll, backwards):
    boxes = canonical(random_boxes(300, 4000, 4))
    corners = box_to_corners(boxes).roll(roll, dims=-2)
    if backwards:
        corners = corners.flip(-2)
    result = corners_to_box(corners)
    assert (result[:, 2] >= result[:, 3]).all()
    torch.testing.assert_close(result[:, :4], boxes[:, :4], atol=2e-3, rtol=0)
    turn = torch.remainder(result[:, 4] - boxes[:, 4] + PI / 2, PI) - PI / 2
    slender = boxes[:, 2] > 1.1 * boxes[:, 3]
    assert turn[slender].abs().max() < 1e-4


def test_corners_of_thin_boxes_far_away_keep_the_angle():
    # the short side is 3 px at 7000 px: its own direction is only good to 3e-4 rad in float32
    boxes = torch.tensor([[7000.3, 3400.7, 400.0, 3.0, 0.7], [6999.0, 20.0, 380.0, 2.0, -1.1]])
    result = corners_to_box(box_to_corners(boxes))
    assert (result[:, 4] - boxes[:, 4]).abs().max() < 3e-6


def test_quadrilateral_gives_the_minimum_area_rectangle_as_opencv_does():
    import cv2

    generator = torch.Generator().manual_seed(5)
    points = torch.rand(200, 4, 2, generator=generator) * 100
    result = corners_to_box(points)
    for quadrilateral, box in zip(points, result, strict=True):
        _, (width, height), _ = cv2.minAreaRect(quadrilateral.numpy())
        assert float(box[2:4].prod()) == pytest.approx(width * height, rel=1e-3, abs=0.05)
        grown = box + torch.tensor([0, 0, 1e-2, 1e-2, 0])
        assert points_in_boxes(quadrilateral, grown[None]).all()


def test_four_equal_points_give_a_box_of_no_size():
    assert corners_to_box(torch.full((4, 2), 7.0)).tolist() == [7.0, 7.0, 0.0, 0.0, 0.0]


def test_distances_of_a_known_box():
    # 30 degrees clockwise on the screen; the point is 2 right of and 1 below the centre in the box's frame
    theta = PI / 6
    box = torch.tensor([50.0, 40.0, 10.0, 6.0, theta])
    point = torch.tensor([50 + 2 * math.cos(theta) - math.sin(theta), 40 + 2 * math.sin(theta) + math.cos(theta)])
    torch.testing.assert_close(box_to_distances(box, point), torch.tensor([4.0, 3.0, 2.0, 7.0, theta]))


def test_distances_swap_sides_beyond_45_degrees():
    box = torch.tensor([0.0, 0.0, 10.0, 6.0, PI / 3])  # seen as 6 wide and 10 high, turned by -30 degrees
    result = box_to_distances(box, torch.zeros(2))
    torch.testing.assert_close(result, torch.tensor([5.0, 3.0, 5.0, 3.0, -PI / 6]))
    torch.testing.assert_close(upright_size(box), torch.tensor([6.0, 10.0]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("theta", "expected", "size"),
    [
        (PI / 4, PI / 4, (10, 6)),  # the upper end is inside
        (-PI / 4, PI / 4, (6, 10)),  # the lower end is not: it is the upper end with the sides swapped
        (3 * PI / 4, PI / 4, (6, 10)),
        (-PI / 2, 0.0, (6, 10)),
        (PI / 2, 0.0, (6, 10)),
        (0.0, 0.0, (10, 6)),
    ],
)
def test_distance_angle_at_the_seams(theta, expected, size, dtype):
    box = torch.tensor([0, 0, 10, 6, theta], dtype=dtype)
    result = box_to_distances(box, torch.zeros(2, dtype=dtype))
    assert float(result[4]) == pytest.approx(expected, abs=3e-7)
    assert upright_size(box).tolist() == list(size)
    assert -torch.tensor(PI / 4, dtype=dtype) < result[4] <= torch.tensor(PI / 4, dtype=dtype)


def test_distances_round_trip_and_range():
    boxes = canonical(random_boxes(500, 2000, 6))
    points = boxes[:, :2] + (torch.rand(500, 2, generator=torch.Generator().manual_seed(7)) - 0.5) * 100
    distances = box_to_distances(boxes, points)
    assert (distances[:, 4] > -PI / 4).all()
    assert (distances[:, 4] <= PI / 4).all()
    restored = distances_to_box(distances, points)
    assert (restored[:, 2] >= restored[:, 3]).all()
    assert_same_rectangles(boxes, restored)


def test_distances_are_all_positive_exactly_inside():
    boxes = random_boxes(100, 100, 8)
    points = torch.rand(100, 2, generator=torch.Generator().manual_seed(9)) * 100
    positive = (box_to_distances(boxes, points)[:, :4] > 0).all(dim=1)
    assert torch.equal(positive, points_in_boxes(points, boxes).diagonal())
    assert 0 < int(positive.sum()) < 100


def test_top_left_of_the_distance_form_is_the_corner_of_least_x_plus_y():
    # how the paper names D1; d1 and d4 are the distances to the two sides that meet there
    for box in canonical(random_boxes(50, 500, 10)):
        corners = torch.from_numpy(corners_of(box[None])[0])
        first = corners[corners.sum(dim=1).argmin()]
        distances = box_to_distances(box.double(), first)
        assert distances[[0, 3]].abs().max() < 1e-9


def test_distances_broadcast_points_over_boxes():
    boxes, points = random_boxes(3, 100, 11), torch.rand(7, 2) * 100
    result = box_to_distances(boxes, points[:, None])
    assert result.shape == (7, 3, 5)
    assert distances_to_box(result, points[:, None]).shape == (7, 3, 5)


@pytest.mark.parametrize("mirror", [False, True])
def test_transforms_move_the_corner_points(mirror):
    boxes = random_boxes(200, 800, 14)
    for angle, scale in ((0.0, 1.0), (0.3, 2.0), (2.5, 0.5), (-PI / 2, 1.3), (PI, 1.0)):
        cosine, sine = scale * math.cos(angle), scale * math.sin(angle)
        linear = torch.tensor([[cosine, -sine], [sine, cosine]], dtype=torch.float64)
        if mirror:
            linear = linear @ torch.tensor([[-1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
        matrix = torch.cat([linear, torch.tensor([[31.0], [-7.0]], dtype=torch.float64)], dim=1)
        result = transform_boxes(boxes, matrix.float())
        expected = corners_of(boxes) @ linear.numpy().T + np.array([31.0, -7.0])
        for one, other in zip(corners_of(result), expected, strict=True):
            assert same_points(one, other) < 5e-3
        assert torch.equal(canonical(result), result)


def test_horizontal_flip_of_a_known_box():
    flip = torch.tensor([[-1.0, 0.0, 100.0], [0.0, 1.0, 0.0]])
    result = transform_boxes(torch.tensor([30.0, 40.0, 20.0, 5.0, 0.3]), flip)
    torch.testing.assert_close(result, torch.tensor([70.0, 40.0, 20.0, 5.0, -0.3]))


@pytest.mark.parametrize(
    "matrix",
    [[[2.0, 0, 0], [0, 1, 0]], [[1.0, 0.5, 0], [0, 1, 0]], [[0.0, 0, 0], [0, 0, 0]], [[math.nan, 0, 0], [0, 1, 0]]],
)
def test_transforms_that_bend_rectangles_are_refused(matrix):
    with pytest.raises(ValueError, match="similarity"):
        transform_boxes(random_boxes(2, 10, 15), torch.tensor(matrix))


def test_wrong_shapes_are_named():
    with pytest.raises(ValueError, match=r"\(3, 4\)"):
        canonical(torch.zeros(3, 4))
    with pytest.raises(ValueError, match=r"\(2, 3, 2\)"):
        corners_to_box(torch.zeros(2, 3, 2))
    with pytest.raises(ValueError, match=r"\(3, 3\)"):
        transform_boxes(torch.zeros(1, 5), torch.eye(3))


def test_empty_sets_keep_their_shapes():
    none = torch.zeros(0, 5)
    assert canonical(none).shape == (0, 5)
    assert box_to_corners(none).shape == (0, 4, 2)
    assert corners_to_box(torch.zeros(0, 4, 2)).shape == (0, 5)
    assert box_to_distances(none, torch.zeros(0, 2)).shape == (0, 5)
    assert distances_to_box(none, torch.zeros(0, 2)).shape == (0, 5)
    assert transform_boxes(none, torch.eye(3)[:2]).shape == (0, 5)
    assert upright_size(none).shape == (0, 2)
