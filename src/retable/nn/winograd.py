"""3 x 3 convolutions by Winograd's minimal filtering: five times fewer multiplications, for prediction on CPUs.

A. Lavin and S. Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016. Each tile of 6 x 6 outputs takes
8 x 8 products of a channel instead of 36 x 9. Beside them stand the transforms of inputs and outputs, which pay only
where channels are many.
"""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

_TAPS, _TILE = 3, 6
_PATCH = _TILE + _TAPS - 1
# small numbers, as their powers make the rounding errors, and their opposites and inverses; the last point is infinity
_POINTS = (1.0, 0.0, -1.0, 2.0, -2.0, 0.5, -0.5)
_LEAST_CHANNELS = 256  # of 128 both ways take as long, of 64 this one takes twice as long
_LEAST_TILES = 25  # fewer do not pay for reading the transformed kernel, seven times as large as the kernel


class WinogradConvolution(nn.Module):
    """Computes what a 3 x 3 convolution of stride 1 and padding 1 does, in evaluation, with errors of about 1e-5.

    Args:
        convolution: The convolution, which stays in use for maps of few pixels.
    """

    kernel: Tensor
    to_products: Tensor
    from_products: Tensor

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.convolution = convolution
        weight = convolution.weight.detach()
        outputs, inputs = weight.shape[:2]
        # y = A^T [(G g) * (B^T d)], where A and G evaluate polynomials at the points and B^T transposes interpolation
        evaluation = {size: _evaluation(size) for size in (_TAPS, _TILE, _PATCH)}
        kernel = _both_ways(evaluation[_TAPS]).to(weight.device) @ weight.double().reshape(outputs * inputs, -1).T
        self.register_buffer("kernel", kernel.view(-1, outputs, inputs).transpose(1, 2).to(weight.dtype))
        self.register_buffer("to_products", _both_ways(np.linalg.inv(evaluation[_PATCH]).T).to(weight))
        self.register_buffer("from_products", _both_ways(evaluation[_TILE].T).to(weight))

    def forward(self, features: Tensor) -> Tensor:
        """Convolves (B, C, H, W); returns (B, C', H, W), channels last in memory."""
        batch, channels, height, width = features.shape
        rows, columns = -(-height // _TILE), -(-width // _TILE)
        if batch * rows * columns < _LEAST_TILES:
            found: Tensor = self.convolution(features)
            return found
        bottom, right = rows * _TILE - height + 1, columns * _TILE - width + 1
        padded = F.pad(features.permute(0, 2, 3, 1), (0, 0, 1, right, 1, bottom))
        patches = padded.unfold(1, _PATCH, _TILE).unfold(2, _PATCH, _TILE).permute(4, 5, 0, 1, 2, 3)
        transformed = self.to_products @ patches.reshape(_PATCH**2, -1)
        products = torch.bmm(transformed.view(_PATCH**2, -1, channels), self.kernel)
        if self.convolution.bias is not None:
            products[0] += self.convolution.bias  # of the points (1, 1), which all outputs get times 1
        tiles = (self.from_products @ products.flatten(1)).view(_TILE, _TILE, batch, rows, columns, -1)
        image = tiles.permute(2, 3, 0, 4, 1, 5).reshape(batch, rows * _TILE, columns * _TILE, -1)
        return image[:, :height, :width].permute(0, 3, 1, 2)


def use_winograd(network: nn.Module) -> nn.Module:
    """Exchanges, in the network itself, the convolutions on the CPU that are faster so.

    Args:
        network: A network; afterwards its state dict is another, and it can no longer be trained.

    Returns:
        The network.
    """
    for parent in list(network.modules()):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, nn.Conv2d) and _is_faster(layer):
                setattr(parent, name, WinogradConvolution(layer))
    return network


def _is_faster(layer: nn.Conv2d) -> bool:
    return (
        layer.kernel_size == (_TAPS, _TAPS)
        and layer.stride == layer.dilation == (1, 1)
        and layer.padding == (1, 1)
        and layer.padding_mode == "zeros"
        and layer.groups == 1
        and min(layer.in_channels, layer.out_channels) >= _LEAST_CHANNELS
        and layer.weight.device.type == "cpu"
        and layer.weight.dtype == torch.float32
    )


def _evaluation(size: int) -> NDArray[np.float64]:
    """(8, size): the value of a polynomial of so many coefficients at each point; at infinity it is the last one."""
    return np.vstack([np.vander(_POINTS, size, increasing=True), np.eye(size)[-1]])


def _both_ways(matrix: NDArray[Any]) -> Tensor:
    """The transform of rows and columns at once, of pixels one after the other."""
    return torch.from_numpy(np.kron(matrix, matrix))
