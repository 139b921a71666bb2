"""The networks as configured, and their sizes next to the essay's."""

from functools import cache
from typing import Any

import hydra
import pytest
import torch
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf
from torch import nn

from retable.run.build import build as build_node
from retable.run.command_line import prepare
from retable.run.places import CONFIGURATIONS

pytestmark = pytest.mark.slow  # it trains, or starts processes of its own

PARTS = ("generator", "discriminator", "encoder")
NETWORKS = [(part, path.stem) for part in PARTS for path in sorted((CONFIGURATIONS / "model" / part).glob("*.yaml"))]


@cache
def configuration(part: str, name: str) -> dict[str, Any]:
    """The keys of a network file, composed as those of a model."""
    prepare()
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(str(CONFIGURATIONS), version_base="1.3"):
        words = [f"+model/{part}={name}", "+budget=paper"]
        composed = OmegaConf.to_container(hydra.compose(overrides=words), resolve=True)["model"][part]  # type: ignore
    assert isinstance(composed, dict)
    return {str(key): value for key, value in composed.items()}


def build(part: str, name: str, image_size: int = 64, latent_size: int = 100, **changes: Any) -> nn.Module:
    """A network from its file, with some keys changed."""
    sizes = {"image_size": image_size}
    if part != "discriminator" or name == "joint":
        sizes["latent_size"] = latent_size
    network = build_node(OmegaConf.create(configuration(part, name) | changes))(**sizes)
    assert isinstance(network, nn.Module)
    return network


def sizes(network: nn.Module) -> tuple[int, int]:
    """Number of parameters, and of all values of the state dict."""
    return sum(p.numel() for p in network.parameters()), sum(v.numel() for v in network.state_dict().values())


# the essay's figures: (exact, or what it is rounded to); see the files for how they are read
PRINTED = {
    ("generator", "dcgan"): "around 3.5 million (3.3); the tutorial's are 3,576,704",
    ("discriminator", "dcgan"): "around 2.8 million (3.3); the tutorial's are 2,765,568",
    ("generator", "bigger_dcgan"): "16 million (3.3)",
    ("discriminator", "bigger_dcgan"): "9.1 million (3.3)",
    ("generator", "resnet34"): "22,958,884 (4.3.2)",
    ("discriminator", "resnet34"): "21,298,918 (4.3.2)",
}
EXPECTED = {
    ("generator", "dcgan"): (3_576_704, 3_578_628),
    ("discriminator", "dcgan"): (2_765_568, 2_767_363),
    ("generator", "bigger_dcgan"): (16_071_936, 16_077_318),
    ("discriminator", "bigger_dcgan"): (9_053_440, 9_056_772),
    ("generator", "sagan"): (3_584_897, 3_605_320),
    ("discriminator", "sagan"): (2_772_930, 2_789_875),
    ("generator", "resnet18"): (14_679_939, 14_689_046),
    ("discriminator", "resnet18"): (11_173_569, 11_183_318),
    ("generator", "resnet18_attention"): (14_688_132, 14_697_815),
    ("discriminator", "resnet18_attention"): (11_181_762, 11_192_087),
    ("generator", "resnet34"): (22_943_619, 22_958_884),  # the essay counts the second number
    ("discriminator", "resnet34"): (21_281_729, 21_298_918),
    ("discriminator", "joint"): (3_342_081, 3_343_876),
    ("encoder", "dcgan"): (3_576_676, 3_578_471),
}


@pytest.mark.parametrize(("part", "name"), NETWORKS)
def test_parameters_next_to_the_essays(part: str, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    counted = sizes(build(part, name))
    printed = PRINTED.get((part, name), "not told")
    with capsys.disabled():
        print(f"\n{part} {name}: {counted[0]:,} parameters, {counted[1]:,} values; essay: {printed}", end=" ")
    assert counted == EXPECTED[part, name]


def test_the_essays_exact_counts_are_met_by_all_values_and_by_three_blocks_in_the_last_stage() -> None:
    assert sizes(build("discriminator", "resnet34"))[1] == 21_298_918
    assert sizes(build("generator", "resnet34"))[1] == 22_958_884
    # "layer4 has 4 blocks" is another network
    assert sizes(build("discriminator", "resnet34", blocks=[3, 4, 6, 4]))[0] == 26_002_369


def test_bigger_dcgan_has_seven_and_six_convolutions() -> None:
    generator, discriminator = build("generator", "bigger_dcgan"), build("discriminator", "bigger_dcgan")
    assert sum(isinstance(layer, nn.ConvTranspose2d) for layer in generator.modules()) == 7
    assert sum(isinstance(layer, nn.Conv2d) for layer in discriminator.modules()) == 6


@pytest.mark.parametrize("image_size", [32, 64, 128])
@pytest.mark.parametrize(("part", "name"), NETWORKS)
def test_every_network_works_at_every_image_size(part: str, name: str, image_size: int) -> None:
    network = build(part, name, image_size, latent_size=5, channels=2)
    images, latents = torch.rand(2, 3, image_size, image_size) * 2 - 1, torch.randn(2, 5)
    if part == "generator":
        drawn = network(latents)
        assert drawn.shape == images.shape
        assert bool((drawn.abs() <= 1).all())
    elif part == "encoder":
        encoded = network(images)
        assert encoded.shape == latents.shape
        assert bool((encoded.abs() <= 1).all())
    else:
        assert network(*((images, latents) if name == "joint" else (images,))).shape == (2,)


@pytest.mark.parametrize(("part", "name"), NETWORKS)
def test_every_weight_gets_a_gradient(part: str, name: str) -> None:
    torch.manual_seed(0)
    network = build(part, name, 32, latent_size=5, channels=8)
    for layer in network.modules():
        if hasattr(layer, "gamma"):
            nn.init.ones_(layer.gamma)  # at 0 it keeps gradients from the attention's layers
    images, latents = torch.rand(4, 3, 32, 32) * 2 - 1, torch.randn(4, 5)
    inputs = {"generator": (latents,), "encoder": (images,)}.get(part, (images, latents)[: 2 if name == "joint" else 1])
    network(*inputs).square().sum().backward()
    for key, parameter in network.named_parameters():
        assert parameter.grad is not None, key
        assert bool(parameter.grad.isfinite().all()), key
        assert bool(parameter.grad.abs().sum() > 0), key
