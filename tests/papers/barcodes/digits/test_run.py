"""Each reader of projections from its configuration to its test, and to what it leaves of each image."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.classification import tiny

from retable.metrics.image_results import load, save
from retable.run.build import build
from retable.run.checkpoints import load_into
from retable.run.command_line import compose

pytestmark = pytest.mark.slow  # it trains


@pytest.mark.filterwarnings("ignore:.*LeafSpec.*:FutureWarning")
@pytest.mark.filterwarnings("ignore:.*does not have many workers.*")
@pytest.mark.parametrize("model", ["digits_xgboost", "digits_xgboost_shared", "digits_perceptron"])
def test_every_model_trains_and_a_checkpoint_of_it_reads_the_same(model: str, tmp_path: Path) -> None:
    words = [f"model={model}", "data=barcode_symbols", "budget=smoke", "data.clean=true", "hydra=quiet"]
    config = compose("train", [*words, "model.features.width=190", "data.workers=0"])
    assert config.model.features.margin == config.data.margin == 0.1
    torch.manual_seed(1)
    data, module = build(config.data, seed=1), build(config.model)
    trainer = tiny.trainer(tmp_path, max_epochs=1, log_every_n_steps=1)
    trainer.fit(module, datamodule=data)
    trainer.test(module, datamodule=data, verbose=False)
    found = {name: float(value) for name, value in trainer.callback_metrics.items()}
    assert {name.split("/")[-1] for name in found if name.startswith("test/")} <= set(module.metric_info)
    assert 0 <= found["test/sequence_accuracy"] <= found["test/character_accuracy"] <= 1
    assert found["test/wrong_answers"] == pytest.approx(1 - found["test/sequence_accuracy"])
    save(tmp_path / "images.npz", module.image_results())
    results = load(tmp_path / "images.npz")
    assert results.metrics()["character_accuracy_3"] == pytest.approx(found["test/character_accuracy_3"])
    trainer.save_checkpoint(tmp_path / "end.ckpt")
    other = build(config.model)
    load_into(other, tmp_path / "end.ckpt")
    batch = next(iter(data.test_dataloader()))
    assert other.eval().read(batch["images"]) == module.eval().read(batch["images"])
    assert np.isfinite([reading.confidence for reading in module.read(batch["images"])]).all()
