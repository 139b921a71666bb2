"""What judges proposals: support vectors, neighbours, and an LSTM on VGG."""

from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor

from retable.errors import CheckpointError, ConfigError
from retable.nn.backbones import import_timm
from retable.papers.plates.rivals.alexnet_svm import AlexNetFeatures, AlexNetSvm
from retable.papers.plates.rivals.neighbours import Neighbours
from retable.papers.plates.rivals.schema import AlexNetSvmConfig, NeighboursConfig, VggLstmConfig
from retable.papers.plates.rivals.vgg_lstm import VggColumns, VggLstm


def stripes(count: int) -> tuple[Tensor, Tensor]:
    """Patches with upright stripes, which are plates, and with level ones, which are none."""
    torch.manual_seed(0)
    pattern = (torch.arange(64) // 4 % 2).float()
    labels = torch.arange(count) % 2
    patches = torch.stack([(pattern[None] if label else pattern[:, None]).expand(3, 64, 64) for label in labels])
    return (0.6 * patches + 0.4 * torch.rand(count, 3, 64, 64)), labels.float()


@pytest.mark.parametrize(("layer", "width"), [("pool5", 9216), ("fc6", 4096), ("fc7", 4096)])
def test_the_layers_of_alexnet(layer: str, width: int) -> None:
    with torch.device("meta"):
        features = AlexNetFeatures(layer, (224, 224))
        assert features.width == width
        assert features(torch.rand(2, 3, 224, 224)).shape == (2, width)
    assert not any(parameter.requires_grad for parameter in features.parameters())


def svm() -> AlexNetSvm:
    return AlexNetSvm(AlexNetSvmConfig(layer="pool5", input_size=(64, 64)))


def neighbours(**changes: Any) -> Neighbours:
    return Neighbours(NeighboursConfig(**{"input_size": (64, 64), "neighbours": 3, **changes}))


@pytest.mark.parametrize("make", [svm, neighbours])
def test_what_is_fitted_tells_patches_apart_and_comes_back_from_its_state(make: Any) -> None:
    patches, labels = stripes(12)
    network, again = make(), make()
    assert not network.fitted
    network.fit(network.features(patches[:8]), labels[:8])
    assert network.fitted
    scores = network(patches[8:])
    assert ((scores > 0.5) == labels[8:].bool()).all()
    assert ((scores >= 0) & (scores <= 1)).all()
    again.load_state_dict(network.state_dict())
    assert again.fitted
    torch.testing.assert_close(again(patches[8:]), scores)


def test_the_nearest_vote_by_their_distance() -> None:
    network = neighbours(neighbours=2)
    patches, _ = stripes(2)
    row = network.features(patches)
    network.fit(torch.cat([row[:1], row[1:]]), torch.tensor([1.0, 0.0]))
    first, second = network(patches)
    assert first > 0.95
    assert second < 0.05


def test_a_memory_that_does_not_fit_together_is_refused() -> None:
    network = neighbours()
    patches, labels = stripes(4)
    network.fit(network.features(patches), labels)
    for changed in ({"is_plate": labels[:3]}, {"is_plate": labels + 1}, {"rows": network.rows[:, :5]}):
        with pytest.raises(CheckpointError, match="remembers"):
            neighbours().load_state_dict({**network.state_dict(), **changed})


def test_published_weights_of_vgg_have_a_place() -> None:
    with torch.device("meta"):
        published = import_timm().create_model("vgg16", pretrained=False).state_dict()
        columns = VggColumns("vgg16", 1.0)
        assert columns(torch.rand(2, 3, 32, 96)).shape == (2, 12, 512)
    state = columns.body.state_dict()
    assert len(state) == 20  # ten convolutions
    assert all(published[name].shape == weight.shape for name, weight in state.items())
    with pytest.raises(ConfigError, match="resnet18 is no VGG"):
        VggColumns("resnet18", 1.0)


def test_the_lstm_sees_the_order_of_columns() -> None:
    torch.manual_seed(0)
    config = VggLstmConfig(optimizer=partial(torch.optim.Adam), network="vgg11", width=0.125, hidden=8)
    network = VggLstm(config)
    patches = torch.rand(3, 3, 32, 96)
    scores = network(patches)
    assert scores.shape == (3,)
    assert ((scores > 0) & (scores < 1)).all()
    columns = network.backbone(patches)
    turned, _ = network.reader(columns[:, torch.randperm(12)])
    assert not torch.allclose(network.output(turned.mean(dim=1)).squeeze(1), network.logits(patches))
    assert network.logits(patches[:0]).shape == (0,)
