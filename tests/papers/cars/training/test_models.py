"""The twelve models from their configuration through a step or two."""

from functools import cache
from pathlib import Path

import pytest
import torch
from omegaconf import DictConfig
from pytorch_lightning import Trainer
from tests.papers.cars.training.tiny import TinyImages, TinyScores

from retable.papers.cars.training.schema import LatentConfig, LatentNorm
from retable.run.build import build
from retable.run.command_line import compose
from retable.run.places import CONFIGURATIONS

pytestmark = pytest.mark.slow  # it trains, or starts processes of its own

BATCHES = {"dcgan_hinge": 512, "sagan": 512, "sagan_ortho": 512, "resnet18_salogan": 350}


def _descendants(name: str) -> list[str]:
    """A model and those whose defaults list begins with it."""
    children = [
        path.stem for path in (CONFIGURATIONS / "model").glob("*.yaml") if f"\n  - {name}\n" in path.read_text()
    ]
    return sorted({name, *(found for child in children for found in _descendants(child))})


MODELS = _descendants("dcgan")


@cache
def _sizes(budget: str) -> DictConfig:
    return compose("train", [f"budget={budget}", "hydra=quiet"]).budget


@cache
def _of_any_budget(name: str) -> DictConfig:
    return compose("train", [f"model={name}", "data=cars", "hydra=quiet"])


def _composed(name: str, budget: str) -> DictConfig:
    config = _of_any_budget(name).copy()  # a budget is sizes and nothing else: see tests/run/test_configuration.py
    config.budget = _sizes(budget)
    return config


def test_there_are_twelve() -> None:
    assert len(MODELS) == 12


@pytest.mark.filterwarnings("ignore:.*LeafSpec.*:FutureWarning")
@pytest.mark.filterwarnings("ignore:.*does not have many workers.*")
@pytest.mark.parametrize("name", MODELS)
def test_every_model_takes_two_steps_and_a_test(name: str, tmp_path: Path) -> None:
    config = _composed(name, "smoke").copy()
    config.model.fidelity, config.model.image_size = None, 32
    for part in ("generator", "discriminator", "encoder"):
        if config.model[part] is not None:
            config.model[part].channels = 2
    model, data = build(config.model), TinyImages(image_size=32, batch_size=4, count=8)
    model.fidelity = TinyScores()
    before = {key: value.clone() for key, value in model.network.named_parameters()}
    trainer = Trainer(
        default_root_dir=tmp_path, accelerator="cpu", max_epochs=1, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=0, use_distributed_sampler=False,
        log_every_n_steps=1,
    )  # fmt: skip
    trainer.fit(model, datamodule=data)
    assert trainer.global_step == 2
    for key, value in model.network.named_parameters():
        assert value.isfinite().all(), key
        assert not torch.equal(value, before[key]), key
    trainer.test(model, datamodule=data, verbose=False)
    assert trainer.callback_metrics["test/fid_domain"] >= 0


@pytest.mark.parametrize("name", MODELS)
def test_paper_budget_is_the_essays(name: str) -> None:
    config = _composed(name, "paper")
    assert config.data.batch_size == BATCHES.get(name, 256)
    assert config.trainer.max_epochs == 3500
    model = config.model
    assert (model.lr, model.weight_decay) == (1e-4, 1e-3)
    assert model.gradient_clip == (1.0 if name.startswith("resnet") and not name.endswith("noclip") else None)
    assert model.loss._target_.endswith("Hinge" if name == "dcgan_hinge" else "BinaryCrossEntropy")
    assert ("latent" in model and model.latent is not None) == ("logan" in name)
    assert (model.encoder is not None) == name.startswith("bidirectional")
    assert (model.orthogonal > 0) == (name == "sagan_ortho")
    assert model.initialisation._target_.rpartition(".")[2] == (
        "xavier_uniform" if name.startswith("resnet") else "orthogonal" if name == "sagan_ortho" else "dcgan"
    )
    assert model.generator.channels == model.discriminator.channels == 64


@pytest.mark.parametrize("name", MODELS)
def test_budgets_keep_the_method(name: str) -> None:
    found = []
    for budget in ("smoke", "small", "paper"):
        model = _composed(name, budget).copy().model
        model.image_size = 64
        for part in ("generator", "discriminator", "encoder"):
            if model[part] is not None:
                model[part].channels = 1
        found.append(model)
    assert found[0] == found[1] == found[2]


def test_the_sets_of_latent_optimisation() -> None:
    large = compose("train", ["model=logan", "data=cars", "model/latent=biggan", "hydra=quiet"]).model.latent
    assert (large.alpha, large.beta, large.fraction, large.weight, large.detach) == (0.9, 5.0, 0.5, 300.0, False)
    essay = compose("train", ["model=logan", "data=cars", "model/latent=essay", "hydra=quiet"]).model.latent
    assert build(essay).config == LatentConfig(
        alpha=0.9, beta=5.0, fraction=1.0, weight=0.0, detach=True, norm=LatentNorm.batch, divisor=300.0,
        probability=True, in_turns=True,
    )  # fmt: skip
    small = _composed("logan", "small").model.latent
    assert (small.alpha, small.beta, small.fraction, small.weight, small.detach) == (0.9, 0.1, 0.8, 0.1, False)
