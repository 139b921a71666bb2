"""Losses and penalties against their definitions."""

import pytest
import torch
from torch import nn

from retable.papers.cars.networks.initialisation import orthogonal
from retable.papers.cars.training.augmentation import draw_augmentation
from retable.papers.cars.training.losses import BinaryCrossEntropy, Hinge, gradient_penalty, orthogonal_penalty
from retable.papers.cars.training.step_random import StepRandom

REAL, FAKE = torch.tensor([2.0, -0.5, 0.3]), torch.tensor([-3.0, 0.5, 0.0])
CPU = torch.device("cpu")


def test_cross_entropy_is_that_of_the_tutorial() -> None:
    loss, reference = BinaryCrossEntropy(), nn.BCELoss()
    ones, zeros = torch.ones(3), torch.zeros(3)
    expected = reference(REAL.sigmoid(), ones) + reference(FAKE.sigmoid(), zeros)
    torch.testing.assert_close(loss.discriminator(REAL, FAKE), expected)
    torch.testing.assert_close(loss.generator(FAKE), reference(FAKE.sigmoid(), ones))  # not saturating
    torch.testing.assert_close(loss.encoder(REAL), reference(REAL.sigmoid(), zeros))


def test_hinge() -> None:
    loss = Hinge()
    assert loss.discriminator(REAL, FAKE).item() == pytest.approx((0 + 1.5 + 0.7) / 3 + (0 + 1.5 + 1) / 3)
    assert loss.generator(FAKE).item() == pytest.approx(2.5 / 3)
    assert loss.encoder(REAL).item() == pytest.approx(1.8 / 3)


def test_losses_are_finite_for_large_logits() -> None:
    huge = torch.tensor([1e4, -1e4])
    assert BinaryCrossEntropy().discriminator(huge, huge).isfinite()


def _layers() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 5, 3), nn.ConvTranspose2d(5, 4, 4), nn.BatchNorm2d(4), nn.Linear(2, 7))


def test_orthogonal_weights_are_not_penalised() -> None:
    network = _layers()
    assert orthogonal_penalty(network).item() > 0.1
    orthogonal(network)
    assert orthogonal_penalty(network).item() < 1e-9


def test_orthogonal_penalty_is_the_sum_over_the_smaller_products() -> None:
    network = _layers()
    with_diagonal = without = 0.0
    for layer in (network[0], network[1], network[3]):
        matrix = layer.weight.detach().flatten(1)
        matrix = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
        products = matrix @ matrix.T
        with_diagonal += float((products - torch.eye(len(matrix))).square().sum())
        without += float((products * (1 - torch.eye(len(matrix)))).square().sum())
    assert orthogonal_penalty(network).item() == pytest.approx(with_diagonal, rel=1e-5)
    assert orthogonal_penalty(network, diagonal=False).item() == pytest.approx(without, rel=1e-5)


def test_orthogonal_penalty_makes_weights_orthogonal() -> None:
    network = _layers()
    optimizer = torch.optim.SGD(network.parameters(), 0.05)
    for _ in range(300):
        optimizer.zero_grad()
        orthogonal_penalty(network).backward()
        optimizer.step()
    assert orthogonal_penalty(network).item() < 1e-3


def test_gradient_penalty_of_a_plane_is_its_squared_slope() -> None:
    slope = torch.arange(12.0).view(3, 2, 2).requires_grad_()
    penalty = gradient_penalty(lambda images: (images * slope).sum(dim=(1, 2, 3)), torch.rand(5, 3, 2, 2))
    assert penalty.item() == pytest.approx(slope.square().sum().item())
    penalty.backward()
    torch.testing.assert_close(slope.grad, 2 * slope.detach())


def _images(count: int = 6, size: int = 16) -> torch.Tensor:
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.mark.parametrize("kind", ["colour", "translation", "cutout"])
def test_augmentation_is_drawn_for_each_image_and_differentiable(kind: str) -> None:
    images = _images().double().requires_grad_()
    transform = draw_augmentation([kind], 6, 16, StepRandom(1, 0, 0, CPU))
    changed = transform(images)
    assert changed.shape == images.shape
    assert torch.equal(changed, transform(images))  # the same each time it is applied
    other = draw_augmentation([kind], 6, 16, StepRandom(1, 0, 1, CPU))(images)
    assert not torch.equal(changed, other)
    same = transform(images[:1].expand(6, -1, -1, -1))
    assert not torch.equal(same[0], same[1])
    small = torch.rand(2, 3, 4, 4, dtype=torch.float64, requires_grad=True)
    tiny = draw_augmentation([kind], 2, 4, StepRandom(1, 0, 0, CPU))
    torch.autograd.gradcheck(tiny, (small,))
    torch.autograd.gradgradcheck(tiny, (small,))


def test_translation_moves_and_pads_with_grey() -> None:
    images = _images(40)
    moved = draw_augmentation(["translation"], 40, 16, StepRandom(1, 0, 0, CPU))(images)
    shifts = set()
    for image, new in zip(images, moved, strict=True):
        padded = torch.nn.functional.pad(image, (2, 2, 2, 2))
        fits = [(y, x) for y in range(5) for x in range(5) if torch.equal(padded[:, y : y + 16, x : x + 16], new)]
        assert len(fits) == 1
        shifts.add(fits[0])
    assert len(shifts) > 12
    assert {0, 4} <= {y for y, _ in shifts}


def test_cutout_removes_a_square_of_half_the_side() -> None:
    cut = draw_augmentation(["cutout"], 64, 16, StepRandom(1, 0, 0, CPU))(torch.ones(64, 3, 16, 16))
    removed = (cut == 0).all(1)
    assert ((cut == 0).any(1) == removed).all()
    assert removed.sum((1, 2)).max() == 64
    for square in removed:
        rows, columns = square.any(1), square.any(0)
        assert square.sum() == rows.sum() * columns.sum() > 0


def test_no_augmentation_changes_nothing() -> None:
    images = _images()
    assert draw_augmentation([], 6, 16, StepRandom(1, 0, 0, CPU))(images) is images


def test_numbers_depend_on_seed_epoch_and_batch_and_are_shared_out() -> None:
    whole = StepRandom(3, 1, 2, CPU).normal(8, 5)
    parts = [StepRandom(3, 1, 2, CPU, rank, 2).normal(4, 5) for rank in (0, 1)]
    assert torch.equal(torch.cat(parts), whole)
    for other in ((4, 1, 2), (3, 2, 2), (3, 1, 3)):
        assert not torch.equal(StepRandom(*other, CPU).normal(8, 5), whole)
    uniform = StepRandom(3, 1, 2, CPU).uniform(1000, 5, low=-1, high=1)
    assert -1 <= uniform.min() < -0.99 < 0.99 < uniform.max() < 1
