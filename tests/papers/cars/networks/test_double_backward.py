"""Latent optimisation differentiates through discriminator and generator twice: all of it by finite differences."""

from functools import partial
from typing import Any

import pytest
import torch
from tests.papers.cars.networks.built import built
from torch import Tensor, nn
from torch.autograd import grad, gradcheck, gradgradcheck
from torch.func import functional_call

from retable.papers.cars.networks.bidirectional import Encoder, JointDiscriminator
from retable.papers.cars.networks.dcgan import DcganDiscriminator, DcganGenerator
from retable.papers.cars.networks.resnet import ResnetDiscriminator, ResnetGenerator
from retable.papers.cars.networks.stages import SelfAttention

pytestmark = pytest.mark.slow  # it trains, or starts processes of its own

SMALL: Any = {"channels": 1}
PAIRS: dict[str, tuple[Any, Any]] = {
    "dcgan": (partial(built, DcganGenerator), partial(built, DcganDiscriminator)),
    "bigger": (
        partial(built, DcganGenerator, widths=(3, 3, 2, 2, 1, 1), start=2),
        partial(built, DcganDiscriminator, widths=(1, 2, 2, 2, 3)),
    ),
    "sagan": (
        partial(built, DcganGenerator, attention=4, spectral_norm=True),
        partial(built, DcganDiscriminator, attention=4, spectral_norm=True, batch_norm=False),
    ),
    "resnet": (partial(built, ResnetGenerator, attention=4), partial(built, ResnetDiscriminator, attention=4)),
}


def prepared(network: nn.Module) -> nn.Module:
    """In float64, and with attention that counts.

    Spectral normalisations are in evaluation, as they change with every pass of the training; batch normalisations are
    in training, where a sample's gradient depends on all the others.
    """
    network.double().train()
    for layer in network.modules():
        if isinstance(layer, SelfAttention):
            nn.init.constant_(layer.gamma, 0.7)
        if hasattr(layer, "parametrizations"):
            layer.eval()
    return network


@pytest.mark.parametrize("name", list(PAIRS))
def test_logits_of_latents_have_second_derivatives(name: str) -> None:
    torch.manual_seed(0)
    generator, discriminator = (
        prepared(part) for part in (PAIRS[name][0](32, 3, **SMALL), PAIRS[name][1](32, **SMALL))
    )
    latents = torch.randn(3, 3, dtype=torch.float64, requires_grad=True)

    def logits(values: Tensor) -> Tensor:
        result: Tensor = discriminator(generator(values))
        return result

    assert gradcheck(logits, (latents,))
    assert gradgradcheck(logits, (latents,))


@pytest.mark.parametrize("name", list(PAIRS))
def test_the_gradient_through_a_latent_gradient_reaches_all_weights(name: str) -> None:
    # the squared gradient of the logits as a loss, along a random direction of all weights of both networks at once
    torch.manual_seed(1)
    both = nn.Sequential(*(prepared(part) for part in (PAIRS[name][0](32, 3, **SMALL), PAIRS[name][1](32, **SMALL))))
    latents = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    weights = {key: value.detach().requires_grad_() for key, value in both.named_parameters()}
    direction = {key: torch.randn_like(value) for key, value in weights.items()}

    def loss(step: float) -> Tensor:
        moved = {key: value + step * direction[key] for key, value in weights.items()}
        logits = functional_call(both, moved, (latents,))
        return grad(logits.sum(), latents, create_graph=True)[0].square().sum()

    gradients = grad(loss(0.0), list(weights.values()), allow_unused=True)
    # what only moves the logits, as the last bias, has no part in their gradient
    found = sum(float((g * direction[key]).sum()) for key, g in zip(weights, gradients, strict=True) if g is not None)
    step = 1e-8  # the loss jumps where a ReLU opens or closes; at a step so small none of these does
    expected = float((loss(step) - loss(-step)).detach()) / (2 * step)
    assert found == pytest.approx(expected, rel=1e-5)


def test_pairs_have_second_derivatives_in_image_and_latents() -> None:
    torch.manual_seed(0)
    encoder = prepared(built(Encoder, 32, 2, channels=1))
    discriminator = prepared(built(JointDiscriminator, 32, 2, channels=1))
    generator = prepared(built(DcganGenerator, 32, 2, channels=1))
    latents = torch.randn(3, 2, dtype=torch.float64, requires_grad=True)
    assert gradgradcheck(lambda z: discriminator(generator(z), z), (latents,))
    assert gradgradcheck(lambda z: encoder(generator(z)), (latents,))


def test_attention_has_second_derivatives_in_maps_and_weights() -> None:
    torch.manual_seed(0)
    attention = prepared(SelfAttention(8))
    maps = torch.randn(1, 8, 2, 3, dtype=torch.float64, requires_grad=True)
    weights = {key: value.detach().requires_grad_() for key, value in attention.named_parameters()}

    def attended(maps: Tensor, *values: Tensor) -> Tensor:
        result: Tensor = functional_call(attention, dict(zip(weights, values, strict=True)), (maps,))
        return result

    assert gradgradcheck(attended, (maps, *weights.values()))


def test_several_passes_may_come_before_one_backward_in_training() -> None:
    # the power iterations write into buffers that earlier passes still need, unless these keep copies
    generator = built(DcganGenerator, 32, 3, channels=2, attention=4, spectral_norm=True)
    discriminator = built(DcganDiscriminator, 32, channels=2, attention=4, spectral_norm=True, batch_norm=False)
    latents = torch.randn(2, 3, requires_grad=True)
    (step,) = grad(discriminator(generator(latents)).sum(), latents, create_graph=True)
    loss = discriminator(generator(latents + step)).sum() - discriminator(torch.rand(2, 3, 32, 32)).sum()
    loss.backward()
    assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in generator.parameters())
