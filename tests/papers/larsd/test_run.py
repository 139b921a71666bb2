"""A ship detector from the command line to its pictures, and prediction with what was trained."""

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from retable.errors import CheckpointError, ConfigError, DataError
from retable.run import checkpoints, record
from retable.run.command_line import compose
from retable.run.predict import predict

pytestmark = pytest.mark.slow  # it trains, or starts processes of its own

ROOT = Path(__file__).parents[3]
TINY = (
    "budget=smoke", "trainer=cpu", "logger=csv", "data.counts.train=8", "data.counts.val=3", "data.counts.test=5",
    "data.batch_size=4", "trainer.enable_progress_bar=false", "trainer.max_epochs=1",
)  # fmt: skip
MODELS = ["larsd"]


def _shell(script: str, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(ROOT / script), *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained") / "run"
    done = _shell("train.py", "model=larsd", "data=hrsd", f"hydra.run.dir={folder}", *TINY)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.mark.parametrize("model", MODELS)
def test_every_model_takes_a_training_step(model: str, tmp_path: Path) -> None:
    done = _shell("train.py", f"model={model}", f"hydra.run.dir={tmp_path / 'run'}", *TINY, "debug=fast_dev_run")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_run_records_metrics_provenance_and_pictures(trained: Path) -> None:
    kept = record.read(trained)
    for name in ("ap50_voc07", "ap50_voc12", "ap75", "ap50_95"):
        value = kept.metrics[f"test/{name}"]
        assert value is not None
        assert 0 <= value <= 1
        assert kept.metric_info[f"test/{name}"] == {"unit": "fraction", "direction": "higher"}
    assert kept.data["kind"] == "synthetic"
    assert kept.data["splits"] == {"train": 8, "val": 3, "test": 5}
    assert kept.model["weights_origin"] == "scratch"
    assert {path.name for path in (trained / "plots").iterdir()} >= {
        "detections.png", "precision_recall.png", "curves.png",
    }  # fmt: skip
    assert {trained / path for path in kept.pictures} == set((trained / "plots").iterdir())
    assert next(iter(kept.pictures)) == "plots/detections.png"
    sheet = cv2.imread(str(trained / "plots" / "detections.png"))
    assert sheet.shape[1] > 4 * 384
    assert sheet.std() > 10


def test_two_processes_train_as_one(tmp_path: Path) -> None:
    # AdamW's first steps are signs of gradients, which rounding can turn; SGD shows whether the gradients agree
    words = ("model=larsd", "data=hrsd", "model.optimizer=sgd", "model.lr=0.02", *TINY, "data.counts.train=4")
    for name, more in (("one", ()), ("two", ("trainer=ddp", "trainer.accelerator=cpu"))):
        done = _shell("train.py", *words, f"hydra.run.dir={tmp_path / name}", *more)
        assert done.returncode == 0, done.stdout + done.stderr
    one, two = (record.read(tmp_path / name) for name in ("one", "two"))
    assert (one.devices["count"], two.devices["count"]) == (1, 2)
    assert one.metrics["train/steps"] == two.metrics["train/steps"] == 1
    assert one.config_hash == two.config_hash
    for name, value in one.metrics.items():
        if name.startswith("test/ap"):
            assert two.metrics[name] == pytest.approx(value, abs=1e-4)
    first, second = (
        checkpoints.load(tmp_path / name / "checkpoints" / "last.ckpt")["state_dict"] for name in ("one", "two")
    )
    for name, weight in first.items():
        torch.testing.assert_close(second[name], weight, rtol=1e-4, atol=1e-5, msg=name)


def test_predicts_on_a_folder(trained: Path, tmp_path: Path) -> None:
    images = tmp_path / "in"
    images.mkdir()
    generator = np.random.default_rng(0)
    for name, size in (("small.png", (50, 70)), ("large.jpg", (150, 1100))):  # the larger one is cut into tiles
        cv2.imwrite(str(images / name), generator.integers(0, 255, (*size, 3), dtype=np.uint8))
    words = (f"run={trained}", f"input={images}", f"output={tmp_path / 'out'}", "score_threshold=0.0")
    done = _shell("predict.py", *words)
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads((tmp_path / "out" / "detections.json").read_text())
    assert {entry["file"]: (entry["height"], entry["width"]) for entry in result["images"]} == {
        "small.png": (50, 70), "large.jpg": (150, 1100),
    }  # fmt: skip
    assert (tmp_path / "out" / "Task1_ship.txt").exists()
    assert (tmp_path / "out" / "drawn" / "small.png.jpg").exists()


def test_prediction_without_images_is_told(trained: Path) -> None:
    with pytest.raises(ConfigError, match="input: no value; add input=VALUE"):
        predict(compose("predict", [f"run={trained}"]))


@pytest.mark.parametrize(
    ("damage", "kind", "message"),
    [
        ("nothing", DataError, "there is no file or folder"),
        ("checkpoint", CheckpointError, "best.ckpt"),
        ("other", CheckpointError, "from another model"),
        ("config", ConfigError, "not the folder of a run"),
    ],
)
def test_prediction_tells_what_is_wrong(
    trained: Path, tmp_path: Path, damage: str, kind: type[Exception], message: str
) -> None:
    folder = tmp_path / "run"
    (folder / "checkpoints").mkdir(parents=True)
    if damage != "config":
        text = (trained / "config.yaml").read_text()
        (folder / "config.yaml").write_text(text.replace("channels: 16", "channels: 24") if damage == "other" else text)
    best = (trained / "checkpoints" / "last.ckpt").read_bytes()
    (folder / "checkpoints" / "best.ckpt").write_bytes(best[: len(best) // 2] if damage == "checkpoint" else best)
    words = [f"run={folder}", f"output={tmp_path / 'out'}", f"+options.input={tmp_path / 'absent'}"]
    with pytest.raises(kind, match=message):
        predict(compose("predict", words))
    assert not (tmp_path / "out").exists()
