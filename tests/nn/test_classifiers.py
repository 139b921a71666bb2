"""Published networks with a last layer of one's own."""

from pathlib import Path

import pytest
import torch

from retable.errors import ConfigError
from retable.nn.backbones import import_timm
from retable.nn.classifiers import PublishedClassifier
from retable.nn.schema import PublishedNetworkConfig


@pytest.mark.parametrize(
    ("name", "size", "message"),
    [
        ("resnet5", 64, r"model\.network\.name: timm has no 'resnet5'; try .*resnet50"),
        ("test_vit", 160, r"model\.network\.name: test_vit is no convolutional network"),
    ],
)
def test_networks_that_cannot_be_are_told(name: str, size: int, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        PublishedClassifier(PublishedNetworkConfig(name=name), size, 8)


def test_published_weights_and_normalisation(tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = PublishedNetworkConfig(name="test_resnet")
    first, second = (PublishedClassifier(config, input_size=32, classes=8).eval() for _ in range(2))
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
