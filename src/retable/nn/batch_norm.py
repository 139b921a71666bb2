"""Batch normalisation over the global batch, on CPU (gloo) as on GPU.

`torch.nn.SyncBatchNorm` refuses tensors on the CPU. Without it, two CPU processes normalise with the
statistics of half a batch each and train another network than one process would.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from pytorch_lightning.plugins.layer_sync import TorchSyncBatchNorm
from torch import Tensor, nn
from torch.autograd.function import once_differentiable


class _NormaliseGlobally(torch.autograd.Function):
    """Normalise with given global statistics; the gradient follows them through all processes.

    The statistics enter as plain numbers. Their dependence on every process's input is part of the
    well-known gradient of batch normalisation, which needs two sums over the global batch.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor,
        mean: Tensor,
        variance: Tensor,
        count: Tensor,
        eps: float,
        group: dist.ProcessGroup | None,
    ) -> Tensor:
        ctx.save_for_backward(x, weight, mean, variance, count)
        ctx.eps = eps
        ctx.group = group
        return F.batch_norm(x, mean, variance, weight, bias, False, 0.0, eps)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, mean, variance, count = ctx.saved_tensors
        shape = (1, -1, *[1] * (x.dim() - 2))
        over = [0, *range(2, x.dim())]
        scale = torch.rsqrt(variance + ctx.eps)
        normalised = (x - mean.view(shape)) * scale.view(shape)
        grad_bias = grad.sum(over)
        grad_weight = (grad * normalised).sum(over)
        grad_x = None
        if ctx.needs_input_grad[0]:
            sums = torch.cat([grad_bias, grad_weight])
            dist.all_reduce(sums, group=ctx.group)
            mean_grad, mean_product = (sums / count.to(sums.dtype)).chunk(2)
            grad_x = grad - mean_grad.view(shape) - normalised * mean_product.view(shape)
            grad_x = grad_x * (weight * scale).view(shape)
        # Weight and bias get this process's share; DistributedDataParallel adds up the shares.
        return grad_x, grad_weight, grad_bias, None, None, None, None, None


def _global_statistics(x: Tensor, group: dist.ProcessGroup | None) -> tuple[Tensor, Tensor, Tensor]:
    """Return mean (C,), biased variance (C,) and count (1,) over the batches of all processes.

    Each process tells its own count, mean and sum of squared deviations, merged in float64 with
    the exact rule of parallel variance: subtracting squared sums would lose digits.
    """
    channels = x.shape[1]
    own = torch.zeros(2 * channels + 1, dtype=torch.float64, device=x.device)
    if x.numel() > 0:
        variance, mean = torch.var_mean(x.detach(), dim=[0, *range(2, x.dim())], correction=0)
        count = x.numel() // channels
        own = torch.cat([mean.double(), variance.double() * count, own.new_tensor([count])])
    everyone = [torch.empty_like(own) for _ in range(dist.get_world_size(group))]
    dist.all_gather(everyone, own, group=group)
    means, deviations, counts = torch.split(torch.stack(everyone), [channels, channels, 1], dim=1)
    count_all = counts.sum(dim=0)
    mean_all = (means * counts).sum(dim=0) / count_all
    variance_all = (deviations + counts * (means - mean_all).square()).sum(dim=0) / count_all
    return mean_all, variance_all, count_all


