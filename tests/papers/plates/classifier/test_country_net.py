from typing import Any

import pytest
import torch

from retable.errors import ConfigError
from retable.papers.plates.classifier.country_net import CountryNet
from retable.papers.plates.classifier.schema import CountryNetConfig
from retable.run.build import build
from retable.run.command_line import compose


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


@pytest.mark.parametrize(("budget", "shape"), [("small", (64, 128)), ("smoke", (16, 32))])
def test_model_and_data_are_of_one_shape_and_know_outliers(budget: str, shape: tuple[int, int]) -> None:
    config = compose("train", ["model=plate_country", "data=plate_crops", f"budget={budget}"])
    model: Any = build(config.model)
    assert model.input_shape == shape == (config.data.image_height, config.data.image_size)
    assert model.network(model.example_input()).shape == (2, 13)
    assert model.config.subject.prepare(torch.zeros(30, 90, 3).byte().numpy()).shape == (*shape, 3)
    assert (config.data.sampling, config.data.augment.enabled) == ("even", True)
    assert model.knows_outliers == (config.data.outliers > 0)
