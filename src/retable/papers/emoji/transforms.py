"""Training augmentation of drawings, on whole batches: as another hand, pen and sheet of paper would have had it.

Each sample draws its numbers from a generator of its own, so that neither workers nor an interruption change it; the
work on the pixels is done for the batch at once.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from retable.papers.emoji.schema import Augmentation

_WOBBLE_KNOTS = 5  # points each way at which the displacement is drawn


Draw = dict[str, npt.NDArray[np.float32]]


def augment(images: Tensor, augmentation: Augmentation, generators: Sequence[np.random.Generator]) -> Tensor:
    """Varies a batch of drawings.

    Args:
        images: (B, 3, S, S) in [0, 1].
        augmentation: The ranges.
        generators: Where the chance of each sample comes from.

    Returns:
        (B, 3, S, S) in [0, 1].
    """
    draws = [_draw(augmentation, generator) for generator in generators]
    numbers = {name: torch.from_numpy(np.stack([draw[name] for draw in draws])) for name in draws[0]}
    paper = _paper(images)
    images = _warped(images - paper, augmentation, numbers) + paper
    images = _thickened(images, augmentation, numbers["pen"])
    images = _erased(images, paper, augmentation, numbers["erase"])
    images = _relit(images, augmentation, numbers["tone"])
    images = _blurred(images, augmentation, numbers["blur"])
    if augmentation.noise:
        size = images.shape[-1]
        noise = np.stack([generator.standard_normal((1, size, size), dtype=np.float32) for generator in generators])
        images = images + torch.from_numpy(noise) * (augmentation.noise * numbers["noise"]).view(-1, 1, 1, 1)
    return images.clamp_(0, 1)


def _draw(augmentation: Augmentation, generator: np.random.Generator) -> Draw:
    """Draws the numbers of one sample, in [0, 1) but for the wobble; always as many, whatever the ranges are."""
    sizes = {"place": 7, "pen": 1, "erase": 4, "tone": 9, "blur": 2, "noise": 1}
    uniform = generator.random(sum(sizes.values()), dtype=np.float32)
    parts = np.split(uniform, np.cumsum(list(sizes.values()))[:-1])
    draw: Draw = dict(zip(sizes, parts, strict=True))
    draw["wobble"] = generator.standard_normal((2, _WOBBLE_KNOTS, _WOBBLE_KNOTS), dtype=np.float32)
    return draw


def _paper(images: Tensor) -> Tensor:
    """Returns the colour around each drawing, (B, 3, 1, 1): the median of its rim."""
    rim = torch.cat([images[..., 0, :], images[..., -1, :], images[..., 0], images[..., -1]], dim=2)
    return rim.median(dim=2).values[..., None, None]


def _warped(images: Tensor, options: Augmentation, numbers: dict[str, Tensor]) -> Tensor:
    """Turns, mirrors, scales, slants, shifts and wobbles in one interpolation; 0 comes in from outside."""
    flip, turn, zoom, slant, stretch, x, y = numbers["place"].unbind(1)
    angle = np.deg2rad(options.rotation_degrees) * (2 * turn - 1)
    low, high = np.log(options.scale)
    scale = torch.exp(low + (high - low) * zoom)
    slant, stretch = options.shear * (2 * slant - 1), options.shear * (stretch - 0.5)
    cosine, sine = angle.cos() / scale, angle.sin() / scale
    mirror = torch.where(flip < options.horizontal_flip, -1.0, 1.0)
    # where each output point comes from: rotation, then slant and stretch
    wide, tall = mirror * torch.exp(stretch), torch.exp(-stretch)
    matrix = torch.stack(
        [
            torch.stack([wide * (cosine + slant * sine), wide * (slant * cosine - sine)], dim=1),
            torch.stack([tall * sine, tall * cosine], dim=1),
        ],
        dim=1,
    )
    shift = 2 * options.shift * (2 * torch.stack([x, y], dim=1) - 1)  # the grid's coordinates go from -1 to 1
    theta = torch.cat([matrix, -(matrix @ shift[..., None])], dim=2)
    grid = F.affine_grid(theta, list(images.shape), align_corners=False)
    if options.wobble:
        bent = F.interpolate(numbers["wobble"], size=images.shape[-2:], mode="bicubic", align_corners=True)
        grid = grid + options.wobble * 2 * bent.permute(0, 2, 3, 1)
    return F.grid_sample(images, grid, align_corners=False)


def _thickened(images: Tensor, options: Augmentation, pen: Tensor) -> Tensor:
    """Moves towards the darkest or the lightest of each pixel's neighbours, as if ink were always dark."""
    if not (options.thinner or options.thicker):
        return images
    amount = (-options.thinner + (options.thinner + options.thicker) * pen).view(-1, 1, 1, 1)
    sign = torch.where(amount > 0, -1.0, 1.0)
    found = images * sign
    for axis in (2, 3):  # the largest of 3 x 3 neighbours, ten times as fast as max_pool2d
        before, middle, after = _neighbours(found, axis)
        found = torch.maximum(torch.maximum(before, after), middle)
    return images.lerp(found * sign, amount.abs().expand_as(images))