class SynchronisedBatchNorm2d(nn.BatchNorm2d):
    """Batch normalisation of (B, C, H, W) with the statistics of all processes' batches together.

    Training with N processes under DistributedDataParallel then gives the outputs, gradients and
    running statistics of one process that sees the whole batch, up to rounding; batches may differ
    in size, and a process may have none. In evaluation, without a process group or with one process it
    is `torch.nn.BatchNorm2d`. Tensors on CUDA go to `torch.nn.SyncBatchNorm`.

    It is no subclass of `SyncBatchNorm`, which DistributedDataParallel refuses on the CPU by its type.

    Args:
        *args: those of `torch.nn.BatchNorm2d`.
        process_group: whose batches are taken together; all processes by default.
        **kwargs: those of `torch.nn.BatchNorm2d`.
    """

    original_class: type[nn.Module] = nn.BatchNorm2d
    process_group: dist.ProcessGroup | None = None

    def __init__(self, *args: Any, process_group: dist.ProcessGroup | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.process_group = process_group

    def forward(self, input: Tensor) -> Tensor:
        """Normalise.

        Args:
            input: (B, C, H, W).

        Returns:
            The same shape and type.

        Raises:
            ValueError: if the input has not four dimensions or not C channels, or if there is only one
                value a channel in all processes while training.
        """
        if input.dim() != 4 or input.shape[1] != self.num_features:
            raise ValueError(f"the input must have the shape (B, {self.num_features}, H, W), not {tuple(input.shape)}")
        together = self.training and dist.is_available() and dist.is_initialized()
        if not together or dist.get_world_size(self.process_group) == 1:
            return super().forward(input)
        if input.is_cuda:
            output: Tensor = nn.SyncBatchNorm.forward(self, input)  # type: ignore[arg-type]
            return output
        return self._on_cpu(input)

    # What SyncBatchNorm.forward expects of its module beside what BatchNorm2d has.
    _check_non_zero_input_channels = nn.SyncBatchNorm._check_non_zero_input_channels

    def _on_cpu(self, input: Tensor) -> Tensor:
        x = input if input.dtype == torch.float64 else input.float()
        mean, variance, count = _global_statistics(x, self.process_group)
        values = int(count.item())
        if values < 2:
            raise ValueError("batch normalisation needs more than one value a channel in training")
        if self.track_running_stats:
            self._track(mean, variance * (count / (count - 1)))
        weight = self.weight if self.affine else torch.ones_like(mean)
        bias = self.bias if self.affine else torch.zeros_like(mean)
        output = _NormaliseGlobally.apply(
            x,
            weight.to(x.dtype),
            bias.to(x.dtype),
            mean.to(x.dtype),
            variance.to(x.dtype),
            count,
            self.eps,
            self.process_group,
        )
        assert isinstance(output, Tensor)
        return output.to(input.dtype)

    @torch.no_grad()
    def _track(self, mean: Tensor, unbiased_variance: Tensor) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        self.num_batches_tracked.add_(1)
        momentum = 1.0 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), momentum)
        self.running_var.lerp_(unbiased_variance.to(self.running_var.dtype), momentum)


class SynchronisedBatchNormAct2d(SynchronisedBatchNorm2d):
    """The same for timm's `BatchNormAct2d`, which drops out and activates after normalising."""

    drop: nn.Module
    act: nn.Module

    def forward(self, input: Tensor) -> Tensor:
        """Normalise, drop out, activate: (B, C, H, W) to (B, C, H, W)."""
        output: Tensor = self.act(self.drop(super().forward(input)))
        return output


class SynchroniseBatchNorm(TorchSyncBatchNorm):
    """Lightning plugin: `Trainer(plugins=[SynchroniseBatchNorm()], sync_batchnorm=True, strategy="ddp")`.

    `apply` turns every `BatchNorm2d` of a model into a `SynchronisedBatchNorm2d`, and `revert` back. The
    modules stay the same objects with other classes: parameters, buffers, names, hooks
    and checkpoints are not touched, and an optimiser made before keeps working.
    """

    def apply(self, model: nn.Module) -> nn.Module:
        """Synchronise the batch normalisation layers of a model, in place.

        Args:
            model: the model.

        Returns:
            The same model.

        Raises:
            TypeError: if a layer is a kind of batch normalisation that is not known here.
        """
        for name, module in model.named_modules():
            if not isinstance(module, nn.modules.batchnorm._BatchNorm):
                continue
            if isinstance(module, SynchronisedBatchNorm2d | nn.SyncBatchNorm):
                continue
            if type(module) is nn.BatchNorm2d:
                new_class: type[SynchronisedBatchNorm2d] = SynchronisedBatchNorm2d
            elif type(module).__name__ == "BatchNormAct2d":  # timm's; not imported for its name
                new_class = SynchronisedBatchNormAct2d
            else:
                raise TypeError(
                    f"layer {name} is a {type(module).__name__}, which cannot be synchronised between "
                    "processes: set sync_batchnorm to false or use BatchNorm2d"
                )
            original_class = type(module)
            module.__class__ = new_class
            module.original_class = original_class
        return model

    def revert(self, model: nn.Module) -> nn.Module:
        """Give the layers that `apply` changed their old class back, in place.

        Args:
            model: the model.

        Returns:
            The same model.
        """
        for module in model.modules():
            if isinstance(module, SynchronisedBatchNorm2d):
                original_class = module.original_class
                for attribute in ("original_class", "process_group"):
                    module.__dict__.pop(attribute, None)
                module.__class__ = original_class  # type: ignore[assignment]
        return model
