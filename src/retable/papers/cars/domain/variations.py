"""What the domain extractor has to overlook: place and stretch of a car, background, light, a camera's own softness.

All functions take and return images (B, 3, H, W) in [0, 1], and draw from the given generator alone.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

GREEN = torch.tensor([51.0, 255.0, 51.0]).view(1, 3, 1, 1) / 255
"""What the data have where no car is."""

_GREENEST_PAINT = 60 / 255  # green above red and blue; the green background has 204
_BACKGROUNDS = 0.65  # share of the images that get another background


def uniform(generator: Generator, shape: tuple[int, ...], low: float = 0.0, high: float = 1.0) -> Tensor:
    """Draws uniform numbers."""
    return torch.rand(shape, generator=generator) * (high - low) + low


def vary(images: Tensor, generator: Generator) -> Tensor:
    """Moves and stretches cars on green, puts many before another background, and changes light and sharpness."""
    images = _moved(images, generator)
    images = _before_backgrounds(images, generator)
    images = _relit(images, generator)
    images = blurred(images, uniform(generator, (len(images),), 0.05, 0.8))
    grain = uniform(generator, (len(images), 1, 1, 1), 0, 0.02)
    return (images + grain * torch.randn(images.shape, generator=generator)).clamp(0, 1)


def blurred(images: Tensor, sigmas: Tensor) -> Tensor:
    """Blurs each image with a Gaussian of its own width in pixels (B,), up to 5."""
    count, channels, height, width = images.shape
    distance = torch.arange(-12.0, 13.0)
    kernels = torch.exp(-0.5 * (distance / sigmas[:, None]) ** 2)
    kernels = (kernels / kernels.sum(dim=1, keepdim=True)).repeat_interleave(channels, dim=0)
    flat = F.pad(images.reshape(1, count * channels, height, width), (12, 12, 12, 12), mode="replicate")
    flat = F.conv2d(flat, kernels[:, None, None, :], groups=count * channels)
    flat = F.conv2d(flat, kernels[:, None, :, None], groups=count * channels)
    return flat.reshape(images.shape)


def smooth_field(count: int, channels: int, cells: int, size: int, generator: Generator) -> Tensor:
    """Draws random fields (count, channels, size, size) in [0, 1] that vary over ``cells`` cells a side."""
    field = torch.rand((count, channels, cells, cells), generator=generator)
    return F.interpolate(field, (size, size), mode="bicubic", align_corners=False).clamp(0, 1)


def _moved(images: Tensor, generator: Generator) -> Tensor:
    count = len(images)
    theta = torch.zeros(count, 2, 3)
    stretch = torch.exp(uniform(generator, (count, 2), -0.2, 0.2))
    taller = uniform(generator, (count,)) < 0.4  # a picture of a box that was resized to a square
    theta[:, 0, 0] = stretch[:, 0]
    theta[:, 1, 1] = torch.where(taller, stretch[:, 1] * 0.7, stretch[:, 1])
    theta[:, :, 2] = uniform(generator, (count, 2), -0.12, 0.12)
    grid = F.affine_grid(theta, list(images.shape), align_corners=False)
    # relative to green, so that what comes in over the borders is green
    return F.grid_sample(images - GREEN, grid, mode="bilinear", align_corners=False) + GREEN


def _before_backgrounds(images: Tensor, generator: Generator) -> Tensor:
    count, size = len(images), images.shape[-1]
    greenness = images[:, 1] - torch.maximum(images[:, 0], images[:, 2])
    share = ((greenness - _GREENEST_PAINT) / (204 / 255 - _GREENEST_PAINT)).clamp(0, 1)[:, None]
    chosen = (uniform(generator, (count, 1, 1, 1)) < _BACKGROUNDS).float()
    return images + share * chosen * (_backgrounds(count, size, generator) - GREEN)


def _backgrounds(count: int, size: int, generator: Generator) -> Tensor:
    """Draws a wall, trees or sky over a road, in fields of different coarseness, mostly of dull colours."""
    shade = uniform(generator, (count, 1, 1, 1))
    tint = uniform(generator, (count, 3, 1, 1), -0.25, 0.25)
    coarse = smooth_field(count, 3, 3, size, generator) - 0.5
    medium = smooth_field(count, 1, 9, size, generator) - 0.5
    fine = smooth_field(count, 1, size // 2, size, generator) - 0.5
    weights = uniform(generator, (3, count, 1, 1, 1), 0, 0.9)
    found = shade + tint + weights[0] * coarse + weights[1] * medium + weights[2] * fine
    road = uniform(generator, (count, 1, 1, 1)) + 0.15 * fine
    rows = torch.linspace(0, 1, size).view(1, 1, size, 1)
    horizon = uniform(generator, (count, 1, 1, 1), 0.4, 1.3)
    return torch.where(rows > horizon, road, found).clamp(0, 1)


def _relit(images: Tensor, generator: Generator) -> Tensor:
    count = len(images)
    gamma = torch.exp(uniform(generator, (count, 1, 1, 1), -0.5, 0.5))
    gain = torch.exp(uniform(generator, (count, 1, 1, 1), -0.35, 0.25))
    cast = torch.exp(uniform(generator, (count, 3, 1, 1), -0.08, 0.08))
    return (images.clamp(1e-4, 1) ** gamma * gain * cast).clamp(0, 1)
