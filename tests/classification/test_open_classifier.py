"""A classifier that says unknown: its loss, its threshold and what a test tells of both."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from tests.classification import tiny
from torch.utils.data import DataLoader

from retable.classification.classifier import Batch
from retable.classification.network_classifier import NetworkClassifier
from retable.classification.open_classifier import OpenClassifier
from retable.classification.schema import NetworkConfig, OpenNetworkConfig, PredictionOptions
from retable.errors import ConfigError

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*LeafSpec.*:FutureWarning"),
    pytest.mark.filterwarnings("ignore:.*does not have many workers.*"),
    pytest.mark.filterwarnings("ignore:The number of training batches.*"),
]

KEYS: dict[str, Any] = {
    "subject": tiny.StripesSubject(), "network": tiny.network, "input_size": 16, "optimizer": torch.optim.Adam,
    "lr": 0.01,
}  # fmt: skip


def classifier(**changes: Any) -> OpenClassifier:
    torch.manual_seed(0)
    return OpenClassifier(OpenNetworkConfig(**KEYS, **changes))


def chess(index: int, side: int = 16) -> Any:
    """An image of no class: noise, or nothing."""
    generator = np.random.default_rng(index)
    return (
        generator.integers(0, 256, (side, side, 3), np.uint8) if index % 2 else np.full((side, side, 3), 90, np.uint8)
    )


def strange(indices: list[int]) -> Batch:
    images = np.stack([chess(index) for index in indices])
    labels = torch.tensor([-1 - index % 2 for index in indices])
    return {
        "images": torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255, "labels": labels,
        "indices": torch.tensor(indices),
    }  # fmt: skip


class OpenStripes(tiny.StripesData):
    """The stripes, and as many images of no class."""

    outlier_kinds = ("even", "noise")

    def train_dataloader(self) -> DataLoader[Batch]:
        loader = super().train_dataloader()
        known: Any = loader.collate_fn
        loader.collate_fn = lambda keys: {
            name: torch.cat([value, strange(keys)[name]]) for name, value in known(keys).items()
        }
        return loader

    def val_dataloader(self) -> Any:
        return [super().val_dataloader(), DataLoader(range(100, 110), 4, collate_fn=strange)]  # type: ignore[arg-type]

    def test_dataloader(self) -> Any:
        return [super().test_dataloader(), DataLoader(range(200, 210), 4, collate_fn=strange)]  # type: ignore[arg-type]


def test_what_is_left_to_one_is_the_probability_of_no_class() -> None:
    model = classifier()
    found = model.probabilities(torch.tensor([[0.0, 0.0, 0.0, 0.0], [-50.0] * 4, [50.0, 0.0, 0.0, 0.0]]))
    assert found.sum(dim=1).tolist() == pytest.approx([0.8, 0.0, 1.0])
    assert found[0].tolist() == pytest.approx([0.2] * 4)


def test_images_of_no_class_push_all_logits_down() -> None:
    logits = torch.zeros(2, 4, requires_grad=True)
    loss = classifier().training_loss(logits, torch.tensor([1, -2]))
    assert loss.item() == pytest.approx(np.log(5))
    loss.backward()
    assert logits.grad is not None
    assert logits.grad[0].sign().tolist() == [1, -1, 1, 1]
    assert (logits.grad[1] > 0).all()


@pytest.mark.slow  # it trains
def test_it_learns_what_is_of_no_class_and_says_so(tmp_path: Path) -> None:
    model, run = classifier(rejected=0.1), tiny.trainer(tmp_path, max_epochs=4)
    run.fit(model, datamodule=OpenStripes(count=64))
    assert run.callback_metrics["train/accuracy"] > 0.9  # of the classes alone
    assert run.callback_metrics["val/rejected"] == pytest.approx(1 / 8)  # the lowest of eight
    assert run.callback_metrics["val/unknown"] > 0.9
    run.test(model, datamodule=OpenStripes(), verbose=False)
    metrics = {name.removeprefix("test/"): value for name, value in run.callback_metrics.items() if "test/" in name}
    assert set(metrics) == set(model.metric_info)
    assert metrics["accuracy"] > 0.9
    assert metrics["rejected"] < 0.5
    assert metrics["unknown"] == pytest.approx((metrics["unknown_even"] + metrics["unknown_noise"]) / 2)
    assert len(model.image_results().true) == 8  # those of a class

    again = classifier()
    again.load_state_dict(model.state_dict())
    assert again.threshold == model.threshold > 0
    for name, image in (("known", tiny.image(3)), ("strange", chess(201))):
        cv2.imwrite(str(tmp_path / f"{name}.png"), image)
        with torch.inference_mode():
            again.eval().predict_to(tmp_path / name, PredictionOptions(str(tmp_path / f"{name}.png")), None, {})
    told = [
        json.loads((tmp_path / name / "predictions.json").read_text())["images"][0] for name in ("known", "strange")
    ]
    assert [entry["class"] for entry in told] == ["wide_upright", "unknown"]
    with torch.inference_mode():
        options = PredictionOptions(str(tmp_path / "strange.png"), unknown_below=0.0)
        again.predict_to(tmp_path / "any", options, None, {})
    asked = json.loads((tmp_path / "any" / "predictions.json").read_text())
    assert asked["images"][0]["class"] in tiny.CLASSES.names
    assert asked["unknown_below"] == 0.0
    assert sum(told[1]["probabilities"].values()) < 0.5 < told[1]["probability"]


@pytest.mark.slow
def test_a_classifier_without_the_answer_refuses_images_of_no_class(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"data\.outliers: this model has no answer"):
        tiny.trainer(tmp_path).fit(NetworkClassifier(NetworkConfig(**KEYS)), datamodule=OpenStripes())
