"""Pictures of samples: grids, walks between latents, and the training images that are nearest to a sample."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from retable.errors import StorageError
from retable.metrics.fidelity.extractors import as_uint8
from retable.visualization.drawing import contact_sheet, write_picture

Image = npt.NDArray[np.uint8]

_GAP = 2  # pixels between the images of a grid
_NEIGHBOUR_SIDE = 96  # pixels of an image beside its neighbours, with room for a number below
_TITLE = 28  # pixels of the line above
_CHUNK = 1024  # real images that are compared at a time: 64 MB at 64 x 64
_SPARE = 8  # candidates beyond the wanted neighbours that are compared exactly


def as_arrays(images: Tensor) -> list[Image]:
    """Turns images (N, 3, S, S), uint8 or in [0, 1], into N arrays (S, S, 3) uint8."""
    return list(np.ascontiguousarray(as_uint8(images).cpu().permute(0, 2, 3, 1).numpy()))


def sample_grid(images: Tensor, columns: int) -> Image:
    """Lays images (N, 3, S, S), uint8 or in [0, 1], out on one sheet (H, W, 3) uint8, row by row.

    Raises:
        ValueError: There are no images, or columns is below 1.
    """
    return contact_sheet(as_arrays(images), columns, gap=_GAP)


def write_png(path: Path, image: Image) -> None:
    """Writes a picture (H, W, 3) uint8 RGB, complete or not at all.

    Raises:
        StorageError: It cannot be written.
    """
    try:
        write_picture(path, image)
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror}") from error


def interpolation(z_from: Tensor, z_to: Tensor, steps: int, spherical: bool) -> Tensor:
    """Walks from one latent to another, both ends included.

    Between normal latents the walk is along the great circle (arXiv 1609.04468): the straight line would pass by
    points that are shorter than almost any that was drawn in training. In a cube, of uniform latents, every point of
    the straight line is as likely as its ends.

    Returns:
        (steps, ..., L) latents from (..., L) to as many.

    Raises:
        ValueError: There are fewer than two steps.
    """
    if steps < 2:
        raise ValueError(f"a walk has at least its two ends, not {steps} steps")
    weights = torch.linspace(0, 1, steps, dtype=z_from.dtype, device=z_from.device)
    weights = weights.view(steps, *[1] * z_from.dim())
    straight = torch.lerp(z_from, z_to, weights)
    if not spherical:
        return straight
    cosine = torch.nn.functional.cosine_similarity(z_from, z_to, dim=-1).clamp(-1, 1)[..., None]
    angle = cosine.acos()
    sine = angle.sin()
    has_circle = sine > 1e-4  # not one and the same direction, nor opposite ones, between which no circle is chosen
    sine = torch.where(has_circle, sine, 1)
    around = (((1 - weights) * angle).sin() * z_from + (weights * angle).sin() * z_to) / sine
    walk = torch.where(has_circle, around, straight)
    walk[0], walk[-1] = z_from, z_to
    return walk


class Neighbours(NamedTuple):
    """The nearest real images of samples, nearest first."""

    indices: Tensor  # (N, K) int64 into the real images
    distances: Tensor  # (N, K) float32: root mean square difference of the pixels in [0, 1]


def nearest_neighbours(
    samples: Tensor,
    real: Tensor,
    count: int = 3,
    excluded: Tensor | None = None,
) -> Neighbours:
    """Finds the real images that are most like each sample, to see whether a generator repeats what it learnt.

    How near is near tells the same search for some of the real images, with themselves excluded: the yardstick.

    Args:
        samples: (N, 3, S, S), uint8 or in [0, 1].
        real: (M, 3, S, S), uint8 or in [0, 1].
        count: Neighbours of each sample; no more than there are real images are returned.
        excluded: (N, E) places of the real images that are no neighbours of each sample.

    Returns:
        The neighbours, on the CPU. Of equally near ones the first comes first.
    """
    wanted, known = as_uint8(samples).cpu().flatten(1), as_uint8(real).cpu().flatten(1)
    unit = 255 * math.sqrt(wanted.shape[1])
    allowed = len(known) - (0 if excluded is None else excluded.shape[1])
    count = min(count, allowed)
    # Distances by a matrix product are quick and lose the last digits, which equal images need: it only preselects.
    chunks = torch.split(known, _CHUNK)
    squared = torch.cat([_squared_distances(wanted, chunk) for chunk in chunks], dim=1)
    if excluded is not None:
        squared.scatter_(1, excluded, math.inf)
    candidates = squared.topk(min(count + _SPARE, allowed), largest=False).indices.sort(dim=1).values
    indices, distances = [], []
    for one, chosen in zip(wanted, candidates, strict=True):
        exact = (known[chosen].double() - one.double()).square().sum(dim=1)
        nearest = exact.argsort(stable=True)[:count]
        indices.append(chosen[nearest])
        distances.append((exact[nearest].sqrt() / unit).float())
    return Neighbours(torch.stack(indices), torch.stack(distances))


def _squared_distances(some: Tensor, others: Tensor) -> Tensor:
    some, others = some.float(), others.float()
    # without a common offset there is less to cancel
    offset = others.mean(dim=0)
    some, others = some - offset, others - offset
    return some.square().sum(dim=1, keepdim=True) - 2 * some @ others.T + others.square().sum(dim=1)


def neighbours_picture(
    samples: Tensor,
    real: Tensor,
    neighbours: Neighbours,
    columns: int = 3,
    names: Sequence[str] | None = None,
    title: str | None = None,
) -> Image:
    """Draws each sample, framed in white, with its nearest real images and their distances to the right of it.

    Args:
        samples: (N, 3, S, S), uint8 or in [0, 1].
        real: (M, 3, S, S), uint8 or in [0, 1].
        neighbours: What `nearest_neighbours` found for them.
        columns: Samples in a row.
        names: What is written below the samples; by default their numbers.
        title: A line above all, in ASCII.
    """
    names = names or [f"sample {index}" for index in range(len(samples))]
    images: list[Image] = []
    captions: list[str] = []
    for index, sample in enumerate(as_arrays(samples)):
        images.append(_framed(_enlarged(sample)))
        captions.append(names[index])
        images += [_enlarged(image) for image in as_arrays(real[neighbours.indices[index]])]
        captions += [f"{distance:.3f}" for distance in neighbours.distances[index].tolist()]
    sheet = contact_sheet(images, columns * (1 + neighbours.indices.shape[1]), captions)
    return sheet if title is None else np.concatenate([_title(title, sheet), sheet])


def _title(text: str, sheet: Image) -> Image:
    # its ground is that of the sheet, whose corner is always empty
    strip = np.broadcast_to(sheet[0, 0], (_TITLE, *sheet.shape[1:])).copy()
    cv2.putText(strip, text, (8, _TITLE - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (225, 225, 225), 1, cv2.LINE_AA)
    return strip


def _enlarged(image: Image) -> Image:
    factor = max(1, math.ceil(_NEIGHBOUR_SIDE / image.shape[0]))
    return image.repeat(factor, axis=0).repeat(factor, axis=1)


def _framed(image: Image) -> Image:
    framed = image.copy()
    cv2.rectangle(framed, (0, 0), (image.shape[1] - 1, image.shape[0] - 1), (255, 255, 255), 3)
    return framed
