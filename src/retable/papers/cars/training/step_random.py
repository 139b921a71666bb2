"""Random numbers of one training step, the same however many processes share its batch.

Latents and what latent optimisation chooses are drawn for the whole batch. Augmentation is drawn for one micro-batch
after another: where there are several, what an image gets depends on how many micro-batches and processes there are.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

_STREAM = 0x47414E  # keeps these numbers apart from others that are drawn from the same seed


def seeded_generator(*place: int, device: torch.device | None = None) -> torch.Generator:
    """Makes the generator whose numbers depend on these integers (0 and more) alone, by default on the CPU."""
    state = np.random.SeedSequence(place).generate_state(1, np.uint64)[0]
    return torch.Generator(device or "cpu").manual_seed(int(state >> np.uint64(1)))


class StepRandom:
    """Random numbers for the whole batch of all processes, of which it hands out this process's share.

    They depend on the seed, the epoch and the batch alone: neither on what was drawn before, so that a resumed
    training draws what the uninterrupted one does, nor, for the whole batch, on how many processes there are. They are
    made on the device, whose numbers are its own.
    """

    def __init__(
        self, seed: int, epoch: int, batch: int, device: torch.device, rank: int = 0, world_size: int = 1
    ) -> None:
        self._generator = seeded_generator(seed, epoch, batch, _STREAM, device=device)
        self._device, self._rank, self._world_size = device, rank, world_size

    def normal(self, *shape: int) -> Tensor:
        """Draws standard normal numbers of a shape (B, ...), float32."""
        return self._share(torch.randn, shape)

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Draws uniform numbers of a shape (B, ...) from low to below high, float32."""
        return low + (high - low) * self._share(torch.rand, shape)

    def _share(self, draw: Callable[..., Tensor], shape: Sequence[int]) -> Tensor:
        whole = (self._world_size * shape[0], *shape[1:])
        return draw(whole, generator=self._generator, device=self._device).chunk(self._world_size)[self._rank]
