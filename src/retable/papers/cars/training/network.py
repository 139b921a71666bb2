"""The networks of one GAN, kept together as what a run trains, counts and saves."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from retable.errors import ConfigError


class GanNetwork(nn.Module):
    """Generator, discriminator, and where there are any an encoder and an averaged generator.

    Args:
        generator: Maps latents (B, latent_size) to images (B, 3, S, S) in [-1, 1].
        discriminator: Maps images to logits (B,); with an encoder, images and latents.
        encoder: Maps images to latents.
        ema_decay: Decay of the exponential moving average of the generator; 0 keeps none.
        second_order: Whether training differentiates twice, which ``torch.compile`` cannot.

    Attributes:
        second_order: Whether training differentiates twice.
        averaged: The averaged generator, or None; its running statistics are those of the generator.
    """

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        encoder: nn.Module | None = None,
        ema_decay: float = 0.0,
        second_order: bool = False,
    ) -> None:
        super().__init__()
        self.generator, self.discriminator, self.encoder = generator, discriminator, encoder
        self.averaged: AveragedModel | None = None
        if ema_decay > 0:
            averaging = get_ema_multi_avg_fn(ema_decay)  # type: ignore[no-untyped-call]
            self.averaged = AveragedModel(generator, multi_avg_fn=averaging)
            self.averaged.requires_grad_(False)
        self.second_order = second_order

    def forward(self, latents: Tensor) -> Tensor:
        """Generates images (B, 3, S, S) in [-1, 1] from latents (B, latent_size), by the average where there is one."""
        images: Tensor = (self.generator if self.averaged is None else self.averaged)(latents)
        return images

    def judge(self, images: Tensor, latents: Tensor | None = None) -> Tensor:
        """Logits (B,) of images (B, 3, S, S), or, with an encoder, of pairs of images and latents."""
        logits: Tensor = self.discriminator(images) if self.encoder is None else self.discriminator(images, latents)
        return logits

    @property
    def creator_parameters(self) -> list[nn.Parameter]:
        """Parameters of the player against the discriminator: those of the generator and of the encoder."""
        own = [*self.generator.parameters()]
        return own if self.encoder is None else [*own, *self.encoder.parameters()]

    @torch.no_grad()
    def average(self) -> None:
        """Takes the generator's present weights into the average, where there is one."""
        if self.averaged is not None:
            self.averaged.update_parameters(self.generator)

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


Build = Callable[..., nn.Module]


def build_network(
    generator: Build,
    discriminator: Build,
    encoder: Build | None,
    initialise: Callable[[nn.Module], None] | None,
    image_size: int,
    latent_size: int,
    ema_decay: float,
    second_order: bool,
) -> GanNetwork:
    """Builds and initialises the networks of a GAN.

    Args:
        generator: Called with image size and latent size.
        discriminator: Called with the image size, and with an encoder also with the latent size.
        encoder: Called with image size and latent size, or None.
        initialise: Called with each network; None leaves the layers as torch made them.
        image_size: Side S of the images.
        latent_size: Length of a latent.
        ema_decay: See `GanNetwork`.
        second_order: See `GanNetwork`.

    Returns:
        The networks; the average begins with the generator after the first update, which takes the place of the
        initialised one.
    """
    sizes = {"image_size": image_size, "latent_size": latent_size}
    return GanNetwork(
        _initialised(generator(**sizes), initialise),
        _initialised(discriminator(**({"image_size": image_size} if encoder is None else sizes)), initialise),
        None if encoder is None else _initialised(encoder(**sizes), initialise),
        ema_decay,
        second_order,
    )


def _initialised(network: nn.Module, initialise: Callable[[nn.Module], None] | None) -> nn.Module:
    if initialise is not None:
        initialise(network)
    return network
