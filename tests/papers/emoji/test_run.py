"""Emoji classifiers from the command line to their pictures, and prediction with what was trained."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
import torch
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig
from tests.classification import tiny
from tests.papers.emoji.stand_in import Stripes, write_image

from retable.classification.network_classifier import NetworkClassifier
from retable.commands.predict import words as predict_words
from retable.errors import ConfigError, DataError, StorageError
from retable.papers.emoji.classes import CLASSES
from retable.run import checkpoints, record
from retable.run.build import build
from retable.run.command_line import compose, main
from retable.run.configuration import check_run
from retable.run.places import CONFIGURATIONS, VARIABLE
from retable.run.predict import predict
from retable.run.train import train

pytestmark = pytest.mark.slow  # it trains, or starts processes of its own

ROOT = Path(__file__).parents[3]
TINY = (
    "data=emoji", "budget=smoke", "trainer=cpu", "logger=csv",
    "data.drawings._target_=tests.papers.emoji.stand_in.Stripes",
    "data.per_class=5", "data.batch_size=8", "trainer.enable_progress_bar=false", "trainer.max_epochs=1",
)  # fmt: skip
MODELS = sorted(path.stem for path in (CONFIGURATIONS / "model").glob("emoji_*.yaml"))
PUBLISHED = ["emoji_inceptionv3", "emoji_resnet50", "emoji_vgg16", "emoji_vgg19", "emoji_xception"]


def train_here(folder: Path, *words: str) -> record.Record:
    """Runs train.py's command line in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [str(ROOT / "train.py"), f"hydra.run.dir={folder}", *TINY, *words])
        GlobalHydra.instance().clear()
        main(train, "train", "", check=check_run)
    return record.read(folder)


