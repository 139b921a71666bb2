"""Whole trainings of tiny GANs through Lightning."""

import math
from pathlib import Path
from typing import Any

import cv2
import pytest
import torch
from pytorch_lightning import Trainer
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.plugins.precision import MixedPrecision
from tests.papers.cars.training.tiny import LATENT, SIZE, TinyImages, TinyScores, tiny_gan, tiny_latent, tiny_trainer
from torch import Tensor

from retable.errors import ConfigError, DivergenceError
from retable.papers.cars.training.losses import BinaryCrossEntropy
from retable.run import checkpoints
from retable.run.callbacks import EpochCheckpoints, SeedEpochs

pytestmark = [
    pytest.mark.slow,  # it trains
    pytest.mark.filterwarnings("ignore:.*LeafSpec.*:FutureWarning"),
    pytest.mark.filterwarnings("ignore:.*does not have many workers.*"),
    pytest.mark.filterwarnings("ignore:The number of training batches.*"),
]
EVERYTHING: dict[str, Any] = {
    "latent": tiny_latent(), "orthogonal": 1e-2, "r1": 1.0, "augment": ["colour", "translation", "cutout"],
    "ema_decay": 0.9, "gradient_clip": 1.0, "accumulate": 2, "normalise": True, "bidirectional": True,
}  # fmt: skip
VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {}, "latent": {"latent": tiny_latent()}, "bidirectional": {"bidirectional": True},
    "everything": EVERYTHING, "everything in turns": {**EVERYTHING, "latent": None},
}  # fmt: skip


def _fit(
    folder: Path, epochs: int = 2, resume: Path | None = None, trainer: dict[str, Any] | None = None, **options: Any
) -> Any:
    model = tiny_gan(**options)
    data = TinyImages()
    data.first_epoch = 0 if resume is None else int(checkpoints.load(resume)["epoch"]) + 1
    tiny_trainer(folder, epochs, **(trainer or {})).fit(model, data, ckpt_path=resume, weights_only=True)
    return model


@pytest.mark.parametrize("name", VARIANTS)
def test_all_networks_are_trained_and_scored(name: str, tmp_path: Path) -> None:
    model = tiny_gan(**VARIANTS[name])
    before = {key: value.clone() for key, value in model.state_dict().items()}
    trainer = tiny_trainer(tmp_path)
    trainer.fit(model, TinyImages())
    assert trainer.global_step == 4  # one update of both is one step
    for key, value in model.state_dict().items():
        assert not torch.equal(value, before[key]), key
    shown = set(trainer.callback_metrics)
    assert {"train/loss_discriminator", "train/loss_generator", "train/logit_real", "train/logit_fake"} <= shown
    assert ("train/latent_shift" in shown) == (VARIANTS[name].get("latent") is not None)
    trainer.test(model, TinyImages(), verbose=False)
    assert trainer.callback_metrics["test/samples"] == 16
    for score in ("nearest_samples", "nearest_real"):
        assert trainer.callback_metrics[f"test/{score}"] >= 0
        assert score in model.metric_info
    for name_of_picture in ("samples/epoch_0001.png", "samples/epoch_0002.png", "samples.png", "neighbours.png"):
        assert cv2.imread(str(tmp_path / "plots" / name_of_picture)) is not None


def test_copies_of_training_images_are_told_by_their_distance(tmp_path: Path) -> None:
    model, data = tiny_gan(), TinyImages()
    found = {}
    for mirrors in (False, True):
        data.mirrors = mirrors
        for name, flipped in (("copies", data.images), ("mirrored", data.images.flip(3))):
            model.sample = lambda latents, images=flipped: images.repeat(4, 1, 1, 1)[: len(latents)] / 255
            trainer = tiny_trainer(tmp_path)
            trainer.test(model, data, verbose=False)
            found[mirrors, name] = trainer.callback_metrics["test/nearest_samples"].item()
            assert trainer.callback_metrics["test/nearest_real"] > 0
    assert found[False, "copies"] == found[True, "copies"] == found[True, "mirrored"] == 0
    assert found[False, "mirrored"] > 0


class _KeepFirst(Callback):
    """Keeps the checkpoint of the first epoch, as a run that is interrupted in the second leaves it."""

    def on_train_epoch_start(self, trainer: Trainer, pl_module: Any) -> None:
        if trainer.current_epoch == 1:
            folder = Path(trainer.default_root_dir) / "checkpoints"
            (folder / "first.ckpt").write_bytes((folder / "last.ckpt").read_bytes())


