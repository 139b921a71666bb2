"""What discriminator and generator minimise on one micro-batch: adversarial losses, regularisers and penalties."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from retable.papers.cars.training.augmentation import Transform, draw_augmentation
from retable.papers.cars.training.latent import LatentOptimisation
from retable.papers.cars.training.losses import AdversarialLoss, gradient_penalty, orthogonal_penalty
from retable.papers.cars.training.network import GanNetwork
from retable.papers.cars.training.schema import GanConfig
from retable.papers.cars.training.step_random import StepRandom

Losses = dict[str, Tensor]
"""Scalars by the names that they are logged under: ``loss_discriminator``, ``loss_generator`` (the encoder's with it),
``logit_real`` and ``logit_fake`` (means over images), ``latent_shift`` (mean |dz| of latent optimisation)."""


@dataclass(frozen=True)
class MicroBatch:
    """Real images and the random numbers that go with them."""

    images: Tensor  # real images (B, 3, S, S) in [-1, 1]
    latents: Tensor  # z (B, latent_size)
    chosen: Tensor | None  # mask (B, latent_size) of the elements that latent optimisation moves; None without it
    weight: float  # the micro-batch's part of the batch
    augment_real: Transform  # augmentation of the real images
    augment_fake: Transform  # augmentation of the generated images: the same whenever they are judged
    shift: Tensor | None = None  # |dz|^2 (B,) where the latents are optimised already


class Objectives:
    """The losses of a GAN, as configured, of its networks."""

    def __init__(self, config: GanConfig, network: GanNetwork) -> None:
        self.config, self.network = config, network
        self.loss: AdversarialLoss = config.loss
        self.latent: LatentOptimisation | None = config.latent

    def micro_batches(self, images: Tensor, latents: Tensor, random: StepRandom) -> list[MicroBatch]:
        """Divides a batch of images in [-1, 1] and its latents, and draws what each part needs."""
        total, size, count = len(images), images.shape[-1], self.config.accumulate
        chosen = None if self.latent is None else self.latent.choose(total, latents.shape[1], random)
        masks = [None] * count if chosen is None else list(chosen.chunk(count))
        parts = zip(images.chunk(count), latents.chunk(count), strict=True)

        def augmentation(real: Tensor) -> Transform:
            return draw_augmentation(self.config.augment, len(real), size, random)

        return [
            MicroBatch(real, z, mask, len(real) / total, augmentation(real), augmentation(real))
            for (real, z), mask in zip(parts, masks, strict=False)
        ]

    def optimised(self, batch: MicroBatch) -> MicroBatch:
        """Returns a micro-batch with optimised latents, which are constants, for updates in turns."""
        assert self.latent is not None
        assert batch.chosen is not None
        with parametrize.cached():
            latents, shift = self.latent.step(lambda z: self._score(batch, z), batch.latents, batch.chosen)
        return replace(batch, latents=latents, shift=shift)

    def discriminator(self, batch: MicroBatch, fake: Tensor) -> Losses:
        """Computes the discriminator's loss against given images (B, 3, S, S), which are constants in it."""
        with parametrize.cached():
            with torch.no_grad():
                codes = self._encode(batch)
            real_logits = self._judge(batch.augment_real(batch.images), codes)
            fake_logits = self._judge(batch.augment_fake(fake.detach()), batch.latents)
            loss = self.loss.discriminator(real_logits, fake_logits) + self._discriminator_penalties(batch, codes)
        found = {"loss_discriminator": loss, "logit_real": real_logits.mean(), "logit_fake": fake_logits.mean()}
        return found if batch.shift is None else {**found, "latent_shift": batch.shift.sqrt().mean()}

    def generator(self, batch: MicroBatch, fake: Tensor) -> Losses:
        """Computes the loss of generator and encoder; the discriminator's weights are constants in it."""
        with parametrize.cached(), _frozen(self.network.discriminator):
            loss = self.loss.generator(self._judge(batch.augment_fake(fake), batch.latents))
            if self.network.encoder is not None:
                real_logits = self._judge(batch.augment_real(batch.images), self._encode(batch))
                loss = loss + self.loss.encoder(real_logits)
            loss = loss + self._orthogonality(self.network.generator)
        return {"loss_generator": loss}

    def both(self, batch: MicroBatch) -> Losses:
        """Computes both losses on optimised latents, from one latent step (LOGAN's Algorithm 1).

        Their graphs share it: whoever differentiates the first has to retain it for the second.
        """
        assert self.latent is not None
        assert batch.chosen is not None

        # one value of a spectrally normalised weight for the whole step: dz belongs to the network that takes z'
        with parametrize.cached():
            latents, shift = self.latent.step(lambda z: self._score(batch, z), batch.latents, batch.chosen)
            fake_logits = self._score(batch, latents)
            codes = self._encode(batch)
            real_logits = self._judge(batch.augment_real(batch.images), codes)
            moved = self.latent.config.weight * shift.mean()
            discriminator = self.loss.discriminator(real_logits, fake_logits) + moved
            discriminator = discriminator + self._discriminator_penalties(batch, codes)
            generator = self.loss.generator(fake_logits) + moved + self._orthogonality(self.network.generator)
            if codes is not None:
                generator = generator + self.loss.encoder(real_logits)
        return {
            "loss_discriminator": discriminator,
            "loss_generator": generator,
            "logit_real": real_logits.mean(),
            "logit_fake": fake_logits.mean(),
            "latent_shift": shift.sqrt().mean(),
        }

    def _encode(self, batch: MicroBatch) -> Tensor | None:
        if self.network.encoder is None:
            return None
        codes: Tensor = self.network.encoder(batch.images)
        return codes

    def _score(self, batch: MicroBatch, latents: Tensor) -> Tensor:
        return self._judge(batch.augment_fake(self.network.generator(latents)), latents)

    def _judge(self, images: Tensor, latents: Tensor | None) -> Tensor:
        # losses are computed in float32, whatever the networks are run in
        return _at_least_float32(self.network.judge(images, latents))

    def _discriminator_penalties(self, batch: MicroBatch, codes: Tensor | None) -> Tensor | float:
        penalty = self._orthogonality(self.network.discriminator)
        if self.config.r1 > 0:
            codes = None if codes is None else _at_least_float32(codes.detach())
            real = gradient_penalty(lambda images: self._judge(batch.augment_real(images), codes), batch.images)
            penalty = penalty + self.config.r1 / 2 * real
        return penalty

    def _orthogonality(self, network: nn.Module) -> Tensor | float:
        if self.config.orthogonal == 0:
            return 0.0
        return self.config.orthogonal * orthogonal_penalty(network, self.config.orthogonal_diagonal)


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
