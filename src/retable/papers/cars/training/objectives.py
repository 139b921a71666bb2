"""The losses of both players on one micro-batch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from retable.papers.cars.training.augmentation import Augmentation, Transform
from retable.papers.cars.training.latent import LatentOptimisation
from retable.papers.cars.training.losses import AdversarialLoss
from retable.papers.cars.training.network import GanNetwork
from retable.papers.cars.training.penalties import gradient_penalty, orthogonal_penalty
from retable.papers.cars.training.step_random import Draws


@dataclass(frozen=True)
class Round:
    """One micro-batch: real images and the random numbers that go with them.

    Attributes:
        images: Real images (B, 3, S, S) in [-1, 1].
        latents: z (B, latent_size).
        chosen: Mask (B, latent_size) of the elements that latent optimisation moves; None without it.
        weight: The micro-batch's part of the batch.
        distort_real: Augmentation of the real images.
        distort_fake: Augmentation of the generated images: the same whenever they are judged.
    """

    images: Tensor
    latents: Tensor
    chosen: Tensor | None
    weight: float
    distort_real: Transform
    distort_fake: Transform


@dataclass(frozen=True)
class Losses:
    """Losses and what is logged beside them; a player's loss is None where it was not asked for.

    Attributes:
        discriminator: Loss of the discriminator.
        creator: Loss of generator and encoder.
        real: Mean logit of real images.
        fake: Mean logit of generated images.
        shift: Mean |dz| of latent optimisation.
    """

    discriminator: Tensor | None = None
    creator: Tensor | None = None
    real: Tensor | None = None
    fake: Tensor | None = None
    shift: Tensor | None = None


class Game:
    """Losses of a GAN; the keys are described in `retable.papers.cars.training.schema.GanConfig`."""

    def __init__(
        self,
        network: GanNetwork,
        loss: AdversarialLoss,
        latent: LatentOptimisation | None,
        augmentation: Augmentation,
        orthogonal: float,
        orthogonal_diagonal: bool,
        r1: float,
    ) -> None:
        self.network, self.loss, self.latent, self.augmentation = network, loss, latent, augmentation
        self.orthogonal, self.orthogonal_diagonal, self.r1 = orthogonal, orthogonal_diagonal, r1

    def rounds(self, images: Tensor, latents: Tensor, draws: Draws, count: int) -> list[Round]:
        """Divides a batch of images in [-1, 1] and its latents into micro-batches and draws what each of them needs."""
        total, size = len(images), images.shape[-1]
        chosen = None if self.latent is None else self.latent.choose(total, latents.shape[1], draws)
        parts = zip(images.chunk(count), latents.chunk(count), strict=True)
        masks = [None] * count if chosen is None else list(chosen.chunk(count))
        return [
            Round(
                real, z, mask, len(real) / total,
                self.augmentation.draw(len(real), size, draws), self.augmentation.draw(len(real), size, draws),
            )
            for (real, z), mask in zip(parts, masks, strict=False)
        ]  # fmt: skip

    def discriminator(self, part: Round, fake: Tensor) -> Losses:
        """The discriminator's loss against given images (B, 3, S, S), through which nothing is differentiated."""
        with parametrize.cached():
            with torch.no_grad():
                codes = self._encode(part)
            real_logits = self._judge(part.distort_real(part.images), codes)
            fake_logits = self._judge(part.distort_fake(fake.detach()), part.latents)
            loss = self.loss.discriminator(real_logits, fake_logits) + self._discriminator_penalties(part, codes)
        return Losses(loss, None, real_logits.mean(), fake_logits.mean())

    def creator(self, part: Round, fake: Tensor) -> Losses:
        """The loss of generator and encoder; the discriminator's weights are constants in it."""
        with parametrize.cached(), _frozen(self.network.discriminator):
            loss = self.loss.generator(self._judge(part.distort_fake(fake), part.latents))
            if self.network.encoder is not None:
                real_logits = self._judge(part.distort_real(part.images), self._encode(part))
                loss = loss + self.loss.encoder(real_logits)
            loss = loss + self._orthogonality(self.network.generator)
        return Losses(creator=loss)

    def both(self, part: Round) -> Losses:
        """The losses of both players on optimised latents, from one latent step (LOGAN's Algorithm 1).

        Their graphs share it: whoever differentiates the first has to retain it for the second.
        """
        assert self.latent is not None
        assert part.chosen is not None

        def score(latents: Tensor) -> Tensor:
            return self._judge(part.distort_fake(self.network.generator(latents)), latents)

        # one value of a spectrally normalised weight for the whole step: dz belongs to the network that takes z'
        with parametrize.cached():
            latents, shift = self.latent.step(score, part.latents, part.chosen)
            fake_logits = score(latents)
            codes = self._encode(part)
            real_logits = self._judge(part.distort_real(part.images), codes)
            moved = self.latent.weight * shift.mean()
            discriminator = self.loss.discriminator(real_logits, fake_logits) + moved
            discriminator = discriminator + self._discriminator_penalties(part, codes)
            creator = self.loss.generator(fake_logits) + moved + self._orthogonality(self.network.generator)
            if codes is not None:
                creator = creator + self.loss.encoder(real_logits)
        return Losses(discriminator, creator, real_logits.mean(), fake_logits.mean(), shift.sqrt().mean())

    def _encode(self, part: Round) -> Tensor | None:
        if self.network.encoder is None:
            return None
        codes: Tensor = self.network.encoder(part.images)
        return codes

    def _judge(self, images: Tensor, latents: Tensor | None) -> Tensor:
        # losses are computed in float32, whatever the networks are run in
        return _at_least_float32(self.network.judge(images, latents))

    def _discriminator_penalties(self, part: Round, codes: Tensor | None) -> Tensor | float:
        penalty = self._orthogonality(self.network.discriminator)
        if self.r1 > 0:
            codes = None if codes is None else _at_least_float32(codes.detach())
            real = gradient_penalty(lambda images: self._judge(part.distort_real(images), codes), part.images)
            penalty = penalty + self.r1 / 2 * real
        return penalty

    def _orthogonality(self, network: nn.Module) -> Tensor | float:
        if self.orthogonal == 0:
            return 0.0
        return self.orthogonal * orthogonal_penalty(network, self.orthogonal_diagonal)


def _at_least_float32(numbers: Tensor) -> Tensor:
    return numbers if numbers.dtype == torch.float64 else numbers.float()


@contextmanager
def _frozen(network: nn.Module) -> Iterator[None]:
    """Takes the parameters of a network for constants: what their gradients need is not kept."""
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    for parameter in trained:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in trained:
            parameter.requires_grad_(True)
