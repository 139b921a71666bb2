"""Rotated and axis-aligned boxes side by side: what one format says of a box, the other says of the same rectangle."""

import math

import pytest
import torch
from torchvision.ops import box_iou, nms

from retable.boxes import AXIS_ALIGNED, ROTATED, format_of, rotated_nms


def axis_aligned(count: int, seed: int = 0, extent: float = 100.0) -> torch.Tensor:
    r = torch.rand(count, 4, generator=torch.Generator().manual_seed(seed))
    corner = (r[:, :2] - 0.1) * extent
    return torch.cat([corner, corner + 1 + r[:, 2:] * extent / 4], dim=1)


def as_rotated(boxes: torch.Tensor) -> torch.Tensor:
    centre, size = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    return torch.cat([centre, size, torch.zeros(len(boxes), 1)], dim=1)


def test_tensors_tell_their_format() -> None:
    assert format_of(torch.zeros(0, 5)) is format_of(torch.zeros(5).numpy()) is ROTATED
    assert format_of(torch.zeros(2, 3, 4)) is AXIS_ALIGNED
    for wrong in (torch.zeros(4, 3), torch.tensor(1.0)):
        with pytest.raises(ValueError, match=r"must have shape \(\.\.\., 5\) or \(\.\.\., 4\)"):
            format_of(wrong)


@pytest.mark.parametrize("method", ["centres", "sizes", "areas", "corners", "bounds"])
def test_both_formats_say_the_same_of_upright_rectangles(method: str) -> None:
    boxes = axis_aligned(50)
    first, second = getattr(AXIS_ALIGNED, method)(boxes), getattr(ROTATED, method)(as_rotated(boxes))
    torch.testing.assert_close(first, second, atol=1e-4, rtol=1e-5)
    assert getattr(AXIS_ALIGNED, method)(boxes[:0]).shape == first[:0].shape


def test_bounds_of_turned_boxes_are_those_of_their_corners() -> None:
    boxes = torch.cat([as_rotated(axis_aligned(50))[:, :4], torch.linspace(-1.5, 1.5, 50)[:, None]], dim=1)
    corners = ROTATED.corners(boxes)
    torch.testing.assert_close(ROTATED.bounds(boxes), torch.cat([corners.amin(1), corners.amax(1)], dim=1))


def test_shifts_and_scales() -> None:
    boxes = axis_aligned(20)
    assert torch.equal(AXIS_ALIGNED.shifted(boxes, 3, -2), boxes + torch.tensor([3, -2, 3, -2]))
    assert torch.equal(ROTATED.shifted(as_rotated(boxes), 3, -2)[:, 2:], as_rotated(boxes)[:, 2:])
    torch.testing.assert_close(AXIS_ALIGNED.scaled(boxes, 2, 3), boxes * torch.tensor([2, 3, 2, 3]))
    scaled = ROTATED.scaled(as_rotated(boxes), 0.5, 0.5)
    torch.testing.assert_close(scaled, as_rotated(AXIS_ALIGNED.scaled(boxes, 0.5, 0.5)))


@pytest.mark.parametrize(("degrees", "mirror"), [(0, False), (90, False), (0, True), (33, False)])
def test_warped_boxes_hold_the_warped_corners(degrees: float, mirror: bool) -> None:
    turn = math.radians(degrees)
    linear = 1.5 * torch.tensor([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    linear = linear @ torch.diag(torch.tensor([-1.0 if mirror else 1.0, 1.0]))
    matrix = torch.cat([linear, torch.tensor([[7.0], [-4.0]])], dim=1)
    boxes = axis_aligned(20)
    warped = AXIS_ALIGNED.transformed(boxes, matrix)
    turned = ROTATED.transformed(as_rotated(boxes), matrix)
    torch.testing.assert_close(warped, ROTATED.bounds(turned), atol=1e-3, rtol=1e-5)
    grows = AXIS_ALIGNED.areas(warped) / (2.25 * AXIS_ALIGNED.areas(boxes))
    assert (grows > 1.2).all() if degrees == 33 else torch.allclose(grows, torch.ones(20), rtol=1e-3)


def test_iou_is_that_of_torchvision_and_of_unturned_rotated_boxes() -> None:
    one, other = axis_aligned(40, 1), axis_aligned(30, 2)
    iou = AXIS_ALIGNED.iou(one, other)
    assert (iou > 0.2).any()
    torch.testing.assert_close(iou, box_iou(one, other))
    torch.testing.assert_close(iou, ROTATED.iou(as_rotated(one), as_rotated(other)), atol=1e-5, rtol=1e-4)


def test_suppression_is_that_of_torchvision_class_by_class() -> None:
    boxes, scores = axis_aligned(200, 3), torch.rand(200, generator=torch.Generator().manual_seed(4))
    labels = torch.arange(200) % 3
    kept = AXIS_ALIGNED.nms(boxes, scores, 0.2, labels)
    expected = torch.cat(
        [(labels == c).nonzero()[:, 0][nms(boxes[labels == c], scores[labels == c], 0.2)] for c in range(3)]
    )
    assert sorted(kept.tolist()) == sorted(expected.tolist())
    assert 3 < len(kept) < 200
    assert (scores[kept].diff() <= 0).all()
    assert torch.equal(kept, rotated_nms(as_rotated(boxes), scores, 0.2, labels))
    assert AXIS_ALIGNED.nms(boxes[:0], scores[:0], 0.2, labels[:0]).shape == (0,)
    # class 0 at the far end of the image, class 1 beyond its near border: they overlap nowhere
    far = torch.tensor([[90.0, 90.0, 100.0, 100.0], [-11.0, -11.0, -1.0, -1.0]])
    assert len(AXIS_ALIGNED.nms(far, torch.tensor([0.9, 0.8]), 0.2, torch.tensor([0, 1]))) == 2
