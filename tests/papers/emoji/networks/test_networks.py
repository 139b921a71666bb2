"""The paper's network and our small one."""

from typing import Any

import pytest
import torch
from torch import nn

from retable.errors import ConfigError
from retable.papers.emoji.networks.cnn import PaperNetwork
from retable.papers.emoji.networks.net import SmallNetwork, ink
from retable.papers.emoji.schema import PaperNetworkConfig, SmallNetworkConfig


def paper(size: int = 64, **changes: Any) -> PaperNetwork:
    return PaperNetwork(PaperNetworkConfig(**changes), input_size=size, classes=8)


def small(size: int = 64, **changes: Any) -> SmallNetwork:
    return SmallNetwork(SmallNetworkConfig(**changes), input_size=size, classes=8)


def test_the_papers_network_is_that_of_table_1() -> None:
    network = paper()
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
    network = small()
    assert sum(parameter.numel() for parameter in network.parameters()) < 1_000_000
    assert network(torch.rand(2, 3, 64, 64)).shape == (2, 8)


def test_ink_overlooks_brightness_and_contrast() -> None:
    images = torch.rand(2, 3, 16, 16)
    torch.testing.assert_close(ink(images * 0.4 + 0.3), ink(images), atol=0.02, rtol=0)
    assert bool(ink(torch.ones(1, 3, 8, 8)).isfinite().all())


@pytest.mark.parametrize(
    ("network", "changes", "message"),
    [
        (paper, {"size": 16}, r"model\.input_size=16: nothing is left after 4 poolings"),
        (small, {"size": 8}, r"model\.input_size=8: nothing is left after 4 halvings"),
        (paper, {"dropout": 1.0}, r"dropout=1\.0: must be from 0 to below 1"),
        (paper, {"filters": []}, r"model\.network\.filters=\[\]"),
        (small, {"widths": []}, r"model\.network\.widths=\[\]"),
        (small, {"widths": [8, 0]}, r"widths=\[8, 0\]: each must be 1 or more"),
    ],
)
def test_networks_that_cannot_be_are_told(network: Any, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        network(**changes)
