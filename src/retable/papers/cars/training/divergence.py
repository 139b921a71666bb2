"""Noticing that a training diverges, before it spoils weights or replaces a good checkpoint."""

import math
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor, nn

from retable.errors import DivergenceError
from retable.papers.cars.training.gradients import Gradients
from retable.papers.cars.training.network import GanNetwork
from retable.run import paths

_LARGEST_LOGIT = 1e6  # a sigmoid is 0 or 1 from some 100 on; beyond this no training comes back


def what_is_not_finite(gradients: Gradients, scaled: bool, world_size: int) -> str | None:
    """Looks at what is about to be used for an update, at the price of one wait for the device.

    Args:
        gradients: The loss, and the gradients that were assigned.
        scaled: Whether a scaler of mixed precision leaves out updates that are not finite by itself.
        world_size: Number of processes; if one of them has to stop, all are told.

    Returns:
        ``loss`` or ``gradient``; None where all is finite.
    """
    checked = {"loss": gradients.loss}
    if not scaled:
        checked["gradient"] = gradients.norm()
    values = torch.stack(list(checked.values()))
    if world_size > 1:
        dist.all_reduce(values)
    return next((name for name, value in zip(checked, values.tolist(), strict=True) if not math.isfinite(value)), None)


@torch.no_grad()
def is_sound(network: GanNetwork, latents: Tensor) -> bool:
    """Whether all weights, the samples of some latents and their logits are finite and not beyond all bounds."""
    state = [value for value in network.state_dict().values() if value.is_floating_point()]
    was_training = network.training
    network.eval()
    images = network.generator(latents)
    logits = network.judge(images, latents)
    network.train(was_training)
    # the norm is not finite either where a weight's square is not
    values = torch.stack([nn.utils.get_total_norm(state), images.sum(), logits.abs().max()]).tolist()
    return all(map(math.isfinite, values)) and values[-1] <= _LARGEST_LOGIT


def divergence(fact: str, step: int, folder: Path, clipped: bool) -> DivergenceError:
    """Makes the error that says what happened, what may help and what is left.

    Args:
        fact: What is not as it should be.
        step: The step at which it was seen.
        folder: The run's folder.
        clipped: Whether gradients are clipped already.
    """
    last = f"{paths.CHECKPOINTS}/{paths.LAST}"
    is_there = (folder / last).is_file()
    kept = f"{last} keeps the last good epoch" if is_there else "no epoch was finished, so there is no checkpoint"
    remedy = "a lower model.lr" + ("" if clipped else " or model.gradient_clip=1")
    return DivergenceError(f"{fact} at step {step}: try {remedy}; {kept}")
