import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from retable.nn.losses import (
    MINIMUM_DISTANCE,
    east_angle_loss,
    focal_loss,
    unitbox_iou_loss_from_logs,
)


def unitbox_iou_loss(distances: Tensor, target_distances: Tensor) -> Tensor:
    exact = distances if distances.dtype == torch.float64 else distances.float()
    return unitbox_iou_loss_from_logs(exact.clamp(min=MINIMUM_DISTANCE).log(), target_distances)


def each(loss: Callable[..., Tensor], *arguments: Tensor, **options: float) -> Tensor:
    """The loss of each sample by itself."""
    return torch.stack([loss(*parts, **options) for parts in zip(*arguments, strict=True)])


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_focal_loss_follows_its_definition():
    logits, targets = random(200), random(200, seed=1) > 0.5
    probability = torch.sigmoid(logits)
    true_probability = torch.where(targets, probability, 1 - probability)
    alpha = torch.where(targets, 0.3, 0.7).double()
    expected = -(alpha * (1 - true_probability) ** 1.5 * true_probability.log())
    torch.testing.assert_close(each(focal_loss, logits, targets, alpha=0.3, gamma=1.5), expected)
    torch.testing.assert_close(focal_loss(logits, targets.double(), 0.3, 1.5), expected.sum())


def test_focal_loss_without_focus_is_half_the_cross_entropy():
    logits, targets = random(50), (random(50, seed=1) > 0).double()
    expected = torch.nn.functional.binary_cross_entropy_with_logits(logits, targets, reduction="sum") / 2
    torch.testing.assert_close(focal_loss(logits, targets, alpha=0.5, gamma=0.0), expected)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0, 5.0])
def test_focal_loss_gradient(gamma: float):
    targets = torch.tensor([True, False, True, False])
    logits = torch.tensor([0.3, -1.2, -4.0, 6.0], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: focal_loss(x, targets, 0.25, gamma), logits)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_focal_loss_is_finite_at_extreme_logits(gamma: float, dtype: torch.dtype):
    logits = torch.tensor([-1e4, 1e4, -1e4, 1e4, 0.0], dtype=dtype, requires_grad=True)
    targets = torch.tensor([True, True, False, False, True])
    loss = focal_loss(logits, targets, gamma=gamma)
    loss.backward()
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss.item(), 0.25e4 + 0.75e4 + 0.25 * 0.5**gamma * math.log(2), rtol=3e-3, atol=0)
    assert torch.isfinite(logits.grad).all()
    # A sure mistake keeps its full gradient; a sure success has none.
    torch.testing.assert_close(logits.grad[:4].float(), torch.tensor([-0.25, 0.0, 0.0, 0.75]))


def test_focal_loss_leaves_ignored_samples_out():
    logits, targets = random(6), torch.tensor([True, False] * 3)
    valid = torch.tensor([True, True, False, True, False, True])
    logits.requires_grad_()
    loss = focal_loss(logits, targets, valid=valid)
    torch.testing.assert_close(loss, focal_loss(logits[valid], targets[valid]))
    loss.backward()
    assert (logits.grad[~valid] == 0).all()
    assert (logits.grad[valid] != 0).all()


def test_unitbox_loss_of_hand_computed_boxes():
    # 4 x 2 box from the point (1, 1) of it; the other is 2 x 2 in its left half: IoU 1/2.
    wide, narrow = torch.tensor([[1.0, 3.0, 1.0, 1.0]]), torch.tensor([[1.0, 1.0, 1.0, 1.0]])
    torch.testing.assert_close(unitbox_iou_loss(narrow, wide), torch.tensor(math.log(2)))
    torch.testing.assert_close(unitbox_iou_loss(wide, narrow), torch.tensor(math.log(2)))
    # Crossing: 4 x 2 and 2 x 4 around one point: intersection 4, union 12.
    torch.testing.assert_close(
        unitbox_iou_loss(torch.tensor([1.0, 2, 1, 2]), torch.tensor([2.0, 1, 2, 1])), torch.tensor(math.log(3))
    )
    assert unitbox_iou_loss(wide, wide).item() == 0.0


