"""How a network is trained, tested and used, on a subject of four classes."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from tests.classification import tiny
from torch import nn

from retable.classification.network_classifier import NetworkClassifier
from retable.classification.schema import NetworkConfig, PredictionOptions
from retable.errors import ConfigError, DivergenceError
from retable.nn.backbones import import_timm
from retable.nn.classifiers import PublishedClassifier
from retable.nn.schema import PublishedNetworkConfig

# Lightning's own: it uses what torch deprecates, and advises on loader processes and short epochs
pytestmark = [
    pytest.mark.slow,  # it trains
    pytest.mark.filterwarnings("ignore:.*LeafSpec.*:FutureWarning"),
    pytest.mark.filterwarnings("ignore:.*does not have many workers.*"),
    pytest.mark.filterwarnings("ignore:The number of training batches.*"),
]


def classifier(**changes: Any) -> NetworkClassifier:
    torch.manual_seed(0)
    keys: dict[str, Any] = {
        "subject": tiny.StripesSubject(), "network": tiny.network, "input_size": 16, "optimizer": torch.optim.Adam,
        "lr": 0.01,
    }  # fmt: skip
    return NetworkClassifier(NetworkConfig(**{**keys, **changes}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schedule": "linear"}, r"schedule=linear: must be constant or cosine"),
        ({"lr": 0.0}, r"lr=0\.0: must be above 0"),
        ({"warmup": -1}, r"warmup=-1: must be 0 or more"),
        ({"label_smoothing": 1.0}, r"label_smoothing=1\.0: must be from 0 to below 1"),
        ({"weights": "imagenet"}, r"model\.weights=imagenet: this network starts from scratch"),
        ({"input_size": 0}, r"input_size=0: must be 1 or more"),
    ],
)
def test_senseless_values_are_told(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        classifier(**changes)


def test_it_learns_is_tested_and_predicts(tmp_path: Path) -> None:
    model, run = classifier(schedule="cosine", warmup=2), tiny.trainer(tmp_path, max_epochs=4)
    run.fit(model, datamodule=tiny.StripesData(count=64))
    assert run.callback_metrics["train/accuracy"] > 0.9
    assert run.callback_metrics["val/accuracy"] > 0.9
    run.test(model, datamodule=tiny.StripesData(), verbose=False)
    assert run.callback_metrics["test/accuracy"] > 0.9
    assert run.callback_metrics["test/recall_wide_upright"] > 0.4
    assert {name.removeprefix("test/") for name in run.callback_metrics if name.startswith("test/")} == {
        *model.metric_info
    }
    tested = {f"test/{name}": np.float32(value) for name, value in model.image_results().metrics().items()}
    np.testing.assert_equal(tested, {name: run.callback_metrics[name].numpy() for name in tested})
    assert {path.name for path in (tmp_path / "plots").iterdir()} >= {"confusion_matrix.png", "predictions.png"}
    cv2.imwrite(str(tmp_path / "image.png"), tiny.image(3))
    with torch.inference_mode():
        model.eval().predict_to(tmp_path, PredictionOptions(str(tmp_path / "image.png")), None, {"run": "r"})
    told = json.loads((tmp_path / "predictions.json").read_text())
    assert (told["images"][0]["class"], told["classes"]) == ("wide_upright", [*tiny.CLASSES.names])


def test_a_loss_that_is_no_number_ends_the_run(tmp_path: Path) -> None:
    model = classifier()
    nn.init.constant_(model.network[-1].bias, torch.nan)  # type: ignore[index]
    with pytest.raises(DivergenceError, match="the loss is not finite at step 0"):
        tiny.trainer(tmp_path).fit(model, datamodule=tiny.StripesData())


@pytest.mark.parametrize(("classes", "shown"), [(("ship",), "ship"), ((), "no classes")])
def test_other_data_are_refused(tmp_path: Path, classes: tuple[str, ...], shown: str) -> None:
    data = tiny.StripesData()
    data.classes = classes  # type: ignore[assignment]
    with pytest.raises(ConfigError, match=f"tells thin_level, .* apart, the data show {shown}; use data of"):
        tiny.trainer(tmp_path).fit(classifier(), datamodule=data)


def test_images_are_resized_to_the_input() -> None:
    images = torch.rand(2, 3, 24, 24)
    assert classifier().resized(images).shape == (2, 3, 16, 16)
    assert classifier(input_size=24).resized(images) is images


def test_starting_weights_are_loaded_once(tmp_path: Path) -> None:
    for seed, name in enumerate(("first.pth", "second.pth")):
        torch.manual_seed(seed)
        torch.save(import_timm().create_model("test_resnet", pretrained=False).state_dict(), tmp_path / name)
    network = partial(PublishedClassifier, PublishedNetworkConfig(name="test_resnet"))

    def one(weights: str) -> NetworkClassifier:
        return classifier(network=network, input_size=32, weights=str(tmp_path / weights))

    few = {"limit_train_batches": 1, "limit_val_batches": 1}
    model, run, data = one("first.pth"), tiny.trainer(tmp_path, **few), tiny.StripesData()
    run.fit(model, datamodule=data)
    assert "first.pth" in model.weights_origin
    run.save_checkpoint(tmp_path / "last.ckpt")
    resumed = one("second.pth")
    # its epoch is over, so that nothing is trained and the weights must be those of the checkpoint
    tiny.trainer(tmp_path, **few).fit(resumed, datamodule=data, ckpt_path=tmp_path / "last.ckpt", weights_only=True)
    assert resumed.weights_origin == model.weights_origin
    kept = resumed.state_dict()
    assert all(torch.equal(kept[name], weight) for name, weight in model.state_dict().items())
    begun = one("second.pth")
    tiny.trainer(tmp_path, max_epochs=0).fit(begun, datamodule=data)
    assert "second.pth" in begun.weights_origin  # a new training does load them
