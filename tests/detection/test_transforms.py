import cv2
import numpy as np
import pytest
import torch

from retable.boxes import box_to_corners, rotated_iou
from retable.detection.schema import AugmentConfig
from retable.detection.transforms import (
    Warp,
    Window,
    apply_warp,
    draw_warp,
    letterbox,
    mean_colour,
    plain_warp,
    to_tensor,
)
from retable.errors import ConfigError


def corner_points(boxes):
    return box_to_corners(torch.from_numpy(boxes)).numpy()


BOX = np.array([[150.0, 110.0, 90.0, 24.0, 0.4]], np.float32)


def drawn(box, height=240, width=320):
    """An image with one filled rotated rectangle, smooth at its edge, and its target.

    Drawing at eight times the size places the edge exactly: pixel centres lie at +0.5.
    """
    canvas = np.zeros((height * 8, width * 8), np.uint8)
    cv2.fillPoly(canvas, [np.rint(corner_points(box)[0] * 8 - 0.5).astype(np.int32)], 255)
    plane = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)
    target = {"boxes": box, "labels": np.zeros(1, np.int64), "difficult": np.zeros(1, np.bool_)}
    return np.repeat(plane[..., None], 3, axis=2), target


def measured(image):
    """The rectangle in an image, from its outline at half brightness, at four times the size."""
    large = cv2.resize(image[..., 0], None, fx=4, fy=4, interpolation=cv2.INTER_LINEAR)
    points = np.argwhere(large > 127)[:, ::-1].astype(np.float32)
    (cx, cy), (w, h), degrees = cv2.minAreaRect(points)
    # from pixel centres of the enlarged image to coordinates, whose outermost pixels are half outside
    return np.array([[(cx + 0.5) / 4, (cy + 0.5) / 4, (w + 1) / 4, (h + 1) / 4, np.deg2rad(degrees)]], np.float32)


@pytest.mark.parametrize("seed", range(24))
def test_image_and_box_move_together(seed):
    image, target = drawn(BOX)
    augmentation = AugmentConfig(scale=(0.6, 1.6))
    warp = draw_warp(augmentation, Window(0, 0, 320, 240), 320, np.random.default_rng(seed))
    output, warped = apply_warp(image, target, warp, 320)
    assert output.shape == (320, 320, 3)
    corners = corner_points(warped["boxes"])
    if not len(corners) or corners.min() < 2 or corners.max() > 318:
        pytest.skip("this draw cuts the rectangle: nothing to measure")
    box = torch.from_numpy(warped["boxes"])
    found = torch.from_numpy(measured(output))
    assert float(rotated_iou(box, found)) > 0.95
    assert (box[0, :2] - found[0, :2]).abs().max() < 0.3
    assert (box[0, 2:4] - torch.sort(found[0, 2:4], descending=True).values).abs().max() < 0.8


def test_draws_cover_flips_angles_and_scales():
    augmentation = AugmentConfig(scale=(0.5, 2.0))
    matrices = [
        draw_warp(augmentation, Window(0, 0, 100, 100), 100, np.random.default_rng(seed)).matrix[:, :2]
        for seed in range(400)
    ]
    determinants = np.array([np.linalg.det(matrix) for matrix in matrices])
    assert 0.4 < (determinants < 0).mean() < 0.6
    scales = np.sqrt(np.abs(determinants))
    assert scales.min() >= 0.5
    assert scales.max() <= 2.0
    assert np.median(scales) == pytest.approx(1, abs=0.1)
    angles = np.array([np.arctan2(matrix[1, 0], matrix[0, 0]) for matrix in matrices])
    assert np.histogram(angles, bins=8, range=(-np.pi, np.pi))[0].min() > 20


def test_identity_and_plain_warp_keep_every_pixel():
    image = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    target = {"boxes": BOX * 0.2, "labels": np.zeros(1, np.int64), "difficult": np.zeros(1, np.bool_)}
    still = AugmentConfig(horizontal_flip=0, vertical_flip=0, rotation_degrees=0, scale=(1, 1))
    window = Window(10, 5, 32, 32)
    for warp in (plain_warp(window), draw_warp(still, window, 32, np.random.default_rng(0))):
        output, warped = apply_warp(image, target, warp, 32)
        assert (output == image[5:37, 10:42]).all()
        np.testing.assert_allclose(warped["boxes"][0, :2], BOX[0, :2] * 0.2 - [10, 5], atol=1e-5)


def test_mirrored_exactly():
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    target = {
        "boxes": np.array([[8, 20, 10, 4, 0.3]], np.float32),
        "labels": np.zeros(1),
        "difficult": np.zeros(1, bool),
    }
    mirror = AugmentConfig(horizontal_flip=1, vertical_flip=0, rotation_degrees=0, scale=(1, 1))
    warp = draw_warp(mirror, Window(0, 0, 32, 32), 32, np.random.default_rng(1))
    output, warped = apply_warp(image, target, warp, 32)
    assert (output == image[:, ::-1]).all()
    np.testing.assert_allclose(warped["boxes"], [[24, 20, 10, 4, -0.3]], atol=1e-5)


def test_outside_is_mean_colour_without_mirrored_ships():
    image, target = drawn(BOX)
    half = AugmentConfig(horizontal_flip=0, vertical_flip=0, rotation_degrees=0, scale=(0.5, 0.5))
    warp = draw_warp(half, Window(0, 0, 320, 240), 640, np.random.default_rng(0))
    output, _ = apply_warp(image, target, warp, 640)
    components = cv2.connectedComponentsWithStats((output[..., 0] > 127).astype(np.uint8))[2]
    assert len(components) == 2  # background and the one ship
    assert tuple(output[0, 0]) == mean_colour(image)


