"""The paper's network, our small one, and how they are trained."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from pytorch_lightning import Trainer
from tests.papers.emoji.test_data_module import module as data_module
from torch import nn

from retable.classification.network_classifier import NetworkClassifier
from retable.errors import ConfigError, DivergenceError
from retable.nn.backbones import import_timm
from retable.nn.classifiers import PublishedClassifier
from retable.papers.emoji.networks.cnn import PaperNetwork
from retable.papers.emoji.networks.net import SmallNetwork, ink

# Lightning's own: it uses what torch deprecates, and advises on loader processes and short epochs
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*LeafSpec.*:FutureWarning"),
    pytest.mark.filterwarnings("ignore:.*does not have many workers.*"),
    pytest.mark.filterwarnings("ignore:The number of training batches.*"),
]


def classifier(**changes: Any) -> NetworkClassifier:
    torch.manual_seed(0)
    keys: dict[str, Any] = {"network": SmallNetwork, "input_size": 16, "optimizer": torch.optim.Adam, "lr": 3e-3}
    return NetworkClassifier(**{**keys, **changes})


def trainer(folder: Path, **changes: Any) -> Trainer:
    keys: dict[str, Any] = {
        "max_epochs": 1, "logger": False, "enable_checkpointing": False, "enable_progress_bar": False,
        "enable_model_summary": False, "num_sanity_val_steps": 0, "use_distributed_sampler": False,
    }  # fmt: skip
    return Trainer(default_root_dir=folder, accelerator="cpu", devices=1, **{**keys, **changes})


def test_the_papers_network_is_that_of_table_1() -> None:
    network = PaperNetwork(64, 8)
    kinds = [type(layer).__name__ for layer in network.features]
    assert kinds == ["Conv2d", "ReLU", "MaxPool2d", "Dropout"] * 4
    convolutions = [layer for layer in network.features if isinstance(layer, nn.Conv2d)]
    assert [layer.out_channels for layer in convolutions] == [16, 32, 64, 128]
    assert {layer.kernel_size for layer in convolutions} == {(2, 2)}
    assert {layer.p for layer in network.features if isinstance(layer, nn.Dropout)} == {0.5}
    assert network.output.in_features == 128 * 3 * 3
    assert network(torch.rand(2, 3, 64, 64)).shape == (2, 8)
    assert sum(parameter.numel() for parameter in network.parameters()) == 52_664


def test_the_small_network_is_small() -> None:
    network = SmallNetwork(64, 8)
    assert sum(parameter.numel() for parameter in network.parameters()) < 1_000_000
    assert network(torch.rand(2, 3, 64, 64)).shape == (2, 8)


def test_ink_overlooks_brightness_and_contrast() -> None:
    images = torch.rand(2, 3, 16, 16)
    torch.testing.assert_close(ink(images * 0.4 + 0.3), ink(images), atol=0.02, rtol=0)
    assert bool(ink(torch.ones(1, 3, 8, 8)).isfinite().all())


@pytest.mark.parametrize(
    ("network", "size", "message"),
    [
        (PaperNetwork, 16, r"model\.input_size=16: nothing is left after 4 poolings"),
        (SmallNetwork, 8, r"model\.input_size=8: nothing is left after 4 halvings"),
        (partial(PaperNetwork, dropout=1.0), 64, r"dropout=1\.0"),
        (partial(SmallNetwork, widths=[]), 64, r"widths=\[\]"),
        (partial(PublishedClassifier, "resnet5"), 64, r"model\.network\.name: timm has no 'resnet5'; try .*resnet50"),
        (partial(PublishedClassifier, "test_vit"), 160, r"model\.network\.name: test_vit is no convolutional network"),
    ],
)
def test_networks_that_cannot_be_are_told(network: Any, size: int, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        classifier(network=network, input_size=size)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schedule": "linear"}, r"model\.schedule: 'linear' must be constant or cosine"),
        ({"lr": 0.0}, r"model\.lr=0\.0"),
        ({"label_smoothing": 1.0}, r"model\.label_smoothing=1\.0"),
        ({"weights": "imagenet"}, r"model\.weights=imagenet: this network starts from scratch"),
        ({"input_size": 0}, r"model\.input_size=0"),
    ],
)
def test_senseless_values_are_told(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        classifier(**changes)


def test_it_learns_and_is_tested(tmp_path: Path) -> None:
    model = classifier(network=partial(SmallNetwork, widths=(16, 16)), lr=0.01, schedule="cosine", warmup=2)
    data = data_module(per_class=20)
    run = trainer(tmp_path, max_epochs=4)
    run.fit(model, datamodule=data)
    assert run.callback_metrics["train/accuracy"] > 0.9
    assert run.callback_metrics["val/accuracy"] > 0.9
    run.test(model, datamodule=data, verbose=False)
    assert run.callback_metrics["test/accuracy"] > 0.9
    assert run.callback_metrics["test/recall_winking_face"] > 0.4
    assert {path.name for path in (tmp_path / "plots").iterdir()} >= {"confusion_matrix.png", "predictions.png"}


def test_a_loss_that_is_no_number_ends_the_run(tmp_path: Path) -> None:
    model = classifier()
    nn.init.constant_(model.network.output[-1].bias, torch.nan)  # type: ignore[index]
    with pytest.raises(DivergenceError, match="the loss is not finite at step 0"):
        trainer(tmp_path).fit(model, datamodule=data_module())


def test_other_data_are_refused(tmp_path: Path) -> None:
    data = data_module()
    data.classes = ("ship",)  # type: ignore[assignment]
    with pytest.raises(ConfigError, match="classifies emoji and the data are of other classes"):
        trainer(tmp_path).fit(classifier(), datamodule=data)


def test_canvases_are_resized_to_the_input() -> None:
    images = torch.rand(2, 3, 24, 24)
    assert classifier().resized(images).shape == (2, 3, 16, 16)
    assert classifier(input_size=24).resized(images) is images


def test_published_weights_and_normalisation(tmp_path: Path) -> None:
    torch.manual_seed(0)
    first, second = (PublishedClassifier("test_resnet", 8, 32).eval() for _ in range(2))
    published = import_timm().create_model("test_resnet", pretrained=False)
    torch.save(published.state_dict(), tmp_path / "weights.pth")
    for network in (first, second):
        network.load_weights(str(tmp_path / "weights.pth"))
        assert network.weights_origin.startswith("file:")
    images = torch.rand(1, 3, 32, 32)
    normalised = (images - first.mean) / first.std
    torch.testing.assert_close(first.body.forward_features(normalised), second.body.forward_features(normalised))
    expected = first.output(published.eval().forward_features(normalised).mean(dim=(2, 3)))
    torch.testing.assert_close(first(images), expected, atol=1e-4, rtol=1e-4)
    assert all(key.startswith(("body.", "output.")) for key in first.state_dict())


def test_starting_weights_are_loaded_once(tmp_path: Path) -> None:
    for seed, name in enumerate(("first.pth", "second.pth")):
        torch.manual_seed(seed)
        torch.save(import_timm().create_model("test_resnet", pretrained=False).state_dict(), tmp_path / name)
    network = partial(PublishedClassifier, "test_resnet")

    def one(weights: str) -> NetworkClassifier:
        return classifier(network=network, input_size=32, weights=str(tmp_path / weights))

    few = {"limit_train_batches": 1, "limit_val_batches": 1}
    model, run = one("first.pth"), trainer(tmp_path, **few)
    run.fit(model, datamodule=data_module())
    assert "first.pth" in model.weights_origin
    run.save_checkpoint(tmp_path / "last.ckpt")
    resumed = one("second.pth")
    # its epoch is over, so that nothing is trained and the weights must be those of the checkpoint
    trainer(tmp_path, **few).fit(resumed, datamodule=data_module(), ckpt_path=tmp_path / "last.ckpt", weights_only=True)
    assert resumed.weights_origin == model.weights_origin
    kept = resumed.state_dict()
    assert all(torch.equal(kept[name], weight) for name, weight in model.state_dict().items())
    begun = one("second.pth")
    trainer(tmp_path, max_epochs=0).fit(begun, datamodule=data_module())
    assert "second.pth" in begun.weights_origin  # a new training does load them
