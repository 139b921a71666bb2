"""How Lightning trains the GANs: two optimisers, one step at a time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from pytorch_lightning import LightningModule
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.strategies import DDPStrategy
from torch import Tensor, nn
from torch.amp import GradScaler

from retable.errors import ConfigError, DivergenceError
from retable.nn.batch_norm import SynchronisedBatchNorm2d
from retable.papers.cars.training.gradients import Gradients
from retable.papers.cars.training.network import GanNetwork
from retable.papers.cars.training.objectives import Losses, MicroBatch, Objectives
from retable.papers.cars.training.schema import GanConfig, PredictionOptions
from retable.papers.cars.training.snapshots import NEAREST, Snapshots
from retable.papers.cars.training.step_random import StepRandom, seeded_generator
from retable.run import paths

Batch = dict[str, Tensor]
_UPDATED = ("discriminator", "generator")  # by the first and the second optimiser
_PROBED = 8  # samples that are looked at before a checkpoint is written
_SCORE_STREAM = 0x5343  # keeps the latents that are scored apart from those that are trained on


class Gan(LightningModule):
    """A GAN with its losses and optimisers.

    Batches hold ``images`` (B, 3, S, S) in [0, 1] and ``indices`` (B,). Without latent optimisation the networks are
    updated in turns, as in the tutorial that the essay is based on: the discriminator first, and the generator's loss
    is that against the updated one. With it both losses come from one latent step and both updates follow them, as in
    Algorithm 1 of arXiv 1912.00953, unless it says otherwise. A step of the trainer is one update of each.

    Attributes:
        spherical_latents: Whether latents are standard normal (3.2), and not uniform in [-1, 1], which latent
            optimisation clips to.

    Raises:
        ConfigError: A value that cannot work.
    """

    weights_origin = "scratch"
    prediction_options = PredictionOptions
    _pixel_mean: Tensor

    def __init__(self, config: GanConfig) -> None:
        super().__init__()
        if isinstance(config.fidelity, str):
            name = config.fidelity
            raise ConfigError(f"model.fidelity={name}: a group is chosen with a slash, model/fidelity={name}")
        self.config = config
        self.automatic_optimization = False
        self.network = GanNetwork(config)
        self.objectives = Objectives(config, self.network)
        self.spherical_latents = config.latent is None
        self.fidelity = config.fidelity
        mean = torch.tensor(list(config.pixel_mean)).view(3, 1, 1)
        self.register_buffer("_pixel_mean", mean, persistent=False)  # with the model on its device, in no checkpoint

    @property
    def monitor(self) -> str:
        """The validation metric that says which epoch is best, as `GanConfig.choose` says."""
        return f"val/{self._chosen_score}"

    @property
    def monitor_mode(self) -> str:
        """Whether the best epoch has the highest of them, ``max``, or the lowest, ``min``."""
        return "max" if self.fidelity.info[self._chosen_score][1] == "higher" else "min"

    @property
    def _chosen_score(self) -> str:
        name = f"{self.config.choose}{self.fidelity.suffix}"
        if name not in self.fidelity.info:
            raise ConfigError(
                f"model.choose={self.config.choose}: {name} is not computed by {self.fidelity.origin}, "
                f"which has {', '.join(self.fidelity.info)}"
            )
        return name

    @property
    def metric_info(self) -> dict[str, tuple[str, str]]:
        """Unit and direction of each score."""
        return {**self.fidelity.info, **NEAREST}

    @property
    def about(self) -> dict[str, str]:
        """What the scores were made with, for the record: numbers of different extractors cannot be compared."""
        return {"scores": str(self.fidelity.origin)}

    def draw_latents(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """Draws latents (count, latent_size) on the CPU, from the distribution that the model is trained with."""
        if self.spherical_latents:
            return torch.randn(count, self.config.latent_size, generator=generator)
        return torch.rand(count, self.config.latent_size, generator=generator) * 2 - 1

    def latents_of(self, indices: Sequence[int], seed: int = 0) -> Tensor:
        """Draws latents (N, latent_size) of numbered samples: each depends on the seed and its number alone."""
        generators = (seeded_generator(seed, index, _SCORE_STREAM) for index in indices)
        return torch.cat([self.draw_latents(1, generator) for generator in generators])

    @torch.no_grad()
    def sample(self, latents: Tensor) -> Tensor:
        """Generates images from latents (B, latent_size), with the running statistics of batch normalisations.

        Latents are not optimised: that belongs to training (arXiv 1912.00953). The average generator draws where
        there is one, and `config.average` does not say otherwise.

        Returns:
            Images (B, 3, S, S) in [0, 1], float32.
        """
        was_training = self.network.training
        self.network.eval()
        images: Tensor = self.network(latents.to(self.device))
        self.network.train(was_training)
        return (images.float() * self.config.pixel_std + self._pixel_mean).clamp(0, 1)

    def configure_callbacks(self) -> list[Callback]:
        """Adds pictures of the samples.

        Raises:
            ConfigError: The trainer was asked for what only one optimiser can have.
        """
        # here, because Lightning refuses these right after, with a traceback
        if self.trainer.gradient_clip_val:
            raise ConfigError("trainer.gradient_clip_val: a GAN has two optimisers; use model.gradient_clip instead")
        if self.trainer.accumulate_grad_batches != 1:
            raise ConfigError("trainer.accumulate_grad_batches: a GAN has two optimisers; use model.accumulate instead")
        precision = str(self.trainer.precision)
        if precision.endswith("-true") and precision != "32-true":
            raise ConfigError(
                f"trainer.precision={precision}: latents, losses and updates are float32; use bf16-mixed or 16-mixed"
            )
        return [Snapshots()]

    def setup(self, stage: str) -> None:
        """Checks that the data and the strategy fit.

        Raises:
            ConfigError: They do not.
        """
        trainer, data = self.trainer, self.trainer.datamodule  # type: ignore[attr-defined]
        if not hasattr(type(data), "images"):
            raise ConfigError("data: the model learns to draw cars and the data are something else; use data=cars")
        if data.image_size != self.config.image_size:
            raise ConfigError(
                f"model.image_size={self.config.image_size}: data.image_size is {data.image_size}; they must be equal"
            )
        if trainer.world_size > 1 and not isinstance(trainer.strategy, DDPStrategy):
            raise ConfigError("trainer.strategy: several processes train a GAN with ddp only")

    def on_fit_start(self) -> None:
        """Refuses a rule of choice without its score, and layers that cannot be differentiated as often as needed.

        Raises:
            ConfigError: There is no such score, or there are such layers.
            CheckpointError: The weights that the scores need are missing or wrong.
        """
        _ = self._chosen_score  # now, not after the epochs before the first validation
        synchronised = (nn.SyncBatchNorm, SynchronisedBatchNorm2d)
        if self.network.second_order and any(isinstance(layer, synchronised) for layer in self.network.modules()):
            raise ConfigError(
                "trainer.sync_batchnorm: latent optimisation and R1 need second derivatives, which synchronised batch "
                "normalisation does not have; use trainer.sync_batchnorm=false"
            )

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Makes one optimiser for the discriminator, and one for generator and encoder."""
        options = {"lr": self.config.lr, "weight_decay": self.config.weight_decay}
        return [self.config.optimizer(parameters, **options) for parameters in self._updated_parameters()]

    def training_step(self, batch: Batch, batch_index: int) -> None:
        """Updates discriminator and generator on a batch.

        Raises:
            DivergenceError: A loss or a gradient is not finite; it was not used.
        """
        step = self.global_step
        images = (batch["images"] - self._pixel_mean) / self.config.pixel_std
        seed = getattr(self.trainer.datamodule, "seed", 0)  # type: ignore[attr-defined]
        random = StepRandom(
            seed, self.current_epoch, batch_index, images.device, self.trainer.global_rank, self.trainer.world_size
        )
        shape = (len(images), self.config.latent_size)
        latents = random.normal(*shape) if self.spherical_latents else random.uniform(*shape, low=-1, high=1)
        parts = self.objectives.micro_batches(images, latents, random)
        latent = self.objectives.latent
        if latent is not None and latent.config.in_turns:
            parts = [self.objectives.optimised(part) for part in parts]
        together = latent is not None and not latent.config.in_turns
        found = self._update_together(parts) if together else self._update_in_turns(parts)
        self.network.average()
        self._report(found, step, len(images))

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Clips the gradient that is about to be used: averaged over the processes and unscaled by now."""
        if self.config.gradient_clip is not None:
            parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
            nn.utils.clip_grad_norm_(parameters, self.config.gradient_clip)

    def on_train_epoch_end(self) -> None:
        """Looks at the networks before the epoch's checkpoint, which Lightning writes after this, replaces a good one.

        What an update did is seen in the losses of the next step only, and that may be in the next epoch.

        Raises:
            DivergenceError: They are not what a training can go on from.
        """
        latents = self.latents_of(range(_PROBED)).to(self.device)
        if not self.trainer.strategy.reduce_boolean_decision(self.network.is_sound(latents)):  # all processes stop
            raise self._divergence("what generator and discriminator compute is not finite, or beyond all bounds,")

    def on_validation_epoch_start(self) -> None:
        """Prepares the scores."""
        self.fidelity.begin(self.trainer.datamodule)  # type: ignore[attr-defined]

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        """Draws one sample for each real image."""
        self.fidelity.update(self.sample(self.latents_of(batch["indices"].tolist())), batch["indices"])

    def on_validation_epoch_end(self) -> None:
        """Logs the scores."""
        prefix = self.trainer.datamodule.test_name if self.trainer.testing else "val"  # type: ignore[attr-defined]
        scores = {f"{prefix}/{name}": float(value) for name, value in self.fidelity.compute().items()}
        # all processes have the same values already; the mean over them only spares a warning
        self.log_dict(scores, sync_dist=True)

    on_test_epoch_start, test_step, on_test_epoch_end = (
        on_validation_epoch_start, validation_step, on_validation_epoch_end,
    )  # fmt: skip

    def example_input(self) -> Tensor:
        """Returns latents (2, latent_size) as the network takes them."""
        return torch.zeros(2, self.config.latent_size)

    def predict_to(self, output: Path, options: PredictionOptions, data: Any, about: dict[str, Any]) -> None:
        """Writes samples (see `retable.papers.cars.prediction.write_samples`); they come from latents, not from data.

        Raises:
            StorageError: A result cannot be written.
        """
        from retable.papers.cars.prediction import write_samples

        write_samples(self, output, options, about)

    @property
    def _scaler(self) -> GradScaler | None:
        scaler: GradScaler | None = getattr(self.trainer.precision_plugin, "scaler", None)
        return scaler

    def _updated_parameters(self) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
        return list(self.network.discriminator.parameters()), self.network.generator_parameters

    def _gradients(self) -> list[Gradients]:
        return [Gradients(parameters, self._scaler) for parameters in self._updated_parameters()]

    def _update_in_turns(self, parts: list[MicroBatch]) -> list[tuple[float, Losses]]:
        network, found = self.network.generator, []
        discriminator, generator = self._gradients()
        shared = len(parts) == 1  # else the graphs of all micro-batches would have to be kept
        fake = torch.empty(0)
        for part in parts:
            with torch.set_grad_enabled(shared):
                fake = network(part.latents)
            losses = self.objectives.discriminator(part, fake)
            discriminator.add(losses["loss_discriminator"], part.weight)
            found.append((part.weight, losses))
        self._update(0, discriminator)
        for part in parts:
            losses = self.objectives.generator(part, fake if shared else network(part.latents))
            generator.add(losses["loss_generator"], part.weight)
            found.append((part.weight, losses))
        self._update(1, generator)
        return found

    def _update_together(self, parts: list[MicroBatch]) -> list[tuple[float, Losses]]:
        found = []
        discriminator, generator = self._gradients()
        for part in parts:
            losses = self.objectives.both(part)
            discriminator.add(losses["loss_discriminator"], part.weight, retain_graph=True)
            generator.add(losses["loss_generator"], part.weight)
            found.append((part.weight, losses))
        self._update(0, discriminator)
        self._update(1, generator)
        return found

    def _update(self, index: int, gradients: Gradients) -> None:
        gradients.assign(self.trainer.world_size)
        broken = gradients.what_is_not_finite(self.trainer.world_size)
        if broken is not None:
            raise self._divergence(f"the {broken} of the {_UPDATED[index]} is not finite")
        optimizer = self.optimizers()[index]  # type: ignore[index]
        if index == 1:
            optimizer.step()
        else:  # not through Lightning's wrapper, which would count a second step of the trainer
            self.trainer.strategy.optimizer_step(optimizer.optimizer, _nothing)

    def _report(self, found: list[tuple[float, Losses]], step: int, count: int) -> None:
        """Logs losses and what stands beside them, as means over all processes, every so many steps."""
        interval = self.trainer.log_every_n_steps  # type: ignore[attr-defined]
        if not interval or (step + 1) % interval:
            return
        parts: dict[str, list[Tensor]] = {}
        for weight, losses in found:
            for name, value in losses.items():
                parts.setdefault(f"train/{name}", []).append(weight * value.detach())
        values = torch.stack([torch.stack(of_name).sum() for of_name in parts.values()])
        if self.trainer.world_size > 1:
            dist.all_reduce(values)
            values = values / self.trainer.world_size
        self.log_dict(dict(zip(parts, values, strict=True)), batch_size=count)

    def _divergence(self, fact: str) -> DivergenceError:
        """Makes the error that says what happened, what may help and what is left."""
        last = f"{paths.CHECKPOINTS}/{paths.LAST}"
        is_there = (Path(self.trainer.default_root_dir) / last).is_file()
        kept = f"{last} keeps the last good epoch" if is_there else "no epoch was finished, so there is no checkpoint"
        remedy = "a lower model.lr" + (" or model.gradient_clip=1" if self.config.gradient_clip is None else "")
        return DivergenceError(f"{fact} at step {self.global_step}: try {remedy}; {kept}")


def _nothing() -> None:
    """The closure of an optimiser whose gradients are there already."""