def _erased(images: Tensor, paper: Tensor, options: Augmentation, erase: Tensor) -> Tensor:
    if not options.erase:
        return images
    happens, half, x, y = erase.unbind(1)
    place = (torch.arange(images.shape[-1]) + 0.5) / images.shape[-1]
    half = 0.125 * half[:, None]
    across, down = ((place - middle[:, None]).abs() < half for middle in (x, y))
    hidden = across[:, None, None, :] & down[:, None, :, None] & (happens < options.erase).view(-1, 1, 1, 1)
    return torch.where(hidden, paper, images)


def _relit(images: Tensor, options: Augmentation, tone: Tensor) -> Tensor:
    bright, contrast, red, green, blue, across, down, shade, invert = tone.unbind(1)
    place = torch.linspace(-1, 1, images.shape[-1])
    slope = torch.stack([2 * across - 1, 2 * down - 1], dim=1)
    slope = slope / slope.norm(dim=1, keepdim=True).clamp(min=1e-6)
    fall = (slope[:, :1, None] * place + slope[:, 1:, None] * place[:, None] + 1.5) / 3
    light = 1 - options.shade * shade[:, None, None] * fall
    gain = 1 - options.colour * torch.stack([red, green, blue], dim=1)
    gain = gain * (1 - options.contrast * contrast[:, None])
    offset = options.brightness * (2 * bright - 1)
    images = torch.where((invert < options.invert).view(-1, 1, 1, 1), 1 - images, images)
    # about white: paper stays light and ink fades
    lit: Tensor = (1 - (1 - images) * gain[..., None, None]) * light[:, None] + offset.view(-1, 1, 1, 1)
    return lit


def _blurred(images: Tensor, options: Augmentation, blur: Tensor) -> Tensor:
    if not options.blur:
        return images
    soft = images
    for axis in (2, 3):
        before, middle, after = _neighbours(soft, axis)
        soft = (before + after) / 4 + middle / 2
    amount = torch.where(blur[:, 0] < options.blur, blur[:, 1], 0.0).view(-1, 1, 1, 1)
    return images.lerp(soft, amount.expand_as(images))


def _neighbours(images: Tensor, axis: int) -> tuple[Tensor, Tensor, Tensor]:
    """Returns each pixel's neighbour before, itself, and its neighbour after it along an axis; the border repeats."""
    length = images.shape[axis]
    first, last = images.narrow(axis, 0, 1), images.narrow(axis, length - 1, 1)
    return (
        torch.cat([first, images.narrow(axis, 0, length - 1)], dim=axis),
        images,
        torch.cat([images.narrow(axis, 1, length - 1), last], dim=axis),
    )
