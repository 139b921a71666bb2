"""What may be set of the training: ``conf/model/*.yaml`` of the GANs."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from omegaconf import MISSING, SI

from retable.errors import ConfigError
from retable.options import Options, option


@dataclass
class GanConfig(Options):
    """A GAN: its networks, its losses and its optimisers.

    Attributes:
        generator: The generator, called with image size and latent size.
        discriminator: The discriminator, called with the image size; with an encoder also with the latent size.
        encoder: Encoder of a bidirectional GAN; null without one.
        initialisation: First weights of all networks, a function of a network; null leaves the layers as torch makes
            them.
        image_size: Side of the images in pixels; by default that of the data.
        pixel_mean: What is subtracted from red, green and blue in [0, 1] before the networks see them.
        pixel_std: What they are divided by then. A generator draws from -1 to 1: what is not in [0, 1] once both are
            undone is clipped.
        latent_size: Length of a latent.
        loss: An `AdversarialLoss`: what discriminator and generator minimise.
        optimizer: An optimiser of torch, called with parameters, learning rate and weight decay, once for the
            discriminator and once for generator and encoder.
        lr: Learning rate.
        weight_decay: Weight decay.
        gradient_clip: Largest norm of the gradient of discriminator or generator in an update; null does not clip.
        accumulate: Micro-batches that a batch is divided into, one after another, where memory is short.
        latent: Latent optimisation; null without it.
        orthogonal: Weight of the orthogonal regularisation of generator and discriminator; 0 without it.
        orthogonal_diagonal: Whether it also asks for filters of length 1.
        r1: Weight gamma of the R1 gradient penalty gamma / 2 |dD/dx|^2; 0 without it.
        augment: Augmentation of what the discriminator sees: some of ``colour``, ``translation`` and ``cutout``.
        ema_decay: Decay of the moving average of the generator that makes the samples; 0 samples from the generator.
        average: Whether that average makes the samples, where there is one; false samples from the generator.
        fidelity: The scores of generated images.
        choose: The validation score that says which epoch is best, by its first word: ``fid`` is ``fid`` with
            Inception, ``fid_domain`` with the domain extractor. The last epoch, whatever its scores, is not chosen
            here but by ``test_checkpoint=last``.
    """

    task: ClassVar[str] = "images alone"
    inference_options: ClassVar[frozenset[str]] = frozenset({"fidelity", "average"})

    _target_: str = "retable.papers.cars.training.lightning_model.Gan"
    generator: Any = MISSING
    discriminator: Any = MISSING
    encoder: Any = None
    initialisation: Any = MISSING
    image_size: int = option(SI("${oc.select:data.image_size,64}"), least=1)
    pixel_mean: list[float] = option([0.5, 0.5, 0.5], least=0, most=1)
    pixel_std: float = option(0.5, above=0)
    latent_size: int = option(100, least=1)
    loss: Any = MISSING
    optimizer: Any = MISSING
    lr: float = option(1e-4, above=0)
    weight_decay: float = option(1e-3, least=0)
    gradient_clip: float | None = option(None, above=0)
    accumulate: int = option(1, least=1)
    latent: Any = None
    orthogonal: float = option(0.0, least=0)
    orthogonal_diagonal: bool = True
    r1: float = option(0.0, least=0)
    augment: list[str] = option([], choices=("colour", "translation", "cutout"))
    ema_decay: float = option(0.0, least=0, below=1)
    average: bool = True
    fidelity: Any = MISSING
    choose: str = option("fid", choices=("fid", "is", "kid", "precision", "recall"))

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.pixel_mean) != 3:
            raise ConfigError(f"model.pixel_mean={list(self.pixel_mean)}: must be three numbers, red, green and blue")


class LatentNorm(StrEnum):
    """What damps the latent step beside beta; g is the gradient of the samples' scores."""

    sample = "sample"  # |g|^2 of each sample: arXiv 1912.00953 and the essay's (2)
    batch = "batch"  # |g| of each element over the (micro-)batch: the essay's published code


@dataclass
class LatentConfig(Options):
    """Latent optimisation; the defaults are those of arXiv 1912.00953 with BigGAN.

    Attributes:
        alpha: Step size.
        beta: Damping.
        fraction: Part c of the elements of z that are optimised; the others keep their value.
        weight: Weight w_r of the squared length of the step that is taken.
        detach: Takes optimised latents for constants. Only for the ablation: LOGAN is the second derivatives. The
            regulariser then is a constant, too: it is added to the losses and trains nothing.
        norm: What damps the step beside beta: ``sample`` or ``batch``.
        divisor: What that norm is divided by.
        probability: Takes the discriminator's probability for the score, not its logit.
        in_turns: Updates the generator after the discriminator and against the updated one, as without latent
            optimisation; only with detach.
    """

    _target_: str = "retable.papers.cars.training.latent.LatentOptimisation"
    alpha: float = option(0.9, above=0)
    beta: float = option(5.0, above=0)
    fraction: float = option(0.5, above=0, most=1)
    weight: float = option(300.0, least=0)
    detach: bool = False
    norm: LatentNorm = LatentNorm.sample
    divisor: float = option(1.0, above=0)
    probability: bool = False
    in_turns: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.in_turns and not self.detach:
            raise ConfigError(
                "model.latent.in_turns=true: what the generator would differentiate through has been updated by then; "
                "add model.latent.detach=true"
            )


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
