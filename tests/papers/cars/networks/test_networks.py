"""What the networks are made of: attention, spectral normalisation, pairs, blocks, and what cannot be built."""

import copy
from functools import partial
from typing import Any

import pytest
import torch
from tests.papers.cars.networks.built import built
from torch import Tensor, nn

from retable.errors import ConfigError
from retable.papers.cars.networks.bidirectional import Encoder, JointDiscriminator
from retable.papers.cars.networks.dcgan import DcganDiscriminator, DcganGenerator
from retable.papers.cars.networks.resnet import ResnetDiscriminator, ResnetGenerator
from retable.papers.cars.networks.stages import SelfAttention, fitted, normalise_spectrally

pytestmark = pytest.mark.slow  # it trains, or starts processes of its own


def test_attention_first_does_nothing() -> None:
    maps = torch.randn(2, 16, 4, 4)
    assert torch.equal(SelfAttention(16)(maps), maps)


def test_attention_is_equations_1_to_3_of_sagan() -> None:
    torch.manual_seed(0)
    attention = SelfAttention(16).eval()
    nn.init.constant_(attention.gamma, 0.5)
    maps = torch.randn(1, 16, 2, 3)
    places = maps.flatten(2)[0]  # (C, N)
    f, g, h, v = (
        layer.weight[:, :, 0, 0] for layer in (attention.query, attention.key, attention.value, attention.output)
    )
    assert f.shape == g.shape == h.shape == (2, 16)
    expected = torch.empty_like(places)
    for j in range(6):
        scores = torch.stack([(f @ places[:, j]) @ (g @ places[:, i]) for i in range(6)])
        attended = sum((share * (h @ places[:, i]) for i, share in enumerate(scores.softmax(0))), torch.zeros(2))
        expected[:, j] = 0.5 * (v @ attended) + places[:, j]
    torch.testing.assert_close(attention(maps)[0].flatten(1), expected)


def test_attention_sees_the_whole_image() -> None:
    # without it a place of the first maps depends on 4 x 4 pixels
    torch.manual_seed(0)
    images = torch.rand(1, 3, 32, 32, requires_grad=True)
    for ratio, reach in ((None, 10 * 10), (4, 32 * 32)):
        trunk = built(DcganDiscriminator, 32, channels=8, batch_norm=False, attention=ratio).trunk
        for layer in trunk.layers:
            if isinstance(layer, SelfAttention):
                nn.init.ones_(layer.gamma)
        first = trunk.layers[: 5 if ratio else 4](images)  # after the second convolution: maps of 8 x 8
        assert first.shape[2:] == (8, 8)
        (gradient,) = torch.autograd.grad(first[0, :, 4, 4].sum(), images)
        assert int((gradient.abs().sum(dim=1) > 0).sum()) == reach


@pytest.mark.parametrize(
    "layer",
    [nn.Conv2d(3, 5, 3), nn.ConvTranspose2d(3, 5, 4, 2), nn.Linear(3, 5)],
    ids=["Conv2d", "Transposed", "Linear"],
)
def test_spectral_normalisation_bounds_the_largest_singular_value(layer: nn.Module) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(copy.deepcopy(layer))
    normalise_spectrally(network)
    normalise_spectrally(network)  # once is enough
    weight: Tensor
    for _ in range(50):
        weight = network[0].weight
    matrix = (weight.transpose(0, 1) if isinstance(layer, nn.ConvTranspose2d) else weight).flatten(1)
    assert float(torch.linalg.matrix_norm(matrix.detach(), 2)) == pytest.approx(1, abs=1e-3)
    assert len(network[0].parametrizations.weight) == 1


def test_spectral_normalisation_stands_still_in_evaluation() -> None:
    torch.manual_seed(0)
    network = built(DcganDiscriminator, 32, channels=4, batch_norm=False, attention=4, spectral_norm=True).eval()
    images = torch.rand(2, 3, 32, 32)
    before = copy.deepcopy(network.state_dict())
    first = network(images)
    assert torch.equal(network(images), first)
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    restored = built(DcganDiscriminator, 32, channels=4, batch_norm=False, attention=4, spectral_norm=True).eval()
    restored.load_state_dict(before)
    assert torch.equal(restored(images), first)
    assert torch.equal(copy.deepcopy(network)(images), first)  # as a moving average of the weights begins
    network.train()(images)
    moved = [key for key, value in network.state_dict().items() if not torch.equal(value, before[key])]
    assert moved
    assert all(".weight.0._" in key for key in moved)  # the singular vectors alone


def test_all_layers_of_sagan_are_normalised() -> None:
    generator = built(DcganGenerator, 32, 4, channels=8, attention=4, spectral_norm=True)
    discriminator = built(DcganDiscriminator, 32, channels=8, batch_norm=False, attention=4, spectral_norm=True)
    for network in (generator, discriminator):
        layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)]
        assert all(nn.utils.parametrize.is_parametrized(layer) for layer in layers)
        assert sum(isinstance(layer, SelfAttention) for layer in network.modules()) == 1
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in discriminator.modules())


