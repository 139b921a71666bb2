"""Differentiable augmentation of what the discriminator sees (Zhao et al., arXiv 2006.10738). Beyond the essay."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from retable.errors import ConfigError
from retable.papers.cars.training.step_random import Draws

Transform = Callable[[Tensor], Tensor]
_SHIFT, _CUT = 0.125, 0.5  # parts of the side, the authors' own


def unchanged(images: Tensor) -> Tensor:
    """Leaves images as they are."""
    return images


class Augmentation:
    """Colour, translation and cutout, drawn for each image of a batch and differentiable in its pixels.

    Args:
        kinds: Some of ``colour``, ``translation`` and ``cutout``; none leaves images as they are.

    Raises:
        ConfigError: An unknown kind.
    """

    def __init__(self, kinds: Sequence[str] = ()) -> None:
        for kind in kinds:
            if kind not in _KINDS:
                raise ConfigError(f"model.augment: {kind!r} is not one of {', '.join(_KINDS)}")
        self.kinds = [kind for kind in _KINDS if kind in kinds]

    def draw(self, count: int, size: int, draws: Draws) -> Transform:
        """Draws the transform of a batch, which can be applied more than once.

        Args:
            count: Images B in the batch.
            size: Their side S.
            draws: Where the numbers come from.

        Returns:
            A function from images (B, 3, S, S) in [-1, 1] to images of the same shape.
        """
        if not self.kinds:
            return unchanged
        drawn = [_KINDS[kind](count, size, draws) for kind in self.kinds]

        def transform(images: Tensor) -> Tensor:
            for part in drawn:
                images = part(images)
            return images

        return transform


def _colour(count: int, size: int, draws: Draws) -> Transform:
    brightness, saturation, contrast = draws.uniform(count, 3, 1, 1, 1).unbind(1)

    def transform(images: Tensor) -> Tensor:
        images = images + (brightness - 0.5)
        grey = images.mean(dim=1, keepdim=True)
        images = grey + (images - grey) * (2 * saturation)
        mean = images.mean(dim=(1, 2, 3), keepdim=True)
        return mean + (images - mean) * (contrast + 0.5)

    return transform


def _translation(count: int, size: int, draws: Draws) -> Transform:
    reach = max(1, round(size * _SHIFT))
    moves = (draws.uniform(count, 2) * (2 * reach + 1)).long() - reach
    places = torch.arange(size, device=moves.device)
    rows, columns = ((places + moves[:, [axis]]).clamp(-1, size) + 1 for axis in (0, 1))
    index = rows[:, :, None] * (size + 2) + columns[:, None, :]

    def transform(images: Tensor) -> Tensor:
        # what moves in from outside is 0, the middle grey
        padded = F.pad(images, (1, 1, 1, 1)).flatten(2)
        picked = index.flatten(1)[:, None].expand(-1, images.shape[1], -1)
        return padded.gather(2, picked).view_as(images)

    return transform


def _cutout(count: int, size: int, draws: Draws) -> Transform:
    side = max(1, round(size * _CUT))
    starts = (draws.uniform(count, 2) * (size + 1 - side % 2)).long() - side // 2
    places = torch.arange(size, device=starts.device)
    rows, columns = ((places >= starts[:, [axis]]) & (places < starts[:, [axis]] + side) for axis in (0, 1))
    kept = ~(rows[:, :, None] & columns[:, None, :])[:, None]
    return lambda images: images * kept


_KINDS = {"colour": _colour, "translation": _translation, "cutout": _cutout}
