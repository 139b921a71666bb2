"""Corruptions of images that are typical of generators: what the domain extractor has to notice.

Each function takes images (B, 3, S, S) in [0, 1] and their strengths (B,) from 0 to 1, draws from the given generator
alone, and returns images alike.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from retable.papers.cars.domain.variations import GREEN, blurred, smooth_field, uniform

Corruption = Callable[[Tensor, Tensor, Generator], Tensor]


def blur(images: Tensor, strength: Tensor, generator: Generator) -> Tensor:
    """Blurs, up to a Gaussian of 4 pixels at a side of 64."""
    return blurred(images, (0.1 + 3.9 * strength) * images.shape[-1] / 64)


def noise(images: Tensor, strength: Tensor, generator: Generator) -> Tensor:
    """Adds white noise, up to a standard deviation of 0.3."""
    return (images + 0.3 * _wide(strength) * torch.randn(images.shape, generator=generator)).clamp(0, 1)


def checkerboard(images: Tensor, strength: Tensor, generator: Generator) -> Tensor:
    """Adds the pattern of transposed convolutions, of 2 or 4 pixels and up to 0.25 either way."""
    count, _, height, width = images.shape
    row, column = torch.arange(height).view(1, height, 1), torch.arange(width).view(1, 1, width)
    fold = 1 + (uniform(generator, (count, 1, 1)) < 0.4).long()
    pattern = ((row // fold + column // fold) % 2).float() * 2 - 1
    tint = uniform(generator, (count, 3, 1, 1), 0.3, 1.0)
    return (images + 0.25 * _wide(strength) * tint * pattern[:, None]).clamp(0, 1)


def shuffle(images: Tensor, strength: Tensor, generator: Generator) -> Tensor:
    """Swaps patches of an eighth of the side, as many as the strength says."""
    cells = 8
    count, channels, size, _ = images.shape
    edge = size // cells
    used = edge * cells
    patches = images[..., :used, :used].reshape(count, channels, cells, edge, cells, edge)
    patches = patches.permute(0, 2, 4, 1, 3, 5).reshape(count, cells * cells, channels, edge, edge)
    keys = uniform(generator, (count, cells * cells))
    rank = keys.argsort(dim=1).argsort(dim=1)
    moved = rank < (strength * cells * cells)[:, None]  # which patches move: those of the lowest ranks, by one rank
    order = keys.argsort(dim=1)
    amount = moved.sum(dim=1, keepdim=True).clamp(min=1)
    source = torch.where(moved, order.gather(1, (rank + 1) % amount), torch.arange(cells * cells))
    patches = patches.gather(1, source[:, :, None, None, None].expand_as(patches))
    patches = patches.reshape(count, cells, cells, channels, edge, edge).permute(0, 3, 1, 4, 2, 5)
    result = images.clone()
    result[..., :used, :used] = patches.reshape(count, channels, used, used)
    return result


def missing(images: Tensor, strength: Tensor, generator: Generator) -> Tensor:
    """Fills a rectangle, up to three quarters of each side, with green or another plain colour."""
    count, _, size, _ = images.shape
    extent = (0.1 + 0.65 * strength[:, None]) * uniform(generator, (count, 2), 0.8, 1.2) * size
    corner = uniform(generator, (count, 2)) * (size - extent).clamp(min=0)
    row, column = torch.arange(size).view(1, size, 1), torch.arange(size).view(1, 1, size)
    top, left = corner[:, :1, None], corner[:, 1:, None]
    inside = (row >= top) & (row < top + extent[:, :1, None]) & (column >= left) & (column < left + extent[:, 1:, None])
    plain = torch.where(uniform(generator, (count, 1, 1, 1)) < 0.5, GREEN, uniform(generator, (count, 3, 1, 1)))
    return torch.where(inside[:, None], plain, images)


def mixture(images: Tensor, strength: Tensor, generator: Generator) -> Tensor:
    """Mixes each image with another one of the batch, half and half at strength 1: all over, or by smooth regions."""
    count, size = len(images), images.shape[-1]
    other = images.roll(1, dims=0)
    regions = (smooth_field(count, 1, 4, size, generator) * 8 - 4).sigmoid() * _wide(strength)
    even = uniform(generator, (count, 1, 1, 1)) < 0.6
    share = torch.where(even, 0.5 * _wide(strength).expand_as(regions), regions)
    return images + share * (other - images)


def colour(images: Tensor, strength: Tensor, generator: Generator) -> Tensor:
    """Turns the colours by mixing the channels."""
    matrix = torch.eye(3) + 0.8 * strength[:, None, None] * torch.randn((len(images), 3, 3), generator=generator)
    return torch.einsum("bij,bjhw->bihw", matrix, images - 0.5).add(0.5).clamp(0, 1)


def warp(images: Tensor, strength: Tensor, generator: Generator) -> Tensor:
    """Bends shapes by up to an eighth of the side."""
    count, size = len(images), images.shape[-1]
    shift = (smooth_field(count, 2, 6, size, generator) - 0.5) * 0.5 * _wide(strength)
    straight = F.affine_grid(torch.eye(2, 3).expand(count, 2, 3), list(images.shape), align_corners=False)
    grid = straight + shift.permute(0, 2, 3, 1)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)


def none(images: Tensor, strength: Tensor, generator: Generator) -> Tensor:
    """Leaves images as they are."""
    return images


_ALL: tuple[Corruption, ...] = (none, blur, noise, checkerboard, shuffle, missing, mixture, colour, warp)
CORRUPTIONS: Final = tuple(function.__name__ for function in _ALL)
"""What the network learns to tell of an image, beside what car it shows: what generators do to images."""


def apply(images: Tensor, kinds: Tensor, strength: Tensor, generator: Generator) -> Tensor:
    """Corrupts each image in the way of its kind.

    Args:
        images: (B, 3, S, S) in [0, 1].
        kinds: (B,) places in `CORRUPTIONS`.
        strength: (B,) from 0 to 1.
        generator: Decides everything else.
    """
    result = images.clone()
    for kind, corrupt in enumerate(_ALL):
        chosen = (kinds == kind).nonzero()[:, 0]
        if len(chosen):
            result[chosen] = corrupt(images[chosen], strength[chosen], generator)
    return result


def _wide(values: Tensor) -> Tensor:
    return values[:, None, None, None]
