"""Gradients of one update: summed over micro-batches, scaled for mixed precision, averaged over processes."""

import math
from collections.abc import Sequence

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.amp import GradScaler


class Gradients:
    """Gradients of a loss by the parameters that one optimiser updates.

    They are asked for by name and not accumulated into ``grad`` by a backward pass. So a pass costs only what these
    gradients need, nothing has to be set to zero, and `DistributedDataParallel`, whose hooks wait for one backward
    pass over all parameters, stays out of it: the average over the processes is taken here, once for each update.

    Args:
        parameters: What the loss is differentiated by.
        scaler: The scaler of losses under ``16-mixed``; None otherwise.

    Attributes:
        loss: Sum of the losses times their weights, before they are scaled.
    """

    def __init__(self, parameters: Sequence[nn.Parameter], scaler: GradScaler | None = None) -> None:
        self._parameters, self._scaler = list(parameters), scaler
        self._sums: list[Tensor] | None = None
        self._scale: Tensor | None = None
        self.loss = torch.zeros(())

    def add(self, loss: Tensor, weight: float = 1.0, retain_graph: bool = False) -> None:
        """Adds the gradients of a micro-batch's loss, a scalar, times its part of the batch.

        With `retain_graph` the loss's graph is kept for another loss that shares it.
        """
        if weight != 1:
            loss = loss * weight
        self.loss = loss.detach() if self._sums is None else self.loss + loss.detach()
        if self._scaler is not None:
            self._scale = self._present_scale(loss)
            loss = loss * self._scale
        found = torch.autograd.grad(
            loss, self._parameters, retain_graph=retain_graph, allow_unused=True, materialize_grads=True
        )
        if self._sums is None:
            self._sums = list(found)
        else:
            torch._foreach_add_(self._sums, found)

    def assign(self, world_size: int = 1) -> None:
        """Averages the gradients over the processes and makes them the parameters' ``grad``, for the optimiser.

        They are still scaled under ``16-mixed``, by the scale of now: the other network's update may have changed it
        since they were computed.
        """
        assert self._sums is not None
        if world_size > 1:
            flat = torch.cat([part.flatten() for part in self._sums])
            dist.all_reduce(flat)
            parts = torch.split(flat / world_size, [part.numel() for part in self._sums])
            self._sums = [part.view_as(old) for part, old in zip(parts, self._sums, strict=True)]
        if self._scale is not None:
            factor = self._present_scale(self._scale) / self._scale
            self._sums = [part * factor for part in self._sums]
        for parameter, part in zip(self._parameters, self._sums, strict=True):
            parameter.grad = part

    def what_is_not_finite(self, world_size: int) -> str | None:
        """Looks at what was assigned before it is used, at the price of one wait for the device.

        Under ``16-mixed`` the scaler itself leaves out updates with gradients that are not finite.

        Returns:
            ``loss`` or ``gradient``, the same in all processes; None where all is finite.
        """
        assert self._sums is not None
        checked = {"loss": self.loss}
        if self._scaler is None:
            checked["gradient"] = nn.utils.get_total_norm(self._sums)
        values = torch.stack(list(checked.values()))
        if world_size > 1:
            dist.all_reduce(values)
        return next(
            (name for name, value in zip(checked, values.tolist(), strict=True) if not math.isfinite(value)), None
        )

    def _present_scale(self, like: Tensor) -> Tensor:
        assert self._scaler is not None
        scale = self._scaler.scale(torch.ones((), device=like.device))
        assert isinstance(scale, Tensor)
        return scale
