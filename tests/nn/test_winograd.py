import pytest
import torch
from torch import nn

from retable.nn.winograd import WinogradConvolution, use_winograd


@pytest.mark.parametrize(
    ("batch", "inputs", "outputs", "height", "width", "bias"),
    [(1, 5, 7, 30, 30, True), (3, 4, 3, 13, 23, False), (2, 1, 2, 37, 12, True), (1, 3, 4, 5, 7, True)],
)
def test_it_is_the_convolution(batch: int, inputs: int, outputs: int, height: int, width: int, bias: bool) -> None:
    torch.manual_seed(0)
    convolution = nn.Conv2d(inputs, outputs, 3, padding=1, bias=bias)
    images = torch.randn(batch, inputs, height, width)
    for memory_format in (torch.contiguous_format, torch.channels_last):
        with torch.inference_mode():
            found = WinogradConvolution(convolution.to(memory_format=memory_format))(
                images.contiguous(memory_format=memory_format)
            )
            torch.testing.assert_close(found, convolution(images), atol=5e-5, rtol=0)


def test_convolutions_of_many_channels_are_exchanged() -> None:
    torch.manual_seed(0)
    convolutions = [
        nn.Conv2d(256, 256, 3, padding=1), nn.Conv2d(256, 256, 3, padding=1, groups=2),
        nn.Conv2d(256, 256, 3, padding=2, dilation=2), nn.Conv2d(256, 256, 3, padding=1, padding_mode="reflect"),
        nn.Conv2d(256, 256, 1), nn.Conv2d(256, 256, 3), nn.Conv2d(256, 256, 3, stride=2, padding=1),
        nn.Conv2d(256, 8, 3, padding=1), nn.Conv2d(8, 256, 3, padding=1),
    ]  # fmt: skip
    network = nn.Sequential(nn.Sequential(*convolutions[:5]), *convolutions[5:8]).eval()
    images = torch.rand(1, 256, 25, 25)
    with torch.inference_mode():
        expected = network(images)
        quick = use_winograd(network)
        torch.testing.assert_close(quick(images), expected, atol=1e-4, rtol=1e-4)
    assert [isinstance(layer, WinogradConvolution) for layer in network[0]] == [True, False, False, False, False]
    assert sum(isinstance(layer, WinogradConvolution) for layer in network.modules()) == 1
