"""Latent optimisation against its definition, sample by sample, and against finite differences."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from tests.papers.cars.training.tiny import LATENT, SIZE, tiny_gan, tiny_latent
from torch import Tensor

from retable.errors import ConfigError
from retable.papers.cars.training.gradients import Gradients
from retable.papers.cars.training.lightning_model import Gan
from retable.papers.cars.training.objectives import MicroBatch
from retable.papers.cars.training.schema import LatentConfig
from retable.papers.cars.training.step_random import StepRandom

CPU = torch.device("cpu")


def _random(step: int = 0) -> StepRandom:
    return StepRandom(1, 0, step, CPU)


def _quartic(latents: Tensor) -> Tensor:
    return (latents**4).sum(1) + latents.prod(1)


def test_defaults_are_the_papers() -> None:
    assert LatentConfig() == LatentConfig(alpha=0.9, beta=5.0, fraction=0.5, weight=300.0, detach=False)


def test_step_is_the_formula_for_each_sample() -> None:
    optimisation = tiny_latent(alpha=0.7, beta=0.3, fraction=0.5)
    latents = torch.rand(5, LATENT, dtype=torch.float64) * 2 - 1
    chosen = optimisation.choose(5, LATENT, _random())
    moved, shift = optimisation.step(_quartic, latents, chosen)
    for z, mask, new, length in zip(latents, chosen, moved, shift, strict=True):
        z = z.clone().requires_grad_()
        (g,) = torch.autograd.grad(_quartic(z[None]).sum(), z)
        change = 0.7 * g / (0.3 + sum(g**2)) * mask
        torch.testing.assert_close(new, (z + change).clamp(-1, 1))
        torch.testing.assert_close(length, (change**2).sum())
        assert torch.equal(new[mask == 0], z[mask == 0])
        assert not torch.equal(new[mask == 1], z[mask == 1])


def test_step_of_the_essays_code() -> None:
    optimisation = tiny_latent(
        alpha=0.9, beta=5.0, fraction=1.0, weight=0.0, detach=True, norm="batch", divisor=300.0, probability=True
    )
    steep = 1e3  # so that the norm counts beside beta
    latents = torch.rand(3, LATENT, dtype=torch.float64) - 0.5
    z = latents.clone().requires_grad_()
    (g,) = torch.autograd.grad(torch.sigmoid(steep * _quartic(z)).sum(), z)
    wanted = torch.empty_like(latents)
    for sample in range(3):
        for element in range(LATENT):
            norm = sum(g[other, element] ** 2 for other in range(3)) ** 0.5
            change = 0.9 / (5 + norm / 300) * g[sample, element]
            wanted[sample, element] = min(1, max(-1, latents[sample, element] + change))
    chosen = optimisation.choose(3, LATENT, _random())
    moved, _ = optimisation.step(lambda z: steep * _quartic(z), latents, chosen)
    torch.testing.assert_close(moved, wanted)
    assert not torch.allclose(moved, latents, atol=1e-3)
    assert not moved.requires_grad


def test_a_sample_moves_the_same_whatever_is_in_the_batch() -> None:
    optimisation = tiny_latent()
    latents = torch.rand(4, LATENT, dtype=torch.float64) * 2 - 1
    chosen = torch.ones(4, LATENT)
    together, _ = optimisation.step(_quartic, latents, chosen)
    alone = torch.cat([optimisation.step(_quartic, z[None], chosen[:1])[0] for z in latents])
    torch.testing.assert_close(together, alone)


def test_latents_are_clipped() -> None:
    moved, shift = tiny_latent(beta=0.1, fraction=1.0).step(lambda z: z.sum(1), torch.ones(2, 4), torch.ones(2, 4))
    assert torch.equal(moved, torch.ones(2, 4))
    assert (shift > 0).all()


@pytest.mark.parametrize(("fraction", "expected"), [(0.5, 50), (0.8, 80), (0.001, 1), (1.0, 100)])
def test_elements_are_chosen_and_not_samples(fraction: float, expected: int) -> None:
    optimisation = tiny_latent(fraction=fraction)
    chosen = optimisation.choose(64, 100, _random())
    assert set(chosen.unique().tolist()) <= {0.0, 1.0}
    assert (chosen.sum(1) == expected).all()
    if expected < 100:
        assert not torch.equal(chosen[0], chosen[1])
        assert not torch.equal(chosen, optimisation.choose(64, 100, _random(step=1)))
    if expected == 50:  # all elements are chosen about equally often
        assert chosen.mean(0).min() > 0.2
        assert chosen.mean(0).max() < 0.8


@pytest.mark.parametrize(
    ("options", "message"),
    [({"alpha": 0.0}, "alpha=0.0"), ({"beta": -1.0}, "beta=-1.0"), ({"fraction": 0.0}, "fraction=0.0"),
     ({"fraction": 1.5}, "fraction=1.5"), ({"weight": -1.0}, "weight=-1.0")],
)  # fmt: skip
def test_values_that_cannot_work(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        LatentConfig(**options)


def test_updates_in_turns_need_constant_latents() -> None:
    with pytest.raises(ConfigError, match=r"model.latent.in_turns=true: .* add model.latent.detach=true"):
        LatentConfig(in_turns=True)


def test_nothing_is_added_to_gradients_of_parameters() -> None:
    gan, part = _objectives({})
    gan.objectives.both(part)
    assert all(parameter.grad is None for parameter in gan.network.parameters())
    kept = torch.ones(3)
    parameter = next(gan.network.generator.parameters())
    parameter.grad = torch.ones_like(parameter)
    gan.objectives.both(part)
    assert torch.equal(parameter.grad.flatten()[:3], kept)


def _objectives(options: dict[str, Any], normalise: bool = False) -> tuple[Gan, MicroBatch]:
    """A small GAN in float64 and one micro-batch."""
    latent = tiny_latent(**{"alpha": 0.5, **options})
    gan = tiny_gan(latent=latent, normalise=normalise).double().train()
    generator = torch.Generator().manual_seed(3)
    images = torch.rand(5, 3, SIZE, SIZE, generator=generator, dtype=torch.float64) * 2 - 1
    latents = torch.rand(5, LATENT, generator=generator, dtype=torch.float64) - 0.5  # far from the clip's corners
    (part,) = gan.objectives.micro_batches(images, latents, _random())
    return gan, part


def _directional(gan: Gan, trained: str, parameters: list[Tensor], loss: Callable[[], Tensor]) -> tuple[float, float]:
    """The derivative of a loss along a random direction, by differentiation and by central differences."""
    gradients = Gradients(parameters)
    gradients.add(loss())
    gradients.assign()
    generator = torch.Generator().manual_seed(11)
    directions = [torch.randn(p.shape, generator=generator, dtype=p.dtype) for p in parameters]
    analytic = sum(float((p.grad * d).sum()) for p, d in zip(parameters, directions, strict=True))
    step, values = 1e-6, []
    for sign in (1, -1):
        with torch.no_grad():
            for p, d in zip(parameters, directions, strict=True):
                p.add_(d, alpha=sign * step)
        values.append(float(loss().detach()))
        with torch.no_grad():
            for p, d in zip(parameters, directions, strict=True):
                p.sub_(d, alpha=sign * step)
    return analytic, (values[0] - values[1]) / (2 * step)


@pytest.mark.parametrize("normalise", [False, True])
@pytest.mark.parametrize("trained", ["discriminator", "generator"])
def test_gradient_through_the_latent_step_is_that_of_finite_differences(trained: str, normalise: bool) -> None:
    gan, part = _objectives({}, normalise)
    network = gan.network
    parameters = (
        list(network.discriminator.parameters()) if trained == "discriminator" else network.generator_parameters
    )

    def loss() -> Tensor:
        return gan.objectives.both(part)[f"loss_{trained}"]

    analytic, numeric = _directional(gan, trained, parameters, loss)
    assert analytic == pytest.approx(numeric, rel=1e-6, abs=1e-9)

    # the second derivatives are not a rounding error: without them the slope is another
    detached, _ = _objectives({"detach": True}, normalise)
    own = list(detached.network.discriminator.parameters())
    own = own if trained == "discriminator" else detached.network.generator_parameters
    first_order, _ = _directional(detached, trained, own, lambda: detached.objectives.both(part)[f"loss_{trained}"])
    assert abs(first_order - numeric) > 1e-4 * abs(numeric)  # a hundred times the tolerance above


def test_detached_latents_are_constants() -> None:
    gan, part = _objectives({"detach": True})
    assert gan.objectives.latent is not None
    moved, shift = gan.objectives.latent.step(
        lambda z: gan.network.judge(gan.network.generator(z)), part.latents, part.chosen
    )
    assert not moved.requires_grad
    assert not shift.requires_grad
    through, _ = _objectives({})
    assert through.objectives.latent is not None
    same, _ = through.objectives.latent.step(
        lambda z: through.network.judge(through.network.generator(z)), part.latents, part.chosen
    )
    torch.testing.assert_close(same, moved)
    assert same.requires_grad


def test_the_weight_multiplies_the_squared_shift_in_both_losses() -> None:
    light, part = _objectives({"weight": 0.0})
    heavy, _ = _objectives({"weight": 7.0})
    without, with_it = light.objectives.both(part), heavy.objectives.both(part)
    assert light.objectives.latent is not None
    _, shift = light.objectives.latent.step(
        lambda z: light.network.judge(light.network.generator(z)), part.latents, part.chosen
    )
    for trained in ("discriminator", "generator"):
        difference = with_it[f"loss_{trained}"] - without[f"loss_{trained}"]
        torch.testing.assert_close(difference, 7 * shift.mean())


def test_the_step_stays_in_float32_under_mixed_precision() -> None:
    seen = []

    def score(latents: Tensor) -> Tensor:
        seen.append((latents @ torch.ones(LATENT, 2)).dtype)
        return latents.square().sum(1)

    with torch.autocast("cpu", dtype=torch.bfloat16):
        moved, _ = tiny_latent().step(score, torch.rand(3, LATENT), torch.ones(3, LATENT))
    assert seen == [torch.float32]
    assert moved.dtype == torch.float32
