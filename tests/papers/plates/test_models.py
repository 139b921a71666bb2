"""Every model of the paper from the command line to its record."""

import sys
from pathlib import Path

import pytest
from hydra.core.global_hydra import GlobalHydra

from retable.run import record
from retable.run.build import build
from retable.run.command_line import compose, main
from retable.run.configuration import check_run
from retable.run.train import train

pytestmark = pytest.mark.slow  # it trains

HERE = Path(__file__).parent
TINY = ("budget=smoke", "trainer=cpu", "logger=none", "trainer.enable_progress_bar=false")


def train_here(folder: Path, *words: str) -> record.Record:
    """Runs train.py's command line in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["train.py", f"papers={HERE}", f"hydra.run.dir={folder}", *TINY, *words])
        GlobalHydra.instance().clear()
        main(train, "train", "", check=check_run)
    return record.read(folder)


def test_the_detector(tmp_path: Path) -> None:
    kept = train_here(tmp_path, "model=yolov2_resnet40", "data=bright_plates", "budget.plates.detector.max_epochs=1")
    for name in ("ap50_voc12", "anchor_iou_min", "anchor_iou_mean"):
        assert 0 <= kept.metrics[f"test/{name}"] <= 1  # type: ignore[operator]
        assert kept.metric_info[f"test/{name}"] == {"unit": "fraction", "direction": "higher"}
    assert "plots/anchors.png" in kept.pictures
    assert {tmp_path / path for path in kept.pictures} <= set((tmp_path / "plots").iterdir())


def test_the_classifier_tells_country_language_and_layout(tmp_path: Path) -> None:
    kept = train_here(tmp_path, "model=plate_cnn", "data=plate_crops")
    for part in ("", "_country", "_language", "_layout"):
        assert kept.metrics["test/accuracy"] <= kept.metrics[f"test/accuracy{part}"] <= 1  # type: ignore[operator]
        assert kept.metric_info[f"test/accuracy{part}"] == {"unit": "fraction", "direction": "higher"}


def test_the_paper_s_budget_has_the_paper_s_networks_and_phases() -> None:
    config = compose("train", ["model=plate_cnn", "data=plate_crops", "budget=paper"])
    first, second = config.model.phases.first, config.model.phases.second
    assert (first.lr, first.every, first.epochs, first.lr_factor) == (2.5e-2, 2, 10, 0.5)
    assert (second.lr, second.every, second.lr_factor, second.batch_factor) == (1e-5, 10, 0.5, 2)
    assert second.while_improving
    assert config.data.batch_size == 120
    network = build(config.model.network)(input_size=config.model.input_size, classes=9)
    assert sum(parameter.numel() for parameter in network.parameters()) == 2_634_729
    config = compose("train", ["model=plate_vgg16", "data=plate_crops", "budget=paper"])
    assert (config.model.network.name, config.model.weights) == ("vgg16", "imagenet")
