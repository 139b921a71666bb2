import pytest
import torch
from torch import nn

from retable.errors import ConfigError
from retable.papers.plates.classifier.cnn import PlateCnn
from retable.papers.plates.classifier.schema import PlateCnnConfig

TABLE = [  # output side and learnable parameters of Table II
    (220, 2496), (216, 25696), (104, 51392), (100, 102592), (46, 153888), (42, 230688), (17, 307584), (13, 409984),
    (2, 819968), (1, 525824),
]  # fmt: skip


def weights(*modules: nn.Module) -> int:
    return sum(parameter.numel() for module in modules for parameter in module.parameters())


def test_each_layer_has_the_size_and_weights_that_the_paper_prints() -> None:
    with torch.device("meta"):
        network = PlateCnn(PlateCnnConfig(), input_size=224, classes=9)
        maps, found, poolings = torch.rand(2, 3, 224, 224), [], []
        for position, layer in enumerate(network.features):
            maps = layer(maps)
            if isinstance(layer, nn.Conv2d):
                found.append((maps.shape[-1], weights(layer, network.features[position + 1])))
            elif isinstance(layer, nn.MaxPool2d):
                poolings.append(maps.shape[-1])
    assert found == TABLE
    assert poolings == [108, 50, 21, 6]
    assert weights(network.output) == 4617
    assert weights(network) == 2_634_729


def test_the_number_of_classes_follows_the_data_and_small_images_need_fewer_poolings() -> None:
    network = PlateCnn(PlateCnnConfig(widths=[4, 8], last_widths=[8, 8]), input_size=44, classes=13)
    assert network(torch.rand(2, 3, 44, 44)).shape == (2, 13)
    with pytest.raises(ConfigError, match=r"model\.input_size=44: nothing is left after 4 poolings"):
        PlateCnn(PlateCnnConfig(), input_size=44, classes=2)
    with pytest.raises(ConfigError, match=r"last_widths=\[8\]: must be two numbers"):
        PlateCnnConfig(last_widths=[8])