def predict_here(*words: str) -> None:
    """Runs predict.py's command line in this process, with the folder that declares the drawings of tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(Path(__file__).parent), prepend=os.pathsep)
        predict(compose("predict", predict_words(words)))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained") / "run"
    train_here(folder, "model=emoji_cnn")
    return folder


def composed(model: str, budget: str) -> DictConfig:
    """The configuration of a run, as it is for generated drawings."""
    config = compose("train", [f"model={model}", "data=emoji", f"budget={budget}"])
    assert config.trainer.max_epochs >= 1
    assert config.data.per_class == (20 if budget == "smoke" else 500)  # IV.B
    return config


@pytest.mark.filterwarnings("ignore:.*LeafSpec.*:FutureWarning")
@pytest.mark.filterwarnings("ignore:.*does not have many workers.*")
@pytest.mark.parametrize("model", [model for model in MODELS if model not in PUBLISHED])
def test_every_model_takes_a_training_step_and_a_test(model: str, tmp_path: Path) -> None:
    config = composed(model, "smoke")
    config.data.drawings._target_ = "tests.papers.emoji.stand_in.Stripes"
    config.data.per_class, config.data.batch_size = 5, 8
    data, module = build(config.data, seed=1), build(config.model)
    trainer = tiny.trainer(
        tmp_path, limit_train_batches=1, limit_val_batches=1, limit_test_batches=1, log_every_n_steps=1
    )
    trainer.fit(module, datamodule=data)
    assert 0 <= trainer.callback_metrics["val/accuracy"] <= 1
    trainer.test(module, datamodule=data, verbose=False)
    assert 0 <= trainer.callback_metrics["test/accuracy"] <= 1
    assert trainer.callback_metrics["test/loss"] > 0
    assert isinstance(module.network, torch.nn.Module)


@pytest.mark.parametrize("model", PUBLISHED)
def test_every_published_network_takes_a_step_of_shapes(model: str) -> None:
    # of tensors without numbers, as millions of weights cost seconds; one such network trains above
    config = composed(model, "smoke").model
    assert config.weights == "none"
    with torch.device("meta"):
        network = build(config.network)(input_size=config.input_size, classes=8)
        logits = network(torch.rand(8, 3, config.input_size, config.input_size))
        torch.nn.functional.cross_entropy(logits, torch.zeros(8, dtype=torch.int64)).backward()
    assert logits.shape == (8, 8)
    assert all(weight.grad is not None and weight.grad.shape == weight.shape for weight in network.parameters())


def test_a_run_records_metrics_provenance_and_pictures(trained: Path) -> None:
    kept = record.read(trained)
    for name in ("accuracy", "precision", "recall", "f1", "recall_winking_face"):
        value = kept.metrics[f"test/{name}"]
        assert value is not None
        assert 0 <= value <= 1
        assert kept.metric_info[f"test/{name}"] == {"unit": "fraction", "direction": "higher"}
    assert kept.data["kind"] == "synthetic"
    assert kept.data["splits"] == {"train": 24, "val": 8, "test": 8}
    assert kept.model == {"parameters": kept.model["parameters"], "weights_origin": "scratch"}
    assert {path.name for path in (trained / "plots").iterdir()} >= {
        "confusion_matrix.png", "accuracy_loss.png", "predictions.png", "worst.png", "curves.png",
    }  # fmt: skip
    assert {trained / path for path in kept.pictures} == set((trained / "plots").iterdir())
    assert next(iter(kept.pictures)) == "plots/predictions.png"
    sheet = cv2.imread(str(trained / "plots" / "predictions.png"))
    assert sheet.shape[1] > 6 * 192
    header = (trained / "metrics.csv").read_text().splitlines()[0].split(",")
    assert {"train/loss", "train/accuracy", "val/loss", "val/accuracy"} <= set(header)


def test_two_processes_train_as_one(tmp_path: Path) -> None:
    # Adam's first steps are signs of gradients, which rounding can turn, and each process draws its own dropout
    words = ("model=emoji_cnn", "model/optimizer=sgd", "model.network.dropout=0.0", "model.lr=0.05")
    one = train_here(tmp_path / "one", *words)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(ROOT / "train.py"), *TINY, *words, f"hydra.run.dir={tmp_path / 'two'}"]
    done = subprocess.run(
        [*command, "trainer=ddp", "trainer.accelerator=cpu"], capture_output=True, text=True, env=environment,
        timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    two = record.read(tmp_path / "two")
    assert (one.devices["count"], two.devices["count"]) == (1, 2)
    assert one.config_hash == two.config_hash
    assert one.data == two.data
    assert one.metrics["train/steps"] == two.metrics["train/steps"] == 3
    for name, value in one.metrics.items():
        if name.startswith("test/") and name != "test/seconds":
            assert two.metrics[name] == (value if value is None else pytest.approx(value, abs=1e-4)), name
    first, second = (
        checkpoints.load(tmp_path / name / "checkpoints" / "last.ckpt")["state_dict"] for name in ("one", "two")
    )
    for name, weight in first.items():
        torch.testing.assert_close(second[name], weight, rtol=1e-4, atol=1e-5, msg=name)


def test_an_interrupted_training_ends_as_the_whole_one(tmp_path: Path) -> None:
    words = ("model=emoji_cnn", "data.augment.enabled=true", "data.workers=1", "trainer.max_epochs=3")

    def interrupt(module: NetworkClassifier) -> None:
        if module.current_epoch == 1:
            raise StorageError("the machine goes down")

    whole = train_here(tmp_path / "whole", *words)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(NetworkClassifier, "on_train_epoch_start", interrupt)
        with pytest.raises(SystemExit):
            train_here(tmp_path / "parts", *words)
    parts = train_here(tmp_path / "parts", *words, "resume=auto")
    assert (whole.resumed, parts.resumed) == (0, 1)
    assert {name: value for name, value in parts.metrics.items() if not name.endswith("seconds")} == {
        name: value for name, value in whole.metrics.items() if not name.endswith("seconds")
    }
    first, second = (
        checkpoints.load(tmp_path / name / "checkpoints" / "last.ckpt")["state_dict"] for name in ("whole", "parts")
    )
    assert all(torch.equal(second[name], weight) for name, weight in first.items())


def test_a_classical_model_trains_and_predicts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = train_here(tmp_path / "run", "model=emoji_random_forest")
    assert kept.model == {"parameters": 0, "weights_origin": "scratch"}
    assert kept.metrics["train/epochs"] == 1
    path = tmp_path / "drawing.png"
    cv2.imwrite(str(path), Stripes(8, 32).image(5))
    capsys.readouterr()
    predict_here(f"run={tmp_path / 'run'}", f"input={path}")
    assert capsys.readouterr().out.startswith("drawing.png: winking_face 0.")
    assert (tmp_path / "run" / "predictions" / "predictions.csv").is_file()
    written = json.loads((tmp_path / "run" / "predictions" / "predictions.json").read_text())
    assert written["probability_kind"] == "the classifier's own probabilities, not calibrated"


def test_prediction_without_drawings_is_told(trained: Path) -> None:
    with pytest.raises(ConfigError, match="input: no value; add input=VALUE"):
        predict_here(f"run={trained}")


def test_predicts_on_a_folder_with_a_bad_file(trained: Path, tmp_path: Path) -> None:
    for name in ("one.png", "deeper/two.png"):
        write_image(tmp_path / "in" / name)
    (tmp_path / "in" / "bad.png").write_bytes(b"not an image")
    words = [f"run={trained}", f"input={tmp_path / 'in'}", f"output={tmp_path / 'out'}"]
    with pytest.raises(DataError, match=r"1 of 3 images could not be read: bad\.png"):
        predict_here(*words)
    result = json.loads((tmp_path / "out" / "predictions.json").read_text())
    assert {entry["file"] for entry in result["images"]} == {"one.png", "deeper/two.png"}
    for entry in result["images"]:
        assert sum(entry["probabilities"].values()) == pytest.approx(1, abs=1e-4)
        assert entry["class"] in CLASSES


def test_a_score_threshold_means_nothing_to_a_classifier(trained: Path) -> None:
    with pytest.raises(ConfigError, match="score_threshold: NetworkClassifier has no such option of prediction"):
        predict_here(f"run={trained}", "input=x.png", "score_threshold=0.5")


def test_the_network_of_ones_own_in_the_documentation_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "docs" / "emoji.md").read_text().split("### A network of your own")[1]
    files = re.findall(r"`([\w/]+\.(?:py|yaml))`:\n\n```\w+\n(.*?)```", text, flags=re.DOTALL)
    assert [name for name, _ in files] == ["mine.py", "conf/model/mine.yaml"]
    for name, content in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    monkeypatch.syspath_prepend(tmp_path)
    command = re.search(r"`python train\.py (papers=\S+ model=mine) data=emoji`", text)
    assert command is not None
    kept = train_here(tmp_path / "run", *command[1].replace("FOLDER", str(tmp_path)).split())
    assert kept.model["parameters"] == 3 * 64 * 64 * 8 + 8
    cv2.imwrite(str(tmp_path / "drawing.png"), Stripes(8, 32).image(5))
    predict_here(f"run={tmp_path / 'run'}", f"input={tmp_path / 'drawing.png'}")
    assert (tmp_path / "run" / "predictions" / "predictions.json").is_file()
