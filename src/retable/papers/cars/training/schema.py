"""What may be set of the training: ``conf/model/*.yaml`` of the GANs."""

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING, SI

from retable.options import Options, option


@dataclass
class GanConfig:
    """A GAN: its networks, its losses and its optimisers.

    Attributes:
        generator: The generator, called with image size and latent size.
        discriminator: The discriminator, called with the image size; with an encoder also with the latent size.
        encoder: Encoder of a bidirectional GAN; null without one.
        initialisation: First weights of all networks.
        image_size: Side of the images in pixels; by default that of the data.
        latent_size: Length of a latent.
        loss: What both players minimise.
        optimizer: An optimiser of torch, called with parameters, learning rate and weight decay, once for each player.
        lr: Learning rate.
        weight_decay: Weight decay.
        gradient_clip: Largest norm of each player's gradient in an update; null does not clip.
        accumulate: Micro-batches that a batch is divided into, one after another, where memory is short.
        latent: Latent optimisation; null without it.
        orthogonal: Weight of the orthogonal regularisation of generator and discriminator; 0 without it.
        orthogonal_diagonal: Whether it also asks for filters of length 1.
        r1: Weight gamma of the R1 gradient penalty; 0 without it.
        augment: Augmentation of what the discriminator sees: some of ``colour``, ``translation`` and ``cutout``.
        ema_decay: Decay of the moving average of the generator that makes the samples; 0 samples from the generator.
        fidelity: The scores of generated images.
    """

    _target_: str = "retable.papers.cars.training.lightning_model.Gan"
    _convert_: str = "all"
    generator: Any = MISSING
    discriminator: Any = MISSING
    encoder: Any = None
    initialisation: Any = MISSING
    image_size: int = SI("${oc.select:data.image_size,64}")
    latent_size: int = 100
    loss: Any = MISSING
    optimizer: Any = MISSING
    lr: float = 1e-4
    weight_decay: float = 1e-3
    gradient_clip: float | None = None
    accumulate: int = 1
    latent: Any = None
    orthogonal: float = 0.0
    orthogonal_diagonal: bool = True
    r1: float = 0.0
    augment: list[str] = field(default_factory=list)
    ema_decay: float = 0.0
    fidelity: Any = MISSING


@dataclass
class LatentConfig:
    """Latent optimisation, see `retable.papers.cars.training.latent.LatentOptimisation`.

    Attributes:
        alpha: Step size.
        beta: Damping.
        fraction: Part c of the elements of z that are optimised.
        weight: Weight w_r of the squared length of the step.
        detach: Takes optimised latents for constants; for the ablation only.
    """

    _target_: str = "retable.papers.cars.training.latent.LatentOptimisation"
    alpha: float = 0.9
    beta: float = 5.0
    fraction: float = 0.5
    weight: float = 300.0
    detach: bool = False


@dataclass
class PredictionOptions(Options):
    """What ``predict.py`` may be asked of a generator.

    Attributes:
        n: Number of samples.
        seed: Seed of the samples.
        interpolation_steps: Images on the way from one sample to the next, both included.
    """

    n: int = option(64, least=1)
    seed: int = option(1, least=0, below=2**63)
    interpolation_steps: int = option(8, least=2)


SCHEMAS: dict[str, Any] = {
    "model/gan": GanConfig,
    "model/latent/natural_gradient": LatentConfig,
}
