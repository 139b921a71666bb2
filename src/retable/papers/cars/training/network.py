"""The networks of one GAN, kept together as what a run trains, counts and saves."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from retable.errors import ConfigError
from retable.papers.cars.training.schema import GanConfig

_LARGEST_LOGIT = 1e6  # a sigmoid is 0 or 1 from some 100 on; beyond this no training comes back


class GanNetwork(nn.Module):
    """Generator, discriminator, and where there are any an encoder and an averaged generator.

    Args:
        config: How they are made and initialised. The average begins with the generator after the first update, which
            takes the place of the initialised one.

    Attributes:
        second_order: Whether training differentiates twice.
        averaged: The averaged generator, or None; its running statistics are those of the generator.
    """

    def __init__(self, config: GanConfig) -> None:
        super().__init__()
        sizes = {"image_size": config.image_size, "latent_size": config.latent_size}
        sizes_judged = sizes if config.encoder is not None else {"image_size": config.image_size}

        def made(build: Callable[..., nn.Module], sizes: dict[str, int]) -> nn.Module:
            network = build(**sizes)
            if config.initialisation is not None:
                config.initialisation(network)
            return network

        self.generator = made(config.generator, sizes)
        self.discriminator = made(config.discriminator, sizes_judged)
        self.encoder = None if config.encoder is None else made(config.encoder, sizes)
        self.averaged: AveragedModel | None = None
        self._draws_average = config.average
        if config.ema_decay > 0:
            averaging = get_ema_multi_avg_fn(config.ema_decay)  # type: ignore[no-untyped-call]
            self.averaged = AveragedModel(self.generator, multi_avg_fn=averaging)
            self.averaged.requires_grad_(False)
        self.second_order = config.latent is not None or config.r1 > 0

    def forward(self, latents: Tensor) -> Tensor:
        """Generates images (B, 3, S, S) in [-1, 1] from latents (B, latent_size), by the average where it is to be."""
        network = self.averaged if self.averaged is not None and self._draws_average else self.generator
        images: Tensor = network(latents)
        return images

    def judge(self, images: Tensor, latents: Tensor | None = None) -> Tensor:
        """Computes logits (B,) of images (B, 3, S, S), or, with an encoder, of pairs of images and latents."""
        logits: Tensor = self.discriminator(images) if self.encoder is None else self.discriminator(images, latents)
        return logits

    @property
    def generator_parameters(self) -> list[nn.Parameter]:
        """What is trained against the discriminator: the parameters of the generator and of the encoder."""
        own = [*self.generator.parameters()]
        return own if self.encoder is None else [*own, *self.encoder.parameters()]

    @torch.no_grad()
    def average(self) -> None:
        """Takes the generator's present weights into the average, where there is one."""
        if self.averaged is not None:
            self.averaged.update_parameters(self.generator)

    @torch.no_grad()
    def is_sound(self, latents: Tensor) -> bool:
        """Whether all weights, the samples of some latents and their logits are finite and not beyond all bounds."""
        state = [value for value in self.state_dict().values() if value.is_floating_point()]
        was_training = self.training
        self.eval()
        images = self.generator(latents)
        logits = self.judge(images, latents)
        self.train(was_training)
        # the norm is not finite either where a weight's square is not
        values = torch.stack([nn.utils.get_total_norm(state), images.sum(), logits.abs().max()]).tolist()
        return all(map(math.isfinite, values)) and values[-1] <= _LARGEST_LOGIT

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Compiles each network: training calls them, and not this module.

        Raises:
            ConfigError: Training differentiates twice.
        """
        if self.second_order:
            raise ConfigError(
                "compile: latent optimisation and R1 need second derivatives, which torch.compile cannot give; "
                "use compile=false"
            )
        for network in (self.generator, self.discriminator, self.encoder):
            if network is not None:
                network.compile(*args, **kwargs)
