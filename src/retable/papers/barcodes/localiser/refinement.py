"""A closer look at each symbol that was found: where its corners are to a hundredth of its width.

A mask knows where a symbol is to a cell or two, of which a small symbol has few. A reader needs its ends to two modules
of 95. So a small network looks at the quadrangle with what is around it, stretched to one shape, and tells where the
corners are; what it tells is looked at once more.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

AROUND = 0.35
"""What is seen around a quadrangle, on each side, as a part of its sides."""

_WIDTH, _HEIGHT = 160, 48  # pixels of what is seen
_SAMPLES = 2  # of a pixel, on each side


class CornerRefiner(nn.Module):
    """Tells how far each corner of a quadrangle is from the symbol's.

    Args:
        width: Channels of its first layer.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 1
        for outputs in (width, 2 * width, 4 * width, 4 * width):
            layers += [
                nn.Conv2d(channels, outputs, 3, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(outputs),
                nn.ReLU(inplace=True),
                nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
                nn.BatchNorm2d(outputs),
                nn.ReLU(inplace=True),
            ][: 3 if channels == 1 else 6]
            channels = outputs
        self.looks = nn.Sequential(*layers, nn.Flatten())
        self.offsets = nn.Sequential(
            nn.Linear(channels * (_WIDTH // 16) * (_HEIGHT // 16), 128), nn.ReLU(inplace=True), nn.Linear(128, 8)
        )
        last = self.offsets[-1]
        assert isinstance(last, nn.Linear)
        nn.init.normal_(last.weight, std=1e-3)
        nn.init.zeros_(last.bias)

    def forward(self, views: Tensor) -> Tensor:
        """Returns offsets (N, 4, 2), parts of the quadrangle's sides, of views (N, 1, 48, 160) in [0, 1]."""
        deviation, mean = torch.std_mean(views, dim=(1, 2, 3), keepdim=True)
        found: Tensor = self.offsets(self.looks((views - mean) / (deviation + 0.02)))
        return found.view(-1, 4, 2)


def placed(corners: Tensor, places: Tensor) -> Tensor:
    """Returns where places are in a photo, between the corners or outside of them.

    Args:
        corners: (N, 4, 2), clockwise from the upper left.
        places: (N, K, 2) or (K, 2), x and y, from 0 to 1 inside the quadrangle.

    Returns:
        (N, K, 2).
    """
    x, y = places[..., :1], places[..., 1:]
    top_left, top_right, bottom_right, bottom_left = (corners[:, None, index] for index in range(4))
    return (1 - y) * ((1 - x) * top_left + x * top_right) + y * ((1 - x) * bottom_left + x * bottom_right)


def views(photos: Tensor, corners: Tensor) -> Tensor:
    """Returns what is seen of quadrangles and around them, (N, 1, 48, 160).

    Args:
        photos: (N, 1, H, W), one for each quadrangle.
        corners: (N, 4, 2) in continuous pixels.
    """
    height, width = _SAMPLES * _HEIGHT, _SAMPLES * _WIDTH
    y = (torch.arange(height, device=photos.device) + 0.5) / height * (1 + 2 * AROUND) - AROUND
    x = (torch.arange(width, device=photos.device) + 0.5) / width * (1 + 2 * AROUND) - AROUND
    places = torch.stack([x.expand(height, width), y[:, None].expand(height, width)], dim=-1).view(-1, 2)
    sizes = corners.new_tensor([photos.shape[3], photos.shape[2]])
    grid = (placed(corners, places.to(corners.dtype)) / sizes * 2 - 1).view(-1, height, width, 2)
    seen = F.grid_sample(photos, grid.to(photos.dtype), padding_mode="border", align_corners=False)
    return F.avg_pool2d(seen, _SAMPLES)


def moved(corners: Tensor, offsets: Tensor) -> Tensor:
    """Returns quadrangles (N, 4, 2) whose corners are moved by offsets (N, 4, 2), parts of their sides."""
    unit = corners.new_tensor([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)])
    return placed(corners, unit + offsets)


def disturbed(corners: Tensor, copies: int, generator: torch.Generator | None = None) -> Tensor:
    """Returns quadrangles as a mask might find them, (copies * N, 4, 2), each the right way up or upside down."""

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=corners.dtype)

    many = corners.repeat(copies, 1, 1)
    count = len(many)
    unit = corners.new_tensor([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])
    sizes = (0.14 * normal(count, 1, 2)).exp()
    amount = 0.5 + torch.rand(
        count, 1, 1, generator=generator, dtype=corners.dtype
    )  # some masks are better than others
    places = 0.5 + unit * sizes + amount * (0.06 * normal(count, 1, 2) + 0.05 * normal(count, 4, 2))
    found = placed(many, places)
    upside_down = torch.rand(count, generator=generator) < 0.5
    return torch.where(upside_down[:, None, None], found.roll(2, dims=1), found)


def refinement_loss(found: Tensor, known: Tensor) -> Tensor:
    """Returns the smooth L1 distance of corners, in parts of the sides, whichever way up is nearer.

    Args:
        found: (N, 4, 2).
        known: (N, 4, 2).
    """
    along = (known[:, 1] - known[:, 0] + known[:, 2] - known[:, 3]) / 2
    down = (known[:, 3] - known[:, 0] + known[:, 2] - known[:, 1]) / 2
    frame = torch.linalg.pinv(torch.stack([along, down], dim=1))
    losses = []
    for turned in (known, known.roll(2, dims=1)):
        error = (found - turned) @ frame
        losses.append(F.smooth_l1_loss(error, torch.zeros_like(error), beta=0.02, reduction="none").mean(dim=(1, 2)))
    return torch.minimum(*losses).mean()
