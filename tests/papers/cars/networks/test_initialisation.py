"""First weights: their distributions, and that spectral normalisation follows them."""

from collections.abc import Callable

import pytest
import torch
from tests.papers.cars.networks.built import built
from torch import Tensor, nn

from retable.errors import ConfigError
from retable.papers.cars.networks.dcgan import DcganDiscriminator, DcganGenerator
from retable.papers.cars.networks.initialisation import (
    dcgan,
    orthogonal,
    trained_weights,
    weight_matrices,
    xavier_uniform,
    xavier_uniform_main_path,
)
from retable.papers.cars.networks.resnet import ResnetDiscriminator, ResnetGenerator

INITIALISATIONS = [dcgan, xavier_uniform, orthogonal]


def test_dcgan_is_normal_with_a_deviation_of_a_fiftieth() -> None:
    torch.manual_seed(0)
    network = built(DcganGenerator, 32, 20, channels=16)
    dcgan(network)
    for weight in map(torch.Tensor.detach, trained_weights(network)):
        assert float(weight.std()) == pytest.approx(0.02, rel=0.1)
        assert abs(float(weight.mean())) < 2e-3
    scales = torch.cat([layer.weight.detach() for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)])
    assert float(scales.mean()) == pytest.approx(1, abs=0.01)
    assert float(scales.std()) == pytest.approx(0.02, rel=0.3)


def test_xavier_keeps_the_variance() -> None:
    torch.manual_seed(0)
    network = built(ResnetDiscriminator, 32, channels=8)
    xavier_uniform(network)
    for weight in map(torch.Tensor.detach, trained_weights(network)):
        inputs, outputs = weight[0].numel(), weight.shape[0] * weight[0, 0].numel()
        bound = (6 / (inputs + outputs)) ** 0.5
        assert float(weight.abs().max()) <= bound
        assert float(weight.abs().max()) > 0.9 * bound
    assert float(network.output.bias.detach()) == 0


@pytest.mark.parametrize("build", [ResnetDiscriminator, ResnetGenerator])
def test_xavier_of_the_main_path_leaves_shortcuts_attention_and_the_last_layer(build: type[nn.Module]) -> None:
    torch.manual_seed(0)
    network = built(build, 32, *([5] if build is ResnetGenerator else []), channels=8, attention=4)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    xavier_uniform_main_path(network)
    changed = {key: value for key, value in network.named_parameters() if not torch.equal(value, before[key])}
    convolutions = {key for key, value in network.named_parameters() if value.dim() == 4}
    main_path = {key for key in convolutions if key == "layers.0.weight" or ".body." in key}
    assert changed.keys() == main_path
    assert any("shortcut" in key for key in convolutions - main_path)
    for weight in map(Tensor.detach, changed.values()):
        bound = (6 / (weight[0].numel() + weight.shape[0] * weight[0, 0].numel())) ** 0.5
        assert 0.9 * bound < float(weight.abs().max()) <= bound
    normalised = built(ResnetDiscriminator, 32, channels=4, spectral_norm=True).eval()
    xavier_uniform_main_path(normalised)
    first = normalised.layers[0].weight.detach().flatten(1)
    assert float(torch.linalg.matrix_norm(first, 2)) == pytest.approx(1, abs=0.1)
    with pytest.raises(ConfigError, match="DcganDiscriminator has no residual blocks"):
        xavier_uniform_main_path(built(DcganDiscriminator, 32, channels=4))


@pytest.mark.parametrize(
    "network", [built(ResnetGenerator, 32, 5, channels=4), built(DcganDiscriminator, 32, channels=4)]
)
def test_orthogonal_weights_are_what_regularisation_looks_at(network: nn.Module) -> None:
    torch.manual_seed(0)
    orthogonal(network)
    matrices = list(weight_matrices(network))
    assert len(matrices) == len(list(trained_weights(network)))
    for matrix in matrices:
        assert matrix.shape[0] <= matrix.shape[1]
        torch.testing.assert_close(matrix @ matrix.T, torch.eye(len(matrix)), atol=1e-5, rtol=0)
    sum((matrix.square().sum() for matrix in matrices), torch.zeros(())).backward()
    assert all(weight.grad is not None for weight in trained_weights(network))


@pytest.mark.parametrize("initialise", INITIALISATIONS)
def test_spectral_normalisation_follows_the_new_weights(initialise: Callable[[nn.Module], None]) -> None:
    torch.manual_seed(0)
    network = built(DcganDiscriminator, 32, channels=4, batch_norm=False, attention=4, spectral_norm=True).eval()
    initialise(network)
    assert not any(layer.training for layer in network.modules())
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            assert float(torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2)) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("initialise", INITIALISATIONS)
def test_attention_still_begins_with_nothing_and_all_is_repeatable(initialise: Callable[[nn.Module], None]) -> None:
    states = []
    for _ in range(2):
        torch.manual_seed(3)
        network = built(DcganGenerator, 32, 4, channels=4, attention=4, spectral_norm=True)
        initialise(network)
        states.append(network.state_dict())
    assert all(torch.equal(value, states[1][key]) for key, value in states[0].items())
    assert all(float(value) == 0 for key, value in states[0].items() if key.endswith("gamma"))


def test_looking_at_weights_moves_no_power_iteration() -> None:
    network = built(DcganDiscriminator, 32, channels=4, spectral_norm=True)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    assert all(weight.requires_grad for weight in trained_weights(network))
    list(weight_matrices(network))
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
