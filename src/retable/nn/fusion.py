"""Batch normalisation folded into the convolution before it: the same network with half the layers, for prediction."""

import copy
from itertools import pairwise
from typing import Any, cast

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

_PAIRS = ((nn.Conv2d, nn.BatchNorm2d), (nn.Conv1d, nn.BatchNorm1d))


def fuse_batch_norm(network: nn.Module) -> nn.Module:
    """Folds batch normalisation into the convolution that it directly follows.

    It does so in an ``nn.Sequential``, and where one layer is called ``conv1`` and the next ``bn1``, or any other
    number, as in the ResNets of timm and torchvision.

    Args:
        network: A network; it stays as it is.

    Returns:
        A copy in evaluation mode that computes the same up to rounding, and can no longer be trained.
    """
    fused = copy.deepcopy(network).eval()
    for parent in list(fused.modules()):
        for (name, layer), (following_name, following) in pairwise(list(parent.named_children())):
            follows = isinstance(parent, nn.Sequential) or (
                name.startswith("conv") and following_name == name.replace("conv", "bn")
            )
            if follows and (type(layer), type(following)) in _PAIRS:
                setattr(parent, name, fuse_conv_bn_eval(cast(Any, layer), cast(Any, following)))
                setattr(parent, following_name, nn.Identity())
    return fused