def test_dcgan_is_the_tutorials() -> None:
    generator, discriminator = built(DcganGenerator, 64, 100), built(DcganDiscriminator, 64)
    transposed = [layer for layer in generator.layers if isinstance(layer, nn.ConvTranspose2d)]
    assert [layer.out_channels for layer in transposed] == [512, 256, 128, 64, 3]
    kinds = [type(layer).__name__ for layer in generator.layers]
    assert kinds == ["ConvTranspose2d", "BatchNorm2d", "ReLU"] * 4 + ["ConvTranspose2d", "Tanh"]
    kinds = [type(layer).__name__ for layer in discriminator.trunk.layers]
    assert kinds == ["Conv2d", "LeakyReLU"] + ["Conv2d", "BatchNorm2d", "LeakyReLU"] * 3


def test_a_joint_discriminator_judges_the_pair_not_its_parts() -> None:
    # of a sum of two terms, one for each part, the mixed difference is zero
    torch.manual_seed(0)
    network = built(JointDiscriminator, 32, 4, channels=4).eval()
    images, latents = torch.rand(2, 3, 32, 32) * 2 - 1, 3 * torch.randn(2, 4)
    with torch.no_grad():
        same, crossed = network(images, latents), network(images, latents.flip(0))
    assert float((same.sum() - crossed.sum()).abs()) > 1e-4


def test_the_smallest_maps_are_alike_at_all_image_sizes() -> None:
    assert [fitted((1, 2, 4, 8), size) for size in (32, 64, 128)] == [
        [2, 4, 8], [1, 2, 4, 8], [1, 1, 2, 4, 8],
    ]  # fmt: skip
    for size in (32, 64, 128):
        assert built(DcganDiscriminator, size, channels=2).trunk.side == 4
        assert built(Encoder, size, 3, channels=2).trunk.side == 4


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (partial(built, DcganGenerator, 48, 4), r"data\.image_size=48: model\.generator is made for 32, 64, 128"),
        (partial(built, DcganDiscriminator, 48), r"data\.image_size=48: model\.discriminator is made for 32, 64, 128"),
        (partial(built, ResnetGenerator, 256, 4), r"data\.image_size=256: model\.generator"),
        (partial(built, ResnetDiscriminator, 16), r"data\.image_size=16: model\.discriminator"),
        (partial(built, Encoder, 48, 4), r"data\.image_size=48: model\.encoder"),
        (partial(built, JointDiscriminator, 48, 4), r"data\.image_size=48: model\.discriminator"),
        (partial(built, ResnetDiscriminator, 64, channels=0), r"channels=0: must be 1 or more"),
        (partial(built, DcganGenerator, 64, 4, widths=(8, 0, 2, 1)), r"widths=\[8, 0, 2, 1\]: each must be 1 or more"),
        (partial(built, DcganDiscriminator, 64, widths=()), r"model\.discriminator\.widths=\[\]: needs two"),
        (
            partial(built, DcganGenerator, 64, 4, widths=(4, 2)),
            r"widths=\[4, 2\]: too few to come from start=4 to 64 pixels",
        ),
        (partial(built, DcganDiscriminator, 64, widths=(1,) * 7), r"widths=.*: nothing is left of 64 pixels"),
        (partial(built, DcganGenerator, 64, 4, start=3), r"start=3: must be 2, 4 or 8"),
        (
            partial(built, DcganGenerator, 64, 4, attention=1),
            r"model\.generator\.attention=1: must be null or one of 2, 4, 8, 16",
        ),
        (
            partial(built, ResnetDiscriminator, 64, attention=32),
            r"model\.discriminator\.attention=32: must be null or one of 2",
        ),
        (
            partial(built, ResnetDiscriminator, 64, blocks=(2, 2, 2)),
            r"model\.discriminator\.blocks=\[2, 2, 2\]: has four stages",
        ),
        (partial(built, ResnetGenerator, 64, 4, blocks=(2, 2)), r"model\.generator\.blocks=\[2, 2\]: has three stages"),
        (partial(built, ResnetGenerator, 64, 4, blocks=(2, 0, 2)), r"blocks=\[2, 0, 2\]: each must be 1 or more"),
    ],
)
def test_what_cannot_be_built_is_told(build: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build()


def test_one_block_for_a_stage_is_enough() -> None:
    assert built(ResnetGenerator, 64, 4, channels=2, blocks=(1, 1, 1))(torch.randn(2, 4)).shape == (2, 3, 64, 64)
    assert built(ResnetDiscriminator, 64, channels=2, blocks=(1, 1, 1, 1))(torch.rand(2, 3, 64, 64)).shape == (2,)


def test_images_of_another_size_are_no_logits() -> None:
    with pytest.raises(RuntimeError, match="shape"):
        built(DcganDiscriminator, 32, channels=2)(torch.rand(2, 3, 64, 64))
