"""Learning rates over a training, changing at every iteration: linear warm-up times a decay."""

import math
from collections.abc import Callable
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

Decay = Callable[[int], float]
"""Maps the iteration, counted from 0, to a factor of the learning rate."""


def constant(iteration: int) -> float:
    """Keeps the rate."""
    return 1.0


def cosine(iterations: float) -> Decay:
    """Returns half a cosine from 1 to 0 over so many iterations."""
    return lambda iteration: 0.5 * (1.0 + math.cos(math.pi * min(1.0, iteration / iterations)))


def step(every: int, factor: float) -> Decay:
    """Returns steps: the rate is multiplied by a factor each time so many iterations are over."""
    return lambda iteration: float(factor ** (iteration // every))


def scheduled(optimizer: Optimizer, decay: Decay, warmup: int = 0) -> dict[str, Any]:
    """Returns what Lightning's `configure_optimizers` wants.

    Args:
        optimizer: The optimiser, whose learning rate is that of factor 1.
        decay: How the rate falls.
        warmup: Iterations of linear warm-up, by which the decay is multiplied.
    """
    scheduler = LambdaLR(optimizer, lambda iteration: min(1.0, (iteration + 1) / (warmup + 1)) * decay(iteration))
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}