def test_cut_objects_become_difficult_and_hidden_ones_go():
    image = np.zeros((100, 100, 3), np.uint8)
    boxes = np.array([[50, 50, 20, 6, 0], [40, 50, 20, 6, 0], [5, 5, 6, 4, 0]], np.float32)
    target = {"boxes": boxes, "labels": np.array([0, 1, 2]), "difficult": np.zeros(3, bool)}
    _, warped = apply_warp(image, target, plain_warp(Window(38, 30, 40, 40)), 40)
    assert warped["labels"].tolist() == [0, 1]
    assert warped["difficult"].tolist() == [False, True]
    assert warped["boxes"][1, 2] == 20  # whole, with its overhang
    assert target["boxes"] is boxes
    assert (boxes[0] == [50, 50, 20, 6, 0]).all()


@pytest.mark.parametrize("degrees", [0, 90])
def test_axis_aligned_boxes_are_warped_to_the_box_around_their_corners(degrees):
    image = np.zeros((60, 80, 3), np.uint8)
    image[10:20, 30:60] = 255
    target = {"boxes": np.array([[30, 10, 60, 20]], np.float32), "labels": np.zeros(1, np.int64)}
    turn = np.deg2rad(degrees)
    linear = 1.5 * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    warp = Warp(np.column_stack([linear, [60, 60] - linear @ [40, 30]]), 0.0, 1.0)
    output, warped = apply_warp(image, {**target, "difficult": np.zeros(1, bool)}, warp, 120)
    rows, columns = np.nonzero(output[..., 0] > 127)
    np.testing.assert_allclose(
        warped["boxes"], [[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]], atol=0.51
    )
    assert warped["boxes"].dtype == np.float32
    # of a window that shows a quarter of it the box stays whole, as a difficult one
    _, cut = apply_warp(image, {**target, "difficult": np.zeros(1, bool)}, plain_warp(Window(0, 0, 37, 40)), 37)
    assert cut["boxes"].tolist() == [[30, 10, 60, 20]]
    assert cut["difficult"].tolist() == [True]


def test_tone():
    image = np.full((16, 16, 3), 100, np.uint8)
    image[::16] = 140
    target = {"boxes": np.zeros((0, 5), np.float32), "labels": np.zeros(0, np.int64), "difficult": np.zeros(0, bool)}
    warp = plain_warp(Window(0, 0, 16, 16))
    brighter, _ = apply_warp(image, target, warp._replace(brightness=10.0), 16)
    assert (brighter == image + 10).all()
    mean = mean_colour(image)[0]
    stronger, _ = apply_warp(image, target, warp._replace(contrast=1.5), 16)
    assert int(stronger[1, 0, 0]) == round((100 - mean) * 1.5 + mean)
    tones = [
        draw_warp(AugmentConfig(brightness=0.1, contrast=0.2), Window(0, 0, 9, 9), 9, np.random.default_rng(seed))
        for seed in range(50)
    ]
    assert max(abs(tone.brightness) for tone in tones) <= 25.5
    assert all(0.8 <= tone.contrast <= 1.2 for tone in tones)
    assert len({tone.contrast for tone in tones}) == 50


@pytest.mark.parametrize(
    "options",
    [{"horizontal_flip": 1.5}, {"rotation_degrees": 200}, {"scale": (1.2, 0.8)}, {"scale": (0, 1)}, {"contrast": -1}],
)
def test_impossible_settings_are_named(options):
    with pytest.raises(ConfigError, match=next(iter(options))):
        AugmentConfig(**options)


def test_to_tensor_and_letterbox():
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    tensor = to_tensor(image)
    assert tensor.dtype == torch.float32
    assert tensor.is_contiguous()
    np.testing.assert_allclose(tensor.numpy(), image.transpose(2, 0, 1) / 255, atol=1e-6)
    padded = letterbox(tensor, 8, 8)
    assert padded.shape == (3, 8, 8)
    assert (padded[:, :5, :7] == tensor).all()
    assert letterbox(tensor, 5, 7) is tensor
    with pytest.raises(ValueError, match="does not fit"):
        letterbox(tensor, 4, 8)


def test_corners_move_with_their_box_and_stay_clockwise_from_the_upper_left():
    corners = np.array([[[10.0, 10], [30, 12], [30, 20], [10, 18]]], np.float32)
    target = {
        "boxes": np.array([[10.0, 10, 30, 20]], np.float32), "labels": np.zeros(1, np.int64),
        "difficult": np.zeros(1, np.bool_), "corners": corners,
    }  # fmt: skip
    image = np.zeros((40, 40, 3), np.uint8)
    _, moved = apply_warp(image, target, Warp(np.array([[2.0, 0, -5], [0, 2, 3]]), 0.0, 1.0), 80)
    assert moved["corners"].tolist() == (2 * corners + [-5, 3]).tolist()
    _, mirrored = apply_warp(image, target, Warp(np.array([[-1.0, 0, 40], [0, 1, 0]]), 0.0, 1.0), 40)
    assert mirrored["corners"].tolist() == [[[10, 12], [30, 10], [30, 18], [10, 20]]]
    _, gone = apply_warp(image, target, Warp(np.array([[1.0, 0, 100], [0, 1, 0]]), 0.0, 1.0), 40)
    assert gone["corners"].shape == (0, 4, 2)
