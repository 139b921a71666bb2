"""What Lightning modules of several papers do alike in training."""

from typing import Any

import torch
from torch import Tensor

from retable.errors import DivergenceError
from retable.nn import schedules


def check_finite(loss: Tensor, step: int) -> None:
    """Refuses to go on with a loss that is no number.

    Raises:
        DivergenceError: It is not finite.
    """
    if not torch.isfinite(loss):
        raise DivergenceError(
            f"the loss is not finite at step {step}: try a lower model.lr or trainer.gradient_clip_val"
        )


class AdamWTraining:
    """AdamW and a cosine, for a Lightning module whose ``config`` has lr, weight_decay and warmup."""

    config: Any
    trainer: Any
    parameters: Any

    def configure_optimizers(self) -> Any:
        """AdamW and a cosine, after a warm-up, changing at every iteration."""
        config = self.config
        optimizer = torch.optim.AdamW(self.parameters(), lr=config.lr, weight_decay=config.weight_decay)
        return schedules.scheduled(optimizer, schedules.cosine(self.trainer.estimated_stepping_batches), config.warmup)
