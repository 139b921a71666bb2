import pytest
import torch

from retable.errors import ConfigError
from retable.papers.plates.classifier.country_net import CountryNet
from retable.papers.plates.classifier.schema import CountryNetConfig


def test_it_has_about_two_hundred_thousand_weights_and_looks_at_rectangles() -> None:
    network = CountryNet(CountryNetConfig(), input_size=128, classes=13).eval()
    convolutions = 24 * 3 * 25 + 48 * 24 * 9 + 80 * 48 * 9 + 80 * 80 * 9 + 112 * 80 * 9
    norms = 2 * (24 + 48 + 80 + 80 + 112)
    assert sum(parameter.numel() for parameter in network.parameters()) == convolutions + norms + 13 * (8 * 112 + 1)
    assert convolutions + norms + 13 * (8 * 112 + 1) == 197_317
    images = torch.rand(2, 3, 64, 128)
    found = network(images)
    assert found.shape == (2, 13)
    assert torch.allclose(network(0.4 * images + 0.3), found, atol=1e-2)  # light and contrast do not count
    with pytest.raises(ConfigError, match=r"widths=\[8\], depths=\[1, 1, 2, 1\]: must be as many"):
        CountryNet(CountryNetConfig(widths=[8]), input_size=128, classes=2)