@pytest.mark.parametrize("name", VARIANTS)
def test_resuming_is_exact(name: str, tmp_path: Path) -> None:
    callbacks = [SeedEpochs(1), EpochCheckpoints(), _KeepFirst()]
    whole = _fit(tmp_path, trainer={"callbacks": callbacks}, **VARIANTS[name])
    torch.rand(7)  # what happened before a resumption must not matter
    resumed = _fit(tmp_path / "resumed", 2, tmp_path / "checkpoints" / "first.ckpt", seed=5, **VARIANTS[name])
    for key, value in whole.state_dict().items():
        assert torch.equal(resumed.state_dict()[key], value), key
    latents = whole.latents_of(range(4))
    assert torch.equal(resumed.sample(latents), whole.sample(latents))


ESSAY = {
    "fraction": 1.0, "weight": 0.0, "detach": True, "norm": "batch", "divisor": 300.0, "probability": True,
    "in_turns": True,
}  # fmt: skip


@pytest.mark.parametrize("latent", [None, tiny_latent(**ESSAY)])
def test_discriminator_moves_first_and_the_generator_meets_the_new_one(latent: Any, tmp_path: Path) -> None:
    # The reference clips as the essay's published code does, after both steps, where gradients are forgotten next.
    model, reference = tiny_gan(latent=latent), tiny_gan().network
    seen = _fit_two_steps(tmp_path, model, TinyImages())
    generator, discriminator = reference.generator, reference.discriminator
    optimizers = [
        torch.optim.Adam(part.parameters(), 1e-2, (0.5, 0.999), weight_decay=1e-3)
        for part in (discriminator, generator)
    ]
    loss = torch.nn.BCEWithLogitsLoss()
    for images, latents in seen:
        if latent is not None:
            z = latents.clone().requires_grad_()
            (g,) = torch.autograd.grad(discriminator(generator(z)).sigmoid().sum(), z)
            latents = (latents + 0.9 * g / (0.1 + g.norm(dim=0) / 300)).clamp(-1, 1)
        reference.zero_grad()
        fake = generator(latents)
        real_loss = loss(discriminator(images), torch.ones(8))
        (real_loss + loss(discriminator(fake.detach()), torch.zeros(8))).backward()
        optimizers[0].step()
        generator.zero_grad()
        loss(discriminator(fake), torch.ones(8)).backward()
        optimizers[1].step()
        for part in (generator, discriminator):
            torch.nn.utils.clip_grad_norm_(part.parameters(), 1e-4)
    for mine, wanted in zip(model.network.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(mine, wanted, rtol=1e-4, atol=1e-6)
    assert ("train/latent_shift" in model.trainer.callback_metrics) == (latent is not None)


def _fit_two_steps(folder: Path, model: Any, data: TinyImages) -> list[tuple[Tensor, Tensor]]:
    """The images and latents of each step."""
    divide, seen = model.objectives.micro_batches, []

    def remember(images: Tensor, latents: Tensor, random: Any) -> Any:
        seen.append((images, latents))
        return divide(images, latents, random)

    model.objectives.micro_batches = remember
    tiny_trainer(folder, 1, limit_val_batches=0).fit(model, data)
    return seen


@pytest.mark.parametrize(
    ("options", "least", "most"),
    [({}, (-1, -1, -1), (1, 1, 1)),
     ({"pixel_mean": [0.485, 0.457, 0.407], "pixel_std": 1.0}, (-0.485, -0.457, -0.407), (0.515, 0.543, 0.593))],
)  # fmt: skip
def test_where_pixels_lie(options: dict[str, Any], least: Any, most: Any, tmp_path: Path) -> None:
    model, data = tiny_gan(**options), TinyImages()
    data.images[:, :, :, 0], data.images[:, :, :, -1] = 0, 255
    seen = torch.cat([images for images, _ in _fit_two_steps(tmp_path, model, data)])
    assert seen.amin((0, 2, 3)).tolist() == pytest.approx(least)
    assert seen.amax((0, 2, 3)).tolist() == pytest.approx(most)
    for shade in (-1, 0, 1):  # what the generator can draw, from its darkest to its lightest
        model.network = _Shade(shade)
        wanted = [min(1, max(0, mean + shade * model.config.pixel_std)) for mean in model.config.pixel_mean]
        assert model.sample(torch.zeros(2, LATENT))[1, :, 0, 0].tolist() == pytest.approx(wanted)


class _Shade(torch.nn.Module):
    def __init__(self, shade: float) -> None:
        super().__init__()
        self.shade = shade

    def forward(self, latents: Tensor) -> Tensor:
        return torch.full((len(latents), 3, SIZE, SIZE), self.shade)


class _Scripted(TinyScores):
    """Scores of four epochs, and of the test."""

    def __init__(self) -> None:
        self.distances, self.scores = [3.0, 1.0, 2.0, 4.0, 0.0], [1.2, 1.0, 1.5, 1.5, 1.0]

    def compute(self) -> dict[str, float]:
        return {"fid_domain": self.distances.pop(0), "is_domain": self.scores.pop(0), "samples": 16.0}


@pytest.mark.parametrize(("choose", "epoch", "score"), [("fid", 1, 1.0), ("is", 2, 1.5)])
def test_the_best_epoch_is_that_of_the_chosen_score(choose: str, epoch: int, score: float, tmp_path: Path) -> None:
    trainer = tiny_trainer(tmp_path, 4)
    trainer.fit(tiny_gan(choose=choose, fidelity=_Scripted()), TinyImages())
    (keeper,) = [callback for callback in trainer.callbacks if isinstance(callback, EpochCheckpoints)]
    assert (keeper.best_epoch, keeper.best_score) == (epoch, score)
    assert checkpoints.load(tmp_path / "checkpoints/best.ckpt")["epoch"] == epoch
    assert checkpoints.load(tmp_path / "checkpoints/last.ckpt")["epoch"] == 3


def test_a_score_that_is_not_computed_is_no_rule_of_choice(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"model.choose=kid: kid_domain is not computed by mean image, .* is_domain"):
        tiny_trainer(tmp_path).fit(tiny_gan(choose="kid"), TinyImages())
    assert not (tmp_path / "checkpoints").exists()


@pytest.mark.parametrize("name", ["plain", "latent"])
def test_micro_batches_are_the_batch(name: str, tmp_path: Path) -> None:
    whole = _fit(tmp_path / "1", **VARIANTS[name])
    parts = _fit(tmp_path / "3", accumulate=3, **VARIANTS[name])  # of unequal sizes: 3, 3 and 2
    for mine, wanted in zip(parts.network.parameters(), whole.network.parameters(), strict=True):
        torch.testing.assert_close(mine, wanted, rtol=1e-3, atol=1e-4)


def test_gradients_are_clipped_before_the_update(tmp_path: Path) -> None:
    class Watched(torch.optim.SGD):
        norms: list[float] = []  # noqa: RUF012

        def step(self, closure: Any = None) -> Any:
            result = closure()
            gradients = [p.grad for group in self.param_groups for p in group["params"]]
            self.norms.append(float(torch.stack([g.norm() for g in gradients]).norm()))
            super().step()
            return result

    for clip in (None, 0.01):
        Watched.norms = []
        _fit(tmp_path / str(clip), optimizer=Watched, gradient_clip=clip)
        assert len(Watched.norms) == 8
        assert (max(Watched.norms) <= 0.01 * 1.001) == (clip is not None)


class _Broken(BinaryCrossEntropy):
    def __init__(self, network: str, step: int) -> None:
        self.network, self.left = network, {"discriminator": step, "generator": step}

    def _spoil(self, network: str, loss: Tensor) -> Tensor:
        self.left[network] -= 1
        return loss * math.nan if network == self.network and self.left[network] < 0 else loss

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return self._spoil("discriminator", super().discriminator(real, fake))

    def generator(self, fake: Tensor) -> Tensor:
        return self._spoil("generator", super().generator(fake))


class _Steep(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad * math.inf


class _BrokenGradient(_Broken):
    def _spoil(self, network: str, loss: Tensor) -> Tensor:
        self.left[network] -= 1
        steep: Tensor = _Steep.apply(loss)
        return steep if network == self.network and self.left[network] < 0 else loss


@pytest.mark.parametrize("latent", [None, tiny_latent()])
@pytest.mark.parametrize("network", ["discriminator", "generator"])
def test_divergence_names_the_loss_and_keeps_the_last_checkpoint(network: str, latent: Any, tmp_path: Path) -> None:
    message = f"the loss of the {network} is not finite at step 3: .*; checkpoints/last.ckpt keeps the last good epoch"
    with pytest.raises(DivergenceError, match=message):
        _fit(tmp_path, 3, loss=_Broken(network, 3), latent=latent)
    kept = checkpoints.load(tmp_path / "checkpoints" / "last.ckpt")
    assert kept["epoch"] == 0
    assert all(value.isfinite().all() for value in kept["state_dict"].values())


@pytest.mark.parametrize("clip", [None, 1.0])
@pytest.mark.parametrize("network", ["discriminator", "generator"])
@pytest.mark.parametrize("broken", [_Broken, _BrokenGradient])
def test_nothing_that_diverged_updates_a_network(
    broken: type[_Broken], network: str, clip: float | None, tmp_path: Path
) -> None:
    model = tiny_gan(loss=broken(network, 1), gradient_clip=clip)
    what = "loss" if broken is _Broken else "gradient"
    remedy = "" if clip else " or model.gradient_clip=1"
    message = (
        f"the {what} of the {network} is not finite at step 1: try a lower model.lr{remedy}; no epoch was finished"
    )
    with pytest.raises(DivergenceError, match=message):
        tiny_trainer(tmp_path).fit(model, TinyImages())
    assert all(value.isfinite().all() for value in model.state_dict().values())
    assert not list(tmp_path.rglob("*.ckpt"))


@pytest.mark.parametrize("lr", [1e20, 1e37])
@pytest.mark.parametrize("name", ["plain", "latent", "everything in turns"])
def test_a_bad_last_update_of_an_epoch_leaves_the_good_checkpoint(name: str, lr: float, tmp_path: Path) -> None:
    class Late(torch.optim.Adam):
        def step(self, closure: Any = None) -> Any:
            of_generator = self is model.trainer.optimizers[1]  # the other's would show before the epoch ends
            if of_generator and model.global_step == 3:
                self.param_groups[0]["lr"] = lr
            return super().step(closure)

    model = tiny_gan(**{**VARIANTS[name], "optimizer": Late})
    trainer = tiny_trainer(tmp_path, 3, check_val_every_n_epoch=5)  # a scored epoch would tell by itself
    with pytest.raises(DivergenceError, match=r"compute is not finite, .* at step 4: .*; checkpoints/last\.ckpt keeps"):
        trainer.fit(model, TinyImages())
    kept = checkpoints.load(tmp_path / "checkpoints" / "last.ckpt")
    assert kept["epoch"] == 0
    assert all(value.abs().max() < 100 for value in kept["state_dict"].values())


def test_averaged_generator_makes_the_samples(tmp_path: Path) -> None:
    model = _fit(tmp_path, ema_decay=0.5)
    latents = model.latents_of(range(3))
    assert not torch.equal(model.sample(latents), (model.network.generator(latents) / 2 + 0.5).clamp(0, 1))
    assert torch.equal(model.sample(latents), (model.network.averaged.module(latents) / 2 + 0.5).clamp(0, 1).detach())
    plain = tiny_gan(ema_decay=0.5, average=False)  # which a test may ask for
    plain.load_state_dict(model.state_dict())
    assert torch.equal(plain.sample(latents), (model.network.generator(latents) / 2 + 0.5).clamp(0, 1))


def test_scores_are_named_after_the_tested_split(tmp_path: Path) -> None:
    data, trainer = TinyImages(), tiny_trainer(tmp_path)
    data.test_name = "val"
    trainer.test(tiny_gan(), data, verbose=False)
    assert {"val/fid_domain", "val/nearest_real"} <= set(trainer.callback_metrics)
    assert not [name for name in trainer.callback_metrics if name.startswith("test/")]


def test_latents() -> None:
    normal, uniform = tiny_gan(), tiny_gan(latent=tiny_latent())
    assert normal.spherical_latents
    assert not uniform.spherical_latents
    many = uniform.draw_latents(1000, torch.Generator().manual_seed(0))
    assert -1 <= many.min() < -0.99 < 0.99 < many.max() < 1
    many = normal.draw_latents(1000, torch.Generator().manual_seed(0))
    assert many.std().item() == pytest.approx(1, abs=0.05)
    assert torch.equal(normal.latents_of([3, 1]), normal.latents_of([0, 1, 3])[[2, 1]])
    assert not torch.equal(normal.latents_of([1]), normal.latents_of([1], seed=1))


def test_sampling_uses_running_statistics_and_leaves_the_mode() -> None:
    model = tiny_gan(normalise=True).train()
    latents = model.latents_of(range(4))
    together = model.sample(latents)
    torch.testing.assert_close(torch.cat([model.sample(z[None]) for z in latents]), together)
    assert model.network.generator.training
    assert together.shape == (4, 3, SIZE, SIZE)
    assert 0 <= together.min() <= together.max() <= 1


@pytest.mark.parametrize("name", ["plain", "everything"])
def test_mixed_precision_trains_alike(name: str, tmp_path: Path) -> None:
    options = {**VARIANTS[name], "augment": [], "optimizer": torch.optim.SGD, "lr": 0.05}
    # Lightning offers float16 on GPUs only; the scale changes with every update here, between the two networks'
    scaler = torch.amp.GradScaler("cpu", init_scale=256.0, growth_interval=1)
    half: dict[str, Any] = {"plugins": [MixedPrecision("16-mixed", "cpu", scaler)]}
    start, exact = tiny_gan(**options), _fit(tmp_path / "32", **options)
    for precision, most in ((half, 0.02), ({"precision": "bf16-mixed"}, 0.1)):
        mixed = _fit(tmp_path / str(most), trainer=precision, **options)
        travelled = drifted = 0.0
        for mine, wanted, old in zip(*(m.network.parameters() for m in (mixed, exact, start)), strict=True):
            assert mine.dtype == torch.float32
            travelled += float((wanted - old).detach().square().sum())
            drifted += float((mine - wanted).detach().square().sum())
        assert math.sqrt(drifted / travelled) < most


@pytest.mark.parametrize(
    ("options", "message"),
    [({"lr": 0.0}, "lr=0.0: must be above 0"), ({"accumulate": 0}, "accumulate=0"),
     ({"gradient_clip": 0.0}, "gradient_clip=0.0"), ({"ema_decay": 1.0}, "ema_decay=1.0"),
     ({"r1": -1.0}, "r1=-1.0"), ({"latent_size": 0}, "latent_size=0"), ({"image_size": 0}, "image_size=0"),
     ({"weight_decay": -1.0}, "weight_decay=-1.0"), ({"orthogonal": -1.0}, "orthogonal=-1.0"),
     ({"pixel_mean": [0.5]}, r"model.pixel_mean=\[0.5\]: must be three numbers"), ({"pixel_std": 0.0}, "pixel_std=0.0"),
     ({"choose": "fid_domain"}, "choose=fid_domain: must be fid, is, kid, precision or recall"),
     ({"augment": ["blur"]}, r"augment=\['blur'\]: each must be colour, translation or cutout"),
     ({"fidelity": "domain"}, "model.fidelity=domain: a group is chosen with a slash, model/fidelity=domain")],
)  # fmt: skip
def test_values_that_cannot_work(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        tiny_gan(**options)


def test_settings_of_trainer_and_data_that_cannot_work(tmp_path: Path) -> None:
    for option, value, ours in (
        ("gradient_clip_val", 1.0, "model.gradient_clip"), ("accumulate_grad_batches", 2, "model.accumulate"),
    ):  # fmt: skip
        with pytest.raises(ConfigError, match=f"trainer.{option}: .* use {ours} instead"):
            tiny_trainer(tmp_path, **{option: value}).fit(tiny_gan(), TinyImages())
    with pytest.raises(ConfigError, match=r"model\.image_size=8: data\.image_size is 16"):
        tiny_trainer(tmp_path).fit(tiny_gan(), TinyImages(image_size=16))
    for precision in ("64-true", "bf16-true"):
        with pytest.raises(ConfigError, match=f"trainer.precision={precision}: .* use bf16-mixed or 16-mixed"):
            tiny_trainer(tmp_path, precision=precision).fit(tiny_gan(), TinyImages())
    with pytest.raises(ConfigError, match="compile: latent optimisation and R1 need second derivatives"):
        tiny_gan(latent=tiny_latent()).network.compile()


def test_latent_size_reaches_the_networks() -> None:
    assert tiny_gan(bidirectional=True).network.discriminator.last.in_features == 4 * (SIZE // 2) ** 2 + LATENT
