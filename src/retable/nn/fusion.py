"""Batch normalisation folded into the convolution before it: the same network with half the layers, for prediction."""

import copy
from itertools import pairwise

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def fuse_batch_norm(network: nn.Module) -> nn.Module:
    """Folds each batch normalisation that directly follows a convolution in an ``nn.Sequential`` into it.

    Args:
        network: A network; it stays as it is.

    Returns:
        A copy in evaluation mode that computes the same up to rounding, and can no longer be trained.
    """
    fused = copy.deepcopy(network).eval()
    for parent in fused.modules():
        if not isinstance(parent, nn.Sequential):
            continue
        for index, (layer, following) in enumerate(pairwise(list(parent))):
            if type(layer) is nn.Conv2d and type(following) is nn.BatchNorm2d:
                parent[index] = fuse_conv_bn_eval(layer, following)
                parent[index + 1] = nn.Identity()
    return fused
