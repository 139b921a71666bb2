import pytest
import torch
import torch.nn.functional as F
from torch import nn

from retable.nn.unet import UNetDecoder

CHANNELS = (8, 16, 32, 64)


def pyramid(side: int = 64) -> list[torch.Tensor]:
    torch.manual_seed(0)
    return [torch.randn(2, channels, side // 2**n, side // 2**n) for n, channels in enumerate(CHANNELS, 2)]


def test_levels_have_equal_channels_at_strides_4_8_and_16() -> None:
    maps = UNetDecoder(CHANNELS, 12, ["P2", "P3", "P4"])(pyramid())
    assert [tuple(level.shape) for level in maps] == [(2, 12, 16, 16), (2, 12, 8, 8), (2, 12, 4, 4)]


def test_decoder_is_upsample_concatenate_fuse_and_equalise() -> None:
    decoder = UNetDecoder(CHANNELS, 12, ["P2", "P4"]).eval()
    features = pyramid()
    state, expected = features[3], {}
    for name, lower in (("P4", features[2]), ("P3", features[1]), ("P2", features[0])):
        upsampled = state.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
        state = torch.cat([upsampled, lower], dim=1)
        for convolution, norm, _ in decoder.fuse[name]:
            state = F.relu(norm(F.conv2d(state, convolution.weight, padding=convolution.padding)))
        expected[name] = state
    fused, equalised = expected["P4"], decoder(features)[1]
    convolution, norm, _ = decoder.equalise["P4"]
    torch.testing.assert_close(equalised, F.relu(norm(F.conv2d(fused, convolution.weight))))
    convolution, norm, _ = decoder.equalise["P2"]
    torch.testing.assert_close(decoder(features)[0], F.relu(norm(F.conv2d(expected["P2"], convolution.weight))))


@pytest.mark.parametrize(("level", "iterations"), [("P2", 3), ("P3", 2), ("P4", 1)])
def test_iterations_below_the_finest_level_are_not_built(level: str, iterations: int) -> None:
    decoder = UNetDecoder(CHANNELS, 12, [level])
    assert len(decoder.fuse) == iterations
    assert list(decoder.equalise) == [level]
    decoder(pyramid())[0].sum().backward()
    assert all(parameter.grad is not None for parameter in decoder.parameters())


def test_each_iteration_has_one_3x3_and_one_1x1_convolution_that_reduces_channels() -> None:
    decoder = UNetDecoder(CHANNELS, 12, ["P2", "P3", "P4"])
    shapes = {
        name: [tuple(m.weight.shape) for m in fuse.modules() if isinstance(m, nn.Conv2d)]
        for name, fuse in decoder.fuse.items()
    }
    assert shapes == {
        "P4": [(16, 96, 3, 3), (16, 16, 1, 1)],
        "P3": [(8, 32, 3, 3), (8, 8, 1, 1)],
        "P2": [(4, 16, 3, 3), (4, 4, 1, 1)],
    }


@pytest.mark.parametrize("levels", [["P1"], ["P2", "P5"], []])
def test_levels_that_do_not_exist_are_refused_when_it_is_built(levels: list[str]) -> None:
    with pytest.raises(ValueError, match="levels must be some of P2, P3, P4"):
        UNetDecoder(CHANNELS, 12, levels)
