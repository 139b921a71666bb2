"""How Lightning trains the GANs: two players, two optimisers, one step at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from pytorch_lightning import LightningModule
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.strategies import DDPStrategy
from torch import Tensor, nn

from retable.errors import ConfigError, DivergenceError
from retable.nn.batch_norm import SynchronisedBatchNorm2d
from retable.papers.cars.training.augmentation import Augmentation
from retable.papers.cars.training.gradients import Gradients
from retable.papers.cars.training.latent import LatentOptimisation
from retable.papers.cars.training.losses import AdversarialLoss
from retable.papers.cars.training.network import Build, build_network
from retable.papers.cars.training.objectives import Game, Losses, Round
from retable.papers.cars.training.schema import PredictionOptions
from retable.papers.cars.training.snapshots import NEAREST, Snapshots
from retable.papers.cars.training.step_random import Draws
from retable.run import paths

Batch = dict[str, Tensor]
_LOGGED = {
    "train/loss_discriminator": "discriminator",
    "train/loss_generator": "creator",
    "train/logit_real": "real",
    "train/logit_fake": "fake",
    "train/latent_shift": "shift",
}  # each with its name in `Losses`
_PLAYERS = ("discriminator", "generator")
_PROBED = 8  # samples that are looked at before a checkpoint is written
_LARGEST_LOGIT = 1e6  # a sigmoid is 0 or 1 from some 100 on; beyond this no training comes back
_SCORE_STREAM = 0x5343  # keeps the latents that are scored apart from those that are trained on


class Gan(LightningModule):
    """A GAN with its losses and optimisers; the keys are described in `retable.papers.cars.training.schema.GanConfig`.

    Batches hold ``images`` (B, 3, S, S) in [0, 1] and ``indices`` (B,). Without latent optimisation the players take
    turns, as in the tutorial that the essay is based on: the discriminator is updated first, and the generator plays
    against the updated one. With it both losses come from one latent step and both updates follow them, as in
    Algorithm 1 of arXiv 1912.00953. A step of the trainer is one update of each player.

    Attributes:
        network: All networks.
        spherical_latents: Whether latents are standard normal (3.2), and not uniform in [-1, 1], which latent
            optimisation clips to.

    Raises:
        ConfigError: A value that cannot work.
    """

    weights_origin = "scratch"
    monitor_mode = "min"
    prediction_options = PredictionOptions

    def __init__(
        self,
        generator: Build,
        discriminator: Build,
        initialisation: Callable[[nn.Module], None] | None,
        image_size: int,
        latent_size: int,
        loss: AdversarialLoss,
        optimizer: Callable[..., torch.optim.Optimizer],
        lr: float,
        weight_decay: float,
        fidelity: Any,
        encoder: Build | None = None,
        gradient_clip: float | None = None,
        accumulate: int = 1,
        latent: LatentOptimisation | None = None,
        orthogonal: float = 0.0,
        orthogonal_diagonal: bool = True,
        r1: float = 0.0,
        augment: Sequence[str] = (),
        ema_decay: float = 0.0,
    ) -> None:
        super().__init__()
        for name, value, sound, need in (
            ("image_size", image_size, image_size >= 1, "1 or more"),
            ("latent_size", latent_size, latent_size >= 1, "1 or more"),
            ("lr", lr, lr > 0, "above 0"),
            ("weight_decay", weight_decay, weight_decay >= 0, "0 or more"),
            ("gradient_clip", gradient_clip, gradient_clip is None or gradient_clip > 0, "above 0, or null"),
            ("accumulate", accumulate, accumulate >= 1, "1 or more"),
            ("orthogonal", orthogonal, orthogonal >= 0, "0 or more"),
            ("r1", r1, r1 >= 0, "0 or more"),
            ("ema_decay", ema_decay, 0 <= ema_decay < 1, "from 0 to below 1"),
        ):
            if not sound:
                raise ConfigError(f"model.{name}={value}: must be {need}")
        if isinstance(fidelity, str):
            raise ConfigError(f"model.fidelity={fidelity}: a group is chosen with a slash, model/fidelity={fidelity}")
        self.automatic_optimization = False
        self.image_size, self.latent_size = image_size, latent_size
        self.network = build_network(
            generator, discriminator, encoder, initialisation, image_size, latent_size, ema_decay,
            second_order=latent is not None or r1 > 0,
        )  # fmt: skip
        self.game = Game(
            self.network, loss, latent, Augmentation(augment), orthogonal, orthogonal_diagonal, r1
        )  # fmt: skip
        self.spherical_latents = latent is None
        self.fidelity = fidelity
        self._optimizer, self._lr, self._weight_decay = optimizer, lr, weight_decay
        self._gradient_clip, self._accumulate = gradient_clip, accumulate

    @property
    def monitor(self) -> str:
        """The validation metric that says which epoch is best: the Frechet distance."""
        return f"val/{self.fidelity.monitor_name}"

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
            return torch.randn(count, self.latent_size, generator=generator)
        return torch.rand(count, self.latent_size, generator=generator) * 2 - 1

    def latents_of(self, indices: Sequence[int], seed: int = 0) -> Tensor:
        """Latents (N, latent_size) of the samples with these numbers: each depends on the seed and its number alone."""
        generator = torch.Generator()
        drawn = []
        for index in indices:
            state = np.random.SeedSequence([seed, index, _SCORE_STREAM]).generate_state(1, np.uint64)[0]
            drawn.append(self.draw_latents(1, generator.manual_seed(int(state >> np.uint64(1)))))
        return torch.cat(drawn)

    @torch.no_grad()
    def sample(self, latents: Tensor) -> Tensor:
        """Generates images from latents (B, latent_size), with the running statistics of batch normalisations.

        Latents are not optimised: that belongs to training (arXiv 1912.00953). The average generator draws where
        there is one.

        Returns:
            Images (B, 3, S, S) in [0, 1], float32.
        """
        was_training = self.network.training
        self.network.eval()
        images: Tensor = self.network(latents.to(self.device))
        self.network.train(was_training)
        return (images.float() * 0.5 + 0.5).clamp(0, 1)

    def configure_callbacks(self) -> list[Callback]:
        """Pictures of the samples.

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
        if data.image_size != self.image_size:
            raise ConfigError(
                f"model.image_size={self.image_size}: data.image_size is {data.image_size}; they must be equal"
            )
        if trainer.world_size > 1 and not isinstance(trainer.strategy, DDPStrategy):
            raise ConfigError("trainer.strategy: several processes train a GAN with ddp only")

    def on_fit_start(self) -> None:
        """Refuses layers that cannot be differentiated as often as needed.

        Raises:
            ConfigError: There are some.
        """
        synchronised = (nn.SyncBatchNorm, SynchronisedBatchNorm2d)
        if self.network.second_order and any(isinstance(layer, synchronised) for layer in self.network.modules()):
            raise ConfigError(
                "trainer.sync_batchnorm: latent optimisation and R1 need second derivatives, which synchronised batch "
                "normalisation does not have; use trainer.sync_batchnorm=false"
            )

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """One optimiser for the discriminator, one for generator and encoder."""
        options = {"lr": self._lr, "weight_decay": self._weight_decay}
        return [self._optimizer(parameters, **options) for parameters in self._parameters_of_players()]

    def training_step(self, batch: Batch, batch_index: int) -> None:
        """Updates both players on a batch.

        Raises:
            DivergenceError: A loss or a gradient is not finite; it was not used.
        """
        step = self.global_step
        images = batch["images"] * 2 - 1
        seed = getattr(self.trainer.datamodule, "seed", 0)  # type: ignore[attr-defined]
        draws = Draws(
            seed, self.current_epoch, batch_index, images.device, self.trainer.global_rank, self.trainer.world_size
        )
        shape = (len(images), self.latent_size)
        latents = draws.normal(*shape) if self.spherical_latents else draws.uniform(*shape, low=-1, high=1)
        rounds = self.game.rounds(images, latents, draws, self._accumulate)
        found = self._take_turns(rounds) if self.game.latent is None else self._move_together(rounds)
        self.network.average()
        self._report(found, step, len(images))

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Clips the gradient that is about to be used: averaged over the processes and unscaled by now."""
        if self._gradient_clip is not None:
            parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
            nn.utils.clip_grad_norm_(parameters, self._gradient_clip)

    def on_train_epoch_end(self) -> None:
        """Looks at the networks before the epoch's checkpoint, which Lightning writes after this, replaces a good one.

        What an update did is seen in the losses of the next step only, and that may be in the next epoch.

        Raises:
            DivergenceError: They are not what a training can go on from.
        """
        if not self.trainer.strategy.reduce_boolean_decision(self._is_sound()):  # all processes stop
            raise self._divergence("what generator and discriminator compute is not finite, or beyond all bounds,")

    def on_validation_epoch_start(self) -> None:
        """Prepares the scores."""
        self.fidelity.begin(self.trainer.datamodule)  # type: ignore[attr-defined]

    def on_test_epoch_start(self) -> None:
        """Prepares the scores."""
        self.fidelity.begin(self.trainer.datamodule)  # type: ignore[attr-defined]

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        """Draws one sample for each real image."""
        self._score(batch)

    def test_step(self, batch: Batch, batch_index: int) -> None:
        """Draws one sample for each real image."""
        self._score(batch)

    def on_validation_epoch_end(self) -> None:
        """Logs the scores."""
        self._log_scores("val")

    def on_test_epoch_end(self) -> None:
        """Logs the scores."""
        self._log_scores("test")

    def predict_to(self, output: Path, options: PredictionOptions, data: Any, about: dict[str, Any]) -> None:
        """Writes samples (see `retable.papers.cars.prediction.write_samples`).

        Args:
            output: Folder for the results.
            options: What ``predict.py`` was asked.
            data: Not needed: samples come from latents.
            about: What is told of the run in the results.

        Raises:
            StorageError: A result cannot be written.
        """
        from retable.papers.cars.prediction import write_samples

        write_samples(self, output, options, about)

    def _parameters_of_players(self) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
        return list(self.network.discriminator.parameters()), self.network.creator_parameters

    def _gradients(self) -> tuple[Gradients, Gradients]:
        scaler = getattr(self.trainer.precision_plugin, "scaler", None)
        discriminator, creator = self._parameters_of_players()
        return Gradients(discriminator, scaler), Gradients(creator, scaler)

    def _take_turns(self, rounds: list[Round]) -> list[tuple[float, Losses]]:
        generator, found = self.network.generator, []
        discriminator, creator = self._gradients()
        shared = len(rounds) == 1  # else the graphs of all micro-batches would have to be kept
        fake = torch.empty(0)
        for part in rounds:
            with torch.set_grad_enabled(shared):
                fake = generator(part.latents)
            losses = self.game.discriminator(part, fake)
            assert losses.discriminator is not None
            discriminator.add(losses.discriminator, part.weight)
            found.append((part.weight, losses))
        self._update(0, discriminator)
        for part in rounds:
            losses = self.game.creator(part, fake if shared else generator(part.latents))
            assert losses.creator is not None
            creator.add(losses.creator, part.weight)
            found.append((part.weight, losses))
        self._update(1, creator)
        return found

    def _move_together(self, rounds: list[Round]) -> list[tuple[float, Losses]]:
        found = []
        discriminator, creator = self._gradients()
        for part in rounds:
            losses = self.game.both(part)
            assert losses.discriminator is not None
            assert losses.creator is not None
            discriminator.add(losses.discriminator, part.weight, retain_graph=True)
            creator.add(losses.creator, part.weight)
            found.append((part.weight, losses))
        self._update(0, discriminator)
        self._update(1, creator)
        return found

    def _update(self, player: int, gradients: Gradients) -> None:
        gradients.assign(self.trainer.world_size)
        self._refuse_divergence(player, gradients)
        optimizer = self.optimizers()[player]  # type: ignore[index]
        if player == 1:
            optimizer.step()
        else:  # not through Lightning's wrapper, which would count a second step of the trainer
            self.trainer.strategy.optimizer_step(optimizer.optimizer, _nothing)

    def _report(self, found: list[tuple[float, Losses]], step: int, count: int) -> None:
        """Logs losses and what stands beside them, as means over all processes, every so many steps."""
        interval = self.trainer.log_every_n_steps  # type: ignore[attr-defined]
        if not interval or (step + 1) % interval:
            return
        sums: dict[str, Tensor] = {}
        for name, part in _LOGGED.items():
            parts = [(weight, getattr(losses, part)) for weight, losses in found]
            known = [weight * value.detach() for weight, value in parts if value is not None]
            if known:
                sums[name] = torch.stack(known).sum()
        values = torch.stack(list(sums.values()))
        if self.trainer.world_size > 1:
            dist.all_reduce(values)
            values = values / self.trainer.world_size
        self.log_dict(dict(zip(sums, values, strict=True)), batch_size=count)

    def _refuse_divergence(self, player: int, gradients: Gradients) -> None:
        """Checks what a player is about to be updated with, at the price of one wait for the device.

        Raises:
            DivergenceError: The loss or the gradient is not finite.
        """
        checked = {"loss": gradients.loss}
        if getattr(self.trainer.precision_plugin, "scaler", None) is None:  # a scaler leaves out such updates itself
            checked["gradient"] = gradients.norm()
        values = torch.stack(list(checked.values()))
        if self.trainer.world_size > 1:  # so that all processes stop when one of them has to
            dist.all_reduce(values)
        for name, value in zip(checked, values.tolist(), strict=True):
            if not math.isfinite(value):
                raise self._divergence(f"the {name} of the {_PLAYERS[player]} is not finite")

    @torch.no_grad()
    def _is_sound(self) -> bool:
        """Whether all weights, some samples and their logits are finite and of a size that a training can have."""
        state = [value for value in self.network.state_dict().values() if value.is_floating_point()]
        latents = self.latents_of(range(_PROBED)).to(self.device)
        was_training = self.network.training
        self.network.eval()
        images = self.network.generator(latents)
        logits = self.network.judge(images, latents)
        self.network.train(was_training)
        # the norm is not finite either where a weight's square is not
        values = torch.stack([nn.utils.get_total_norm(state), images.sum(), logits.abs().max()]).tolist()
        return all(map(math.isfinite, values)) and values[-1] <= _LARGEST_LOGIT

    def _divergence(self, fact: str) -> DivergenceError:
        last = f"{paths.CHECKPOINTS}/{paths.LAST}"
        is_there = (Path(self.trainer.default_root_dir) / last).is_file()
        kept = f"{last} keeps the last good epoch" if is_there else "no epoch was finished, so there is no checkpoint"
        remedy = "a lower model.lr" + (" or model.gradient_clip=1" if self._gradient_clip is None else "")
        return DivergenceError(f"{fact} at step {self.global_step}: try {remedy}; {kept}")

    def _score(self, batch: Batch) -> None:
        self.fidelity.update(self.sample(self.latents_of(batch["indices"].tolist())), batch["indices"])

    def _log_scores(self, prefix: str) -> None:
        scores = {f"{prefix}/{name}": float(value) for name, value in self.fidelity.compute().items()}
        # all processes have the same values already; the mean over them only spares a warning
        self.log_dict(scores, sync_dist=True)


def _nothing() -> None:
    """The closure of an optimiser whose gradients are there already."""
