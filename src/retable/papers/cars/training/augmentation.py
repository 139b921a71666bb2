"""Differentiable augmentation of what the discriminator sees (Zhao et al., arXiv 2006.10738). Beyond the essay."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from retable.papers.cars.training.step_random import StepRandom

Transform = Callable[[Tensor], Tensor]
_SHIFT, _CUT = 0.125, 0.5  # parts of the side, the authors' own


def draw_augmentation(kinds: Sequence[str], count: int, size: int, random: StepRandom) -> Transform:
    """Draws the augmentation of a batch: each image's own, differentiable in its pixels, the same whenever applied.

    Args:
        kinds: Some of ``colour``, ``translation`` and ``cutout``, applied in this order; none leaves images as they
            are.
        count: Images B in the batch.
        size: Their side S.
        random: Of the step.

    Returns:
        A function from images (B, 3, S, S) in [-1, 1] to images of the same shape.
    """
    drawn = [draw(count, size, random) for kind, draw in _KINDS.items() if kind in kinds]

    def transform(images: Tensor) -> Tensor:
        for part in drawn:
            images = part(images)
        return images

    return transform


def _colour(count: int, size: int, random: StepRandom) -> Transform:
    brightness, saturation, contrast = random.uniform(count, 3, 1, 1, 1).unbind(1)

    def transform(images: Tensor) -> Tensor:
        images = images + (brightness - 0.5)
        grey = images.mean(dim=1, keepdim=True)
        images = grey + (images - grey) * (2 * saturation)
        mean = images.mean(dim=(1, 2, 3), keepdim=True)
        return mean + (images - mean) * (contrast + 0.5)

    return transform


def _translation(count: int, size: int, random: StepRandom) -> Transform:
    reach = max(1, round(size * _SHIFT))
    moves = (random.uniform(count, 2) * (2 * reach + 1)).long() - reach
    places = torch.arange(size, device=moves.device)
    rows, columns = ((places + moves[:, [axis]]).clamp(-1, size) + 1 for axis in (0, 1))
    index = rows[:, :, None] * (size + 2) + columns[:, None, :]

    def transform(images: Tensor) -> Tensor:
        # what moves in from outside is 0, the middle grey
        padded = F.pad(images, (1, 1, 1, 1)).flatten(2)
        picked = index.flatten(1)[:, None].expand(-1, images.shape[1], -1)
        return padded.gather(2, picked).view_as(images)

    return transform


def _cutout(count: int, size: int, random: StepRandom) -> Transform:
    side = max(1, round(size * _CUT))
    starts = (random.uniform(count, 2) * (size + 1 - side % 2)).long() - side // 2
    places = torch.arange(size, device=starts.device)
    rows, columns = ((places >= starts[:, [axis]]) & (places < starts[:, [axis]] + side) for axis in (0, 1))
    kept = ~(rows[:, :, None] & columns[:, None, :])[:, None]
    return lambda images: images * kept


_KINDS = {"colour": _colour, "translation": _translation, "cutout": _cutout}
