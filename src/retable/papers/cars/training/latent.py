"""Latent optimisation with natural gradient descent: LOGAN (Wu et al., arXiv 1912.00953)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from retable.errors import ConfigError
from retable.papers.cars.training.second_order import FastSecondDerivatives, weight_gradients_of
from retable.papers.cars.training.step_random import Draws


class OptimisedLatents(NamedTuple):
    """Result of the latent step.

    Attributes:
        latents: z' (B, latent_size) in [-1, 1].
        shift: |dz|^2 of each sample (B,), before clipping.
    """

    latents: Tensor
    shift: Tensor


@dataclass(frozen=True)
class LatentOptimisation:
    """One step of z towards what the discriminator takes for real, z' = clip(z + dz, -1, 1).

    dz = alpha g / (beta + |g|^2), where g = df/dz is the gradient of a sample's own score f = D(G(z)) and |g|^2 its
    squared Euclidean norm (the essay's (2); beta is the damping of the empirical Fisher matrix g g^T). Both players
    train on z' and differentiate through dz, and `weight` |dz|^2 is added to both losses.

    The score is the logit, before the sigmoid that the cross-entropy has built in: the paper's D ends without one.
    Batch normalisation couples the samples of a batch. The gradient of the sum of all scores is what is computed, so
    g then also holds what a sample's z does to the scores of the others, through the batch's statistics.

    Args:
        alpha: Step size.
        beta: Damping.
        fraction: Part c of the elements of z that are optimised; the others keep their value. They are drawn anew
            for each sample and step: a fixed choice would give the generator some inputs that are always optimised in
            training and never when it is sampled. Of each sample the same number is drawn. The norm is that of the
            whole g, so that c does not change how far a chosen element goes.
        weight: Weight w_r of the squared length of the step that is taken.
        detach: Takes z' for a constant. Only for the ablation: LOGAN is the second derivatives. The regulariser
            `weight` |dz|^2 then is a constant, too: it is added to the losses and trains nothing.

    Raises:
        ConfigError: A value that cannot work.
    """

    alpha: float = 0.9
    beta: float = 5.0
    fraction: float = 0.5
    weight: float = 300.0
    detach: bool = False

    def __post_init__(self) -> None:
        if not self.alpha > 0 or not self.beta > 0:
            raise ConfigError(f"model.latent.alpha={self.alpha}, model.latent.beta={self.beta}: must be above 0")
        if not 0 < self.fraction <= 1:
            raise ConfigError(f"model.latent.fraction={self.fraction}: must be above 0 and at most 1")
        if not self.weight >= 0:
            raise ConfigError(f"model.latent.weight={self.weight}: must not be negative")

    def choose(self, count: int, size: int, draws: Draws) -> Tensor:
        """Chooses the elements that are optimised: a mask (count, size) with equally many ones in each row."""
        chosen = max(1, round(self.fraction * size))
        ranks = draws.uniform(count, size).argsort(dim=1).argsort(dim=1)
        return (ranks < chosen).float()

    def step(self, score: Callable[[Tensor], Tensor], latents: Tensor, chosen: Tensor) -> OptimisedLatents:
        """Optimises latents.

        Nothing is added to the ``grad`` of any parameter. The step is computed without automatic mixed precision:
        squares of gradients leave the range of float16.

        Args:
            score: Maps latents (B, latent_size) to scores (B,), differentiably.
            latents: z (B, latent_size) in [-1, 1].
            chosen: Mask (B, latent_size) of the elements that are optimised.

        Returns:
            The latents and the squared lengths, with the graph through the step unless it is detached.
        """
        with torch.enable_grad(), torch.autocast(latents.device.type, enabled=False):
            latents = latents.detach().requires_grad_()
            with FastSecondDerivatives():
                scores = score(latents)
            with weight_gradients_of(()):
                (gradient,) = torch.autograd.grad(scores.sum(), latents, create_graph=not self.detach)
            squared_norm = gradient.square().sum(dim=1, keepdim=True)
            change = self.alpha * gradient / (self.beta + squared_norm) * chosen
            optimised = OptimisedLatents((latents + change).clamp(-1, 1), change.square().sum(dim=1))
        return OptimisedLatents(*(part.detach() for part in optimised)) if self.detach else optimised