def test_unitbox_loss_equals_the_plain_formula_and_its_gradient_is_right():
    predicted, target = random(40, 4).exp() * 20, random(40, 4, seed=1).exp() * 20
    top, right, bottom, left = torch.minimum(predicted, target).unbind(-1)
    intersection = (top + bottom) * (left + right)
    areas = [(d[:, 0] + d[:, 2]) * (d[:, 1] + d[:, 3]) for d in (predicted, target)]
    expected = -(intersection / (areas[0] + areas[1] - intersection)).log()
    torch.testing.assert_close(each(unitbox_iou_loss, predicted, target), expected)
    torch.testing.assert_close(unitbox_iou_loss_from_logs(predicted.log(), target), expected.sum())
    predicted.requires_grad_()
    assert torch.autograd.gradcheck(lambda d: unitbox_iou_loss(d, target), predicted)
    logs = predicted.detach().log().requires_grad_()
    assert torch.autograd.gradcheck(lambda d: unitbox_iou_loss_from_logs(d, target), logs)


@pytest.mark.parametrize("log_distance", [-70.0, 70.0, 500.0])
def test_unitbox_loss_far_off_is_finite_with_a_gradient_that_leads_back(log_distance: float):
    logs = torch.full((1, 4), log_distance, requires_grad=True)
    loss = unitbox_iou_loss_from_logs(logs, torch.tensor([[5.0, 20.0, 5.0, 20.0]]))
    loss.backward()
    assert torch.isfinite(loss)
    assert (logs.grad * math.copysign(1, log_distance) > 0.4).all()


def test_unitbox_loss_of_a_point_on_the_edge():
    target = torch.tensor([[0.0, 10.0, 8.0, 10.0]])
    predicted = target.clone().requires_grad_()
    loss = unitbox_iou_loss(predicted, target)
    loss.backward()
    assert loss.item() == pytest.approx(0.0, abs=1e-6)
    assert torch.isfinite(predicted.grad).all()
    assert predicted.grad[0, 0] == 0  # below MINIMUM_DISTANCE
    assert MINIMUM_DISTANCE < 0.01


def test_angle_loss_values_and_gradient():
    quarter = torch.tensor([math.pi / 4, 0.0, math.pi / 2], dtype=torch.float64)
    loss = each(east_angle_loss, quarter, torch.zeros_like(quarter))
    expected = torch.tensor([1 - math.sqrt(0.5), 0.0, 1.0], dtype=torch.float64)
    torch.testing.assert_close(loss, expected)
    angles = random(20).requires_grad_()
    targets = random(20, seed=1)
    torch.testing.assert_close(east_angle_loss(angles, targets), (1 - torch.cos(angles - targets)).sum())
    assert torch.autograd.gradcheck(lambda a: east_angle_loss(a, targets), angles)


def test_angle_loss_keeps_small_differences_in_float32():
    # 1 - cos(1e-4) is 5e-9, which float32 rounds to 0 (or to 6e-8) in the plain formula.
    loss = east_angle_loss(torch.tensor([1e-4]), torch.tensor([0.0]))
    assert loss.item() == pytest.approx(5e-9, rel=1e-5)


def test_half_precision_is_computed_in_float32_under_autocast():
    with torch.autocast("cpu", dtype=torch.bfloat16):
        distances = torch.tensor([[3.0, 7.0, 3.0, 9.0]], dtype=torch.bfloat16)
        exact = torch.tensor([[3.0, 7.0, 3.0, 9.5]])
        loss = unitbox_iou_loss(distances, exact)
        assert loss.dtype == torch.float32
        assert loss.item() == pytest.approx(math.log(16.5 / 16), rel=1e-5)
        assert east_angle_loss(distances, exact.bfloat16()).dtype == torch.float32


def test_mismatched_shapes_are_named():
    with pytest.raises(ValueError, match=r"\(3,\).*\(2,\)"):
        focal_loss(torch.zeros(3), torch.zeros(2))
    with pytest.raises(ValueError, match=r"same shape \(..., 4\)"):
        unitbox_iou_loss(torch.ones(2, 5), torch.ones(2, 5))
    with pytest.raises(ValueError, match="same shape"):
        east_angle_loss(torch.zeros(3), torch.zeros(3, 1))
