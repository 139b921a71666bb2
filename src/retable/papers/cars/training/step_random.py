"""Random numbers of one training step, the same however many processes share its batch.

Latents and what latent optimisation chooses are drawn for the whole batch. Augmentation is drawn for one micro-batch
after another: where there are several, what an image gets depends on how many micro-batches and processes there are.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

_STREAM = 0x47414E  # keeps these numbers apart from others that are drawn from the same seed


class StepRandom:
    """Random numbers for the whole batch of all processes, of which it hands out this process's share.

    They depend on the seed, the epoch and the batch alone: neither on what was drawn before, so that a resumed
    training draws what the uninterrupted one does, nor, for the whole batch, on how many processes there are.

    Args:
        seed: The run's seed.
        epoch: Number of the epoch.
        batch: Number of the batch in it.
        device: Where the numbers are made and needed.
        rank: Number of this process.
        world_size: Number of processes.
    """

    def __init__(
        self, seed: int, epoch: int, batch: int, device: torch.device, rank: int = 0, world_size: int = 1
    ) -> None:
        state = np.random.SeedSequence([seed, epoch, batch, _STREAM]).generate_state(1, np.uint64)[0]
        self._generator = torch.Generator(device).manual_seed(int(state >> np.uint64(1)))
        self._device, self._rank, self._world_size = device, rank, world_size

    def normal(self, *shape: int) -> Tensor:
        """Draws standard normal numbers of a shape (B, ...), float32."""
        numbers = torch.randn(self._all(shape), generator=self._generator, device=self._device)
        return self._share(numbers, shape[0])

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Draws uniform numbers of a shape (B, ...) from low to below high, float32."""
        numbers = torch.rand(self._all(shape), generator=self._generator, device=self._device)
        return low + (high - low) * self._share(numbers, shape[0])

    def _all(self, shape: Sequence[int]) -> tuple[int, ...]:
        return (self._world_size * shape[0], *shape[1:])

    def _share(self, numbers: Tensor, count: int) -> Tensor:
        return numbers[self._rank * count : (self._rank + 1) * count]
