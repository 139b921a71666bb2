"""Samples of a trained generator: single images, a grid, and walks between the first of them."""

from __future__ import annotations

import json
import logging
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from retable.errors import StorageError
from retable.files import write_text
from retable.metrics.fidelity.extractors import as_uint8
from retable.papers.cars.pictures import as_arrays, interpolation, sample_grid, write_png
from retable.papers.cars.training.schema import PredictionOptions

if TYPE_CHECKING:
    from retable.papers.cars.training.lightning_model import Gan

log = logging.getLogger(__name__)

_BATCH = 64
_WALKS = 8  # rows of interpolation.png
_LARGEST_GRID = 256  # images; more of them are written, but not laid out


def write_samples(model: Gan, output: Path, options: PredictionOptions, about: dict[str, Any]) -> None:
    """Draws samples and writes them, each file complete or not at all.

    ``samples/0000.png`` and so on, ``grid.png`` with all of them (the first 256 of more), ``interpolation.png``, whose
    row i goes from sample i to sample i + 1, and ``samples.json``. A seed names its samples: more of them begin with
    the same ones.

    Raises:
        StorageError: A result cannot be written.
    """
    count, seed, steps = options.n, options.seed, options.interpolation_steps
    generator = torch.Generator().manual_seed(seed)
    # One at a time: the numbers that torch draws at once depend on how many they are. Two are needed for a walk.
    latents = torch.cat([model.draw_latents(1, generator) for _ in range(max(2, count))])
    digits = max(4, len(str(count - 1)))
    names = [f"{index:0{digits}}.png" for index in range(count)]
    shown = []
    first = 0
    for images in _sampled(model, latents[:count]):
        for name, image in zip(names[first:], as_arrays(images), strict=False):
            write_png(output / "samples" / name, image)
        shown += [images] if first < _LARGEST_GRID else []
        first += len(images)
    grid = torch.cat(shown)[:_LARGEST_GRID]
    write_png(output / "grid.png", sample_grid(grid, math.ceil(math.sqrt(len(grid)))))
    rows = min(_WALKS, len(latents) - 1)
    walks = interpolation(latents[:rows], latents[1 : rows + 1], steps, model.spherical_latents)  # (steps, rows, L)
    images = torch.cat(list(_sampled(model, walks.transpose(0, 1).flatten(0, 1))))
    write_png(output / "interpolation.png", sample_grid(images, steps))
    result = {
        **about,
        "seed": seed,
        "n": count,
        "latents": {"size": latents.shape[1], "interpolation": "spherical" if model.spherical_latents else "linear"},
        "interpolation_steps": steps,
        "samples": [f"samples/{name}" for name in names],
    }
    try:
        write_text(output / "samples.json", json.dumps(result, indent=1) + "\n")
    except OSError as error:
        raise StorageError(f"cannot write into {output}: {error.strerror}") from error
    log.info("%d samples of seed %d, in %s", count, seed, output)
    _tell_others(output / "samples", set(names))


def _sampled(model: Gan, latents: Tensor) -> Iterator[Tensor]:
    for chunk in torch.split(latents, _BATCH):
        yield as_uint8(model.sample(chunk.to(model.device))).cpu()


def _tell_others(folder: Path, names: set[str]) -> None:
    others = [path.name for path in folder.iterdir() if re.fullmatch(r"\d+\.png", path.name) and path.name not in names]
    if others:
        log.warning("%s also holds %d samples of an earlier call, such as %s", folder, len(others), min(others))
