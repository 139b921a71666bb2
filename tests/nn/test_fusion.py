import torch
from torch import nn

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
