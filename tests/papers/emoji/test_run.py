"""Emoji classifiers from the command line to their pictures, and prediction with what was trained."""

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
import torch
from hydra.core.global_hydra import GlobalHydra
from pytorch_lightning import Trainer
from tests.papers.emoji.stand_in import Stripes, write_image

from retable.classification.network_classifier import NetworkClassifier
from retable.errors import ConfigError, DataError, StorageError
from retable.papers.emoji.classes import CLASSES
from retable.run import checkpoints, record
from retable.run.build import build
from retable.run.command_line import compose, main
from retable.run.configuration import check_run
from retable.run.places import CONFIGURATIONS
from retable.run.predict import predict
from retable.run.train import train

ROOT = Path(__file__).parents[3]
TINY = (
    "data=emoji", "budget=smoke", "trainer=cpu", "logger=csv",
    "data.drawings._target_=tests.papers.emoji.stand_in.Stripes",
    "data.per_class=5", "data.batch_size=8", "trainer.enable_progress_bar=false", "trainer.max_epochs=1",
)  # fmt: skip
MODELS = sorted(path.stem for path in (CONFIGURATIONS / "model").glob("emoji_*.yaml"))
BUDGETS = sorted(path.stem for path in (CONFIGURATIONS / "budget").glob("*.yaml"))


def train_here(folder: Path, *words: str) -> record.Record:
    """Runs train.py's command line in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [str(ROOT / "train.py"), f"hydra.run.dir={folder}", *TINY, *words])
        GlobalHydra.instance().clear()
        main(train, "train", "", check=check_run)
    return record.read(folder)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained") / "run"
    train_here(folder, "model=emoji_cnn")
    return folder


@pytest.mark.parametrize("budget", BUDGETS)
@pytest.mark.parametrize("model", MODELS)
def test_every_model_composes_under_every_budget(model: str, budget: str) -> None:
    config = compose("train", [f"model={model}", "data=emoji", f"budget={budget}"])
    assert config.trainer.max_epochs >= 1
    assert config.data.per_class == (20 if budget == "smoke" else 500)  # IV.B


@pytest.mark.filterwarnings("ignore:.*LeafSpec.*:FutureWarning")
@pytest.mark.filterwarnings("ignore:.*does not have many workers.*")
@pytest.mark.parametrize("model", MODELS)
def test_every_model_takes_a_training_step_and_a_test(model: str, tmp_path: Path) -> None:
    config = compose("train", [f"model={model}", *TINY])
    if "weights" in config.model:
        config.model.weights = "none"
    data, module = build(config.data, seed=1), build(config.model)
    trainer = Trainer(
        default_root_dir=tmp_path, accelerator="cpu", max_epochs=1, limit_train_batches=1, limit_val_batches=1,
        limit_test_batches=1, logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, num_sanity_val_steps=0, use_distributed_sampler=False, log_every_n_steps=1,
    )  # fmt: skip
    trainer.fit(module, datamodule=data)
    assert 0 <= trainer.callback_metrics["val/accuracy"] <= 1
    trainer.test(module, datamodule=data, verbose=False)
    assert 0 <= trainer.callback_metrics["test/accuracy"] <= 1
    assert trainer.callback_metrics["test/loss"] > 0
    assert isinstance(module.network, torch.nn.Module)


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
        timeout=110, check=False,
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
    words = ("model=emoji_cnn", "data.augment.enabled=true", "data.workers=1", "trainer.max_epochs=4")

    def interrupt(module: NetworkClassifier) -> None:
        if module.current_epoch == 2:
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
    predict(compose("predict", [f"run={tmp_path / 'run'}", f"input={path}"]))
    assert capsys.readouterr().out.startswith("drawing.png: winking_face 0.")
    assert (tmp_path / "run" / "predictions" / "predictions.csv").is_file()
    written = json.loads((tmp_path / "run" / "predictions" / "predictions.json").read_text())
    assert written["probability_kind"] == "the classifier's own probabilities, not calibrated"


def test_prediction_without_drawings_is_told(trained: Path) -> None:
    with pytest.raises(ConfigError, match="input: no value; this model needs an image or a folder of images"):
        predict(compose("predict", [f"run={trained}"]))


def test_predicts_on_a_folder_with_a_bad_file(trained: Path, tmp_path: Path) -> None:
    for name in ("one.png", "deeper/two.png"):
        write_image(tmp_path / "in" / name)
    (tmp_path / "in" / "bad.png").write_bytes(b"not an image")
    words = [f"run={trained}", f"input={tmp_path / 'in'}", f"output={tmp_path / 'out'}"]
    with pytest.raises(DataError, match=r"1 of 3 images could not be read: bad\.png"):
        predict(compose("predict", words))
    result = json.loads((tmp_path / "out" / "predictions.json").read_text())
    assert {entry["file"] for entry in result["images"]} == {"one.png", "deeper/two.png"}
    for entry in result["images"]:
        assert sum(entry["probabilities"].values()) == pytest.approx(1, abs=1e-4)
        assert entry["class"] in CLASSES
