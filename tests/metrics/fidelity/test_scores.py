import math

import pytest
import torch

from retable.metrics.fidelity.scores import inception_score, kernel_distance, precision_recall


def normal(count: int, seed: int, shift: float = 0.0) -> torch.Tensor:
    return torch.randn((count, 6), generator=torch.Generator().manual_seed(seed)) + shift


def test_inception_score_of_sure_and_even_classes_is_their_number():
    logits = torch.eye(4).repeat(25, 1) * 100
    assert inception_score(logits) == pytest.approx(4)


def test_inception_score_of_equal_images_is_one():
    assert inception_score(torch.tensor([[3.0, 1.0, 0.0]]).repeat(50, 1)) == pytest.approx(1)


def test_inception_score_by_its_definition():
    logits = normal(200, 1)
    p = logits.double().softmax(dim=1)
    divergence = (p * (p.log() - p.mean(dim=0).log())).sum(dim=1).mean()
    assert inception_score(logits) == pytest.approx(math.exp(divergence), rel=1e-9)


def test_kernel_distance_by_its_definition():
    fake, real = normal(40, 1, shift=0.5), normal(40, 2)

    def kernel(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return (a.double() @ b.double().T / 6 + 1) ** 3

    within = sum((kernel(x, x).sum() - kernel(x, x).trace()) / (40 * 39) for x in (fake, real))
    expected = float(within - 2 * kernel(fake, real).mean())
    assert kernel_distance(fake, real) == pytest.approx(expected, rel=1e-9)  # all subsets are the whole set


def test_kernel_distance_is_the_same_every_time_and_about_zero_for_one_distribution():
    fake, real = normal(200, 1), normal(220, 2)
    found = kernel_distance(fake, real)
    assert kernel_distance(fake, real) == found
    assert abs(found) < 0.2 * kernel_distance(normal(200, 3, shift=0.5), real)


def test_precision_and_recall_of_one_mode_out_of_two():
    real = torch.cat([normal(100, 1), normal(100, 2, shift=50)])
    precision, recall = precision_recall(normal(200, 3), real)
    assert precision > 0.8
    assert 0.3 < recall < 0.51


def test_precision_of_samples_that_are_nothing_real():
    precision, recall = precision_recall(normal(50, 1, shift=100), normal(60, 2))
    assert (precision, recall) == (0, 0)


def test_fewer_samples_than_neighbours():
    assert precision_recall(normal(2, 1), normal(3, 2)) is not None
