"""Every rival from its training to its test."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from pytorch_lightning import Trainer
from tests.papers.plates.detectors import BrightPlates

from retable.detection.data_module import DetectionDataModule
from retable.detection.detector import Detector
from retable.detection.schema import AugmentConfig, DetectionDataConfig, SplitCounts
from retable.errors import ConfigError, DataError
from retable.papers.plates.rivals.alexnet_svm import AlexNetSvmDetector
from retable.papers.plates.rivals.image_processing import ImageProcessingDetector
from retable.papers.plates.rivals.neighbours import NeighboursDetector
from retable.papers.plates.rivals.schema import (
    AlexNetSvmConfig,
    NeighboursConfig,
    ProposalsConfig,
    RivalConfig,
    VggLstmConfig,
)
from retable.papers.plates.rivals.vgg_lstm import VggLstmDetector

FEW = ProposalsConfig(sides=[100], count=8)

MODELS = {
    "image_processing": lambda: ImageProcessingDetector(RivalConfig(proposals=FEW)),
    "alexnet_svm": lambda: AlexNetSvmDetector(
        AlexNetSvmConfig(proposals=FEW, input_size=(63, 63), layer="pool5", weights="none", negatives=3)
    ),
    "neighbours": lambda: NeighboursDetector(NeighboursConfig(proposals=FEW, input_size=(16, 32), neighbours=3)),
    "vgg_lstm": lambda: VggLstmDetector(
        VggLstmConfig(
            proposals=FEW, network="vgg11", width=0.125, weights="none", hidden=8, lr=1e-2,
            optimizer=partial(torch.optim.Adam),
        )
    ),
}  # fmt: skip


def train(model: Detector, folder: Path, count: int = 16, epochs: int = 4) -> tuple[Any, DetectionDataModule]:
    config = DetectionDataConfig(
        scenes=BrightPlates, scene_size=64, image_size=64, batch_size=8, workers=0, tile_overlap=0,
        counts=SplitCounts(train=count, val=4, test=6), augment=AugmentConfig(enabled=False),
    )  # fmt: skip
    data = DetectionDataModule(config, seed=0)
    trainer: Any = Trainer(
        max_epochs=epochs, logger=False, enable_checkpointing=False, enable_progress_bar=False, accelerator="cpu",
        enable_model_summary=False, default_root_dir=folder, use_distributed_sampler=False, devices=1,
    )  # fmt: skip
    trainer.fit(model, datamodule=data)
    return trainer, data


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*LeafSpec.*:FutureWarning")
@pytest.mark.filterwarnings("ignore:.*does not have many workers.*")
@pytest.mark.filterwarnings("ignore:The number of training batches.*")
@pytest.mark.parametrize("name", MODELS)
def test_it_learns_is_tested_and_comes_back_from_its_weights(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = MODELS[name]()
    trainer, data = train(model, tmp_path)
    assert trainer.current_epoch == (4 if name == "vgg_lstm" else 1)
    trainer.test(model, datamodule=data, verbose=False)
    metrics = trainer.callback_metrics
    assert metrics["test/ap50_voc12"] > 0.8
    assert metrics["test/recall50_br"] == 1
    assert {key.removeprefix("test/") for key in metrics if key.startswith("test/")} == set(model.metric_info)
    again = MODELS[name]()
    again.load_state_dict(model.state_dict())
    image = torch.from_numpy(data.datasets["test"].load(0)[0]).permute(2, 0, 1)
    (first,), (second,) = model.eval().detect([image]), again.eval().detect([image])
    assert len(first["boxes"])
    for key, value in first.items():
        torch.testing.assert_close(second[key], value)


@pytest.mark.filterwarnings("ignore:.*LeafSpec.*:FutureWarning")
@pytest.mark.filterwarnings("ignore:.*does not have many workers.*")
@pytest.mark.filterwarnings("ignore:The number of training batches.*")
def test_without_plates_there_is_nothing_to_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retable.papers.plates.rivals.patches.PLATE", 1.1)
    with pytest.raises(DataError, match="the training images hold no plate; check the dataset"):
        train(MODELS["neighbours"](), tmp_path)


def test_even_images_have_no_plates() -> None:
    for make in MODELS.values():
        (found,) = make().eval().detect([torch.full((3, 40, 50), 128, dtype=torch.uint8)])
        assert found["boxes"].shape == (0, 4)
        assert found["scores"].shape == found["labels"].shape == (0,)


def test_image_processing_has_no_network_to_export() -> None:
    with pytest.raises(ConfigError, match="no network that could be exported"):
        MODELS["image_processing"]().example_input()
    for name in ("alexnet_svm", "neighbours", "vgg_lstm"):
        model = MODELS[name]().eval()
        assert model.network(model.example_input()).shape == (2,)
