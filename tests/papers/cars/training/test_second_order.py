"""Quick second derivatives against PyTorch's own."""

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from retable.papers.cars.training.second_order import FastSecondDerivatives, weight_gradients_of


def _network(weight: float | None) -> nn.Module:
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.ConvTranspose2d(3, 4, 4, 2, 1), nn.BatchNorm2d(4), nn.Tanh(), nn.Conv2d(4, 6, 3, padding=1, groups=2),
        nn.BatchNorm2d(6), nn.LeakyReLU(0.2), nn.Conv2d(6, 2, 3, stride=2, dilation=2),
        nn.ConvTranspose2d(2, 2, 3, output_padding=1, stride=2, bias=False), nn.Sigmoid(),
    ).double()  # fmt: skip
    if weight is not None:  # of one channel of the first batch normalisation
        network.get_parameter("1.weight").data[2] = weight
    return network


def _second_derivatives(fast: bool, weight: float | None) -> Iterator[tuple[str, Tensor]]:
    """Gradients of a function of outputs and input gradients, and the statistics that were tracked on the way."""
    network = _network(weight)
    images = torch.randn(5, 3, 6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).requires_grad_()
    with FastSecondDerivatives() if fast else nullcontext():
        outputs = network(images).square().sum((1, 2, 3))
    with weight_gradients_of(()):
        (gradient,) = torch.autograd.grad(outputs.sum(), images, create_graph=True)
    value = gradient.pow(3).sum() + (outputs * gradient.square().sum((1, 2, 3))).sum()
    names, parameters = zip(*network.named_parameters(), strict=True)
    found = torch.autograd.grad(value, [images, *parameters])
    yield from zip(["images", *names], found, strict=True)
    yield from network.named_buffers()


@pytest.mark.parametrize("weight", [None, 0.0, -0.5])
def test_they_are_those_of_pytorch(weight: float | None) -> None:
    pairs = zip(_second_derivatives(True, weight), _second_derivatives(False, weight), strict=True)
    for (name, mine), (_, wanted) in pairs:
        torch.testing.assert_close(mine, wanted, rtol=1e-9, atol=1e-12, msg=name)


@pytest.mark.parametrize("kind", ["convolution", "transposed"])
def test_gradients_of_gradients_of_weights_too(kind: str) -> None:
    torch.manual_seed(0)
    function: Any = nn.functional.conv2d if kind == "convolution" else nn.functional.conv_transpose2d
    shape = (3, 2, 3, 3) if kind == "convolution" else (2, 3, 3, 3)
    inputs = tuple(torch.randn(size, dtype=torch.float64, requires_grad=True) for size in ((2, 2, 4, 4), shape, (3,)))

    def call(*arguments: Tensor) -> Tensor:
        with FastSecondDerivatives():
            result: Tensor = function(*arguments, stride=2, padding=1)
        return result

    assert torch.autograd.gradcheck(call, inputs)
    assert torch.autograd.gradgradcheck(call, inputs)


def test_only_wanted_weights_get_gradients() -> None:
    x = torch.randn(2, 3, 5, 5)
    one, other = nn.Conv2d(3, 3, 3, bias=False), nn.Conv2d(3, 1, 3, bias=False)
    with FastSecondDerivatives():
        result = other(one(x)).sum()
    with weight_gradients_of([one.weight]):
        found = torch.autograd.grad(result, [one.weight, other.weight], allow_unused=True)
    assert found[0] is not None
    assert found[1] is None


def test_evaluation_uses_running_statistics() -> None:
    layer, x = nn.BatchNorm2d(3).eval(), torch.randn(2, 3, 4, 4)
    with FastSecondDerivatives():
        assert torch.equal(
            layer(x), nn.functional.batch_norm(x, torch.zeros(3), torch.ones(3), torch.ones(3), torch.zeros(3))
        )
