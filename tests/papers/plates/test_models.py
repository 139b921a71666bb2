"""Every model of the paper from the command line to its record."""

import json
import os
import sys
from pathlib import Path

import pytest
from hydra.core.global_hydra import GlobalHydra

from retable.commands.predict import words as predict_words
from retable.errors import ConfigError
from retable.papers.plates.scenes import PlateScenes
from retable.run import record
from retable.run.build import build
from retable.run.command_line import compose, main
from retable.run.configuration import check_run
from retable.run.places import VARIABLE
from retable.run.predict import predict
from retable.run.train import train
from retable.visualization.drawing import write_picture

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


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("detector")
    train_here(folder, "model=yolov2_resnet40", "data=bright_plates", "budget.plates.detector.max_epochs=1")
    return folder


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("classifier")
    train_here(folder, "model=plate_cnn", "data=plate_crops")
    return folder


def predict_here(*words: str) -> None:
    """Runs predict.py's command line in this process, with the folder that declares the scenes of tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(HERE), prepend=os.pathsep)
        predict(compose("predict", predict_words(["accelerator=cpu", *words])))


def test_the_detector(detector: Path) -> None:
    kept = record.read(detector)
    for name in ("ap50_voc12", "anchor_iou_min", "anchor_iou_mean"):
        assert 0 <= kept.metrics[f"test/{name}"] <= 1  # type: ignore[operator]
        assert kept.metric_info[f"test/{name}"] == {"unit": "fraction", "direction": "higher"}
    assert "plots/anchors.png" in kept.pictures
    assert {detector / path for path in kept.pictures} <= set((detector / "plots").iterdir())


def test_the_classifier_tells_country_language_and_layout(classifier: Path) -> None:
    kept = record.read(classifier)
    for part in ("", "_country", "_language", "_layout"):
        assert kept.metrics["test/accuracy"] <= kept.metrics[f"test/accuracy{part}"] <= 1  # type: ignore[operator]
        assert kept.metric_info[f"test/accuracy{part}"] == {"unit": "fraction", "direction": "higher"}


def test_both_together_on_photos(detector: Path, classifier: Path, tmp_path: Path) -> None:
    image = PlateScenes("test", 1, 96, 1).load(0)[0]
    write_picture(tmp_path / "photo.jpg", image)
    words = (f"run={detector}", f"input={tmp_path}/*.jpg", f"output={tmp_path / 'out'}", "score_threshold=0")
    predict_here(*words, f"classifier={classifier}")
    result = json.loads((tmp_path / "out" / "detections.json").read_text())
    assert result["classifier"]["run"] == str(classifier)
    (entry,) = result["images"]
    told = [found["recognised"] for found in entry["detections"] if found["recognised"]]
    assert told
    for answer in told:
        assert answer["class"] == f"{answer['country']}_{answer['layout']}"
        assert answer["probability"] <= answer["country_probability"] <= answer["language_probability"] <= 1
    with pytest.raises(ConfigError, match=r"classifier: .* is a Yolov2Module, no classifier"):
        predict_here(*words, f"classifier={detector}")
    words = (f"run={classifier}", f"input={tmp_path}", f"classifier={classifier}")
    with pytest.raises(ConfigError, match=r"give the detector's folder as run="):
        predict_here(*words)


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
