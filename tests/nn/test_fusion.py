import pytest
import torch
from torch import Tensor, nn

from retable.nn.backbones import Backbone
from retable.nn.fusion import fuse_batch_norm


def test_it_computes_the_same_with_fewer_layers() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(),
        nn.Sequential(nn.Conv2d(4, 4, 3, groups=4, bias=False), nn.BatchNorm2d(4), nn.Conv2d(4, 2, 1)),
        nn.BatchNorm2d(2),  # does not directly follow a convolution of its own sequence
    )  # fmt: skip
    for _ in range(3):
        network(torch.rand(4, 3, 9, 9) * 3)
    network.eval()
    fused = fuse_batch_norm(network)
    images = torch.rand(2, 3, 9, 9)
    torch.testing.assert_close(fused(images), network(images), atol=1e-5, rtol=1e-5)
    assert sum(isinstance(layer, nn.BatchNorm2d) for layer in fused.modules()) == 1
    assert sum(isinstance(layer, nn.BatchNorm2d) for layer in network.modules()) == 3


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_the_resnets_of_timm_are_folded(name: str) -> None:
    torch.manual_seed(0)
    backbone = Backbone(name, width=0.125)
    for layer in backbone.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 0.5, 1.5)  # the last of each block starts with 0
            nn.init.normal_(layer.bias)
    for _ in range(2):
        backbone(torch.rand(2, 3, 64, 64))
    backbone.eval()
    fused = fuse_batch_norm(backbone)
    images = torch.rand(1, 3, 64, 64)
    torch.testing.assert_close(fused(images), backbone(images), atol=1e-5, rtol=1e-4)
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in fused.modules())


class Before(nn.Module):
    """Batch normalisation before its convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(3), nn.Conv2d(3, 3, 1)
        self.bn2, self.conv2 = nn.BatchNorm2d(3), nn.Conv2d(3, 3, 1)

    def forward(self, images: Tensor) -> Tensor:
        images = self.conv1(self.bn1(images).relu())
        found: Tensor = self.conv2(self.bn2(images).relu())
        return found


def test_what_comes_before_its_convolution_stays() -> None:
    torch.manual_seed(0)
    network, images = Before(), torch.rand(2, 3, 5, 5)
    network(images)
    network.eval()
    fused = fuse_batch_norm(network)
    assert sum(isinstance(layer, nn.BatchNorm2d) for layer in fused.modules()) == 2
    torch.testing.assert_close(fused(images), network(images))
