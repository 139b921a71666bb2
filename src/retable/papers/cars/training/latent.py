"""Latent optimisation with natural gradient descent: LOGAN (Wu et al., arXiv 1912.00953)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from retable.papers.cars.training.schema import LatentConfig, LatentNorm
from retable.papers.cars.training.step_random import StepRandom


class LatentOptimisation:
    """One step of z towards what the discriminator takes for real, z' = clip(z + dz, -1, 1).

    dz = alpha g / (beta + |g|^2), where g = df/dz is the gradient of a sample's own score f = D(G(z)) and |g|^2 its
    squared Euclidean norm (the essay's (2); beta is the damping of the empirical Fisher matrix g g^T). Discriminator
    and generator train on z' and differentiate through dz, and ``weight`` |dz|^2 is added to both losses.

    The score is the logit, before the sigmoid that the cross-entropy has built in: the paper's D ends without one.
    Batch normalisation couples the samples of a batch. The gradient of the sum of all scores is what is computed, so
    g then also holds what a sample's z does to the scores of the others, through the batch's statistics.

    The essay's published code has another step, ``model/latent=essay``: the score is the probability, and each element
    of g is divided by beta + |g| / 300, where |g| is the norm of that element over the batch, not squared.
    """

    def __init__(self, config: LatentConfig) -> None:
        self.config = config

    def choose(self, count: int, size: int, random: StepRandom) -> Tensor:
        """Chooses the elements that are optimised.

        They are drawn anew for each sample and step: a fixed choice would give the generator some inputs that are
        always optimised in training and never when it is sampled.

        Returns:
            A mask (count, size) with equally many ones in each row.
        """
        chosen = max(1, round(self.config.fraction * size))
        ranks = random.uniform(count, size).argsort(dim=1).argsort(dim=1)
        return (ranks < chosen).float()

    def step(self, score: Callable[[Tensor], Tensor], latents: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """Optimises latents.

        Nothing is added to the ``grad`` of any parameter. The step is computed without automatic mixed precision:
        squares of gradients leave the range of float16. The norm is that of the whole g, so that how many elements are
        chosen does not change how far each of them goes.

        Args:
            score: Maps latents to scores (B,), differentiably.
            latents: z (B, latent_size) in [-1, 1].
            chosen: Mask of the elements that are optimised, as of `choose`.

        Returns:
            z' (B, latent_size) in [-1, 1], and |dz|^2 of each sample (B,), before clipping; with the graph through
            the step unless it is detached.
        """
        config = self.config
        with torch.enable_grad(), torch.autocast(latents.device.type, enabled=False):
            latents = latents.detach().requires_grad_()
            scores = score(latents).sigmoid() if config.probability else score(latents)
            (gradient,) = torch.autograd.grad(scores.sum(), latents, create_graph=not config.detach)
            if config.norm == LatentNorm.sample:
                norm = gradient.square().sum(dim=1, keepdim=True)
            else:
                norm = torch.linalg.vector_norm(gradient, dim=0)
            change = config.alpha * gradient / (config.beta + norm / config.divisor) * chosen
            optimised, shift = (latents + change).clamp(-1, 1), change.square().sum(dim=1)
        return (optimised.detach(), shift.detach()) if config.detach else (optimised, shift)
