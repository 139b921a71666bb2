"""Convolution and batch normalisation whose second derivatives cost what they should.

PyTorch differentiates the backward pass of a convolution by convolutions with kernels as large as the maps, and that of
a batch normalisation by some thirty passes over the maps. Both are a few fast library calls when written out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.overrides import TorchFunctionMode

_TINY = 1e-16  # nothing beside any weight, and far from where float32 ends
_BACKWARD = torch.ops.aten.convolution_backward.default
_wanted: frozenset[int] | None = None


@contextmanager
def weight_gradients_of(parameters: Iterable[Tensor]) -> Iterator[None]:
    """Spares the gradients of all other weights in the backward passes inside; of none, those of all weights.

    The engine prunes its own operations by itself; functions written in Python are not told what is asked for.
    """
    global _wanted
    before, _wanted = _wanted, frozenset(id(parameter) for parameter in parameters)
    try:
        yield
    finally:
        _wanted = before


def _is_spared(weight: Tensor) -> bool:
    # a weight that is computed, as by a spectral normalisation, may depend on a wanted one
    return _wanted is not None and (not _wanted or (weight.is_leaf and id(weight) not in _wanted))


class _Options(NamedTuple):
    """Arguments of ``aten::convolution`` after the tensors."""

    stride: list[int]
    padding: list[int]
    dilation: list[int]
    transposed: bool
    output_padding: list[int]
    groups: int


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, options: _Options) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.options = options
        result: Tensor = torch.ops.aten.convolution(x, weight, None, *options)
        return result

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        grad_weight = ctx.needs_input_grad[1] and not _is_spared(weight)
        found = _ConvolutionBackward.apply(grad, x, weight, ctx.options, ctx.needs_input_grad[0], grad_weight)
        return found[0], found[1] if grad_weight else None, None


class _ConvolutionBackward(torch.autograd.Function):
    """Gradients of x and weight for a gradient of the output.

    With <v, conv(x, w)> = <conv'(v, w), x>, the gradient of x is linear in both the output's gradient and the weight,
    so that its own gradients are a convolution and the gradient of a weight.
    """

    @staticmethod
    def forward(
        ctx: Any, grad: Tensor, x: Tensor, weight: Tensor, options: _Options, for_x: bool, for_weight: bool
    ) -> tuple[Tensor | None, Tensor | None]:
        ctx.save_for_backward(grad, x, weight)
        ctx.options = options
        ctx.set_materialize_grads(False)
        mask = [for_x, for_weight, False]
        grad_x, grad_weight, _ = _BACKWARD(grad, x, weight, None, *options, mask)
        return grad_x, grad_weight

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_grad_x: Tensor | None, of_grad_weight: Tensor | None) -> tuple[Tensor | None, ...]:
        grad, x, weight = ctx.saved_tensors
        options = ctx.options
        to_grad = to_x = to_weight = None
        if of_grad_x is not None:
            if ctx.needs_input_grad[0]:
                to_grad = torch.ops.aten.convolution(of_grad_x, weight, None, *options)
            if ctx.needs_input_grad[2] and not _is_spared(weight):
                to_weight = _BACKWARD(grad, of_grad_x, weight, None, *options, [False, True, False])[1]
        if of_grad_weight is not None:
            if ctx.needs_input_grad[0]:
                other = torch.ops.aten.convolution(x, of_grad_weight, None, *options)
                to_grad = other if to_grad is None else to_grad + other
            if ctx.needs_input_grad[1]:
                to_x = _BACKWARD(grad, x, of_grad_weight, None, *options, [True, False, False])[0]
        return to_grad, to_x, to_weight, None, None, None


class _BatchNorm(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, running: tuple[Any, Any], momentum: float, eps: float
    ) -> Tensor:
        y, mean, inverse = torch.ops.aten.native_batch_norm(x, weight, bias, *running, True, momentum, eps)
        ctx.save_for_backward(x, weight, mean, inverse)
        ctx.eps = eps
        assert isinstance(y, Tensor)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, mean, inverse = ctx.saved_tensors
        found = _BatchNormBackward.apply(grad, x, weight, mean, inverse, ctx.eps)
        return (*found, None, None, None)


class _BatchNormBackward(torch.autograd.Function):
    """Gradients of x, weight and bias for a gradient g of the output.

    That of x is weight s P g, where s is the inverse deviation, n the normalised x, and P takes the parts along the
    ones and along n out of g (over each channel). For a gradient v of it, with N values in a channel, h_g = <g, n> / N
    and h_v = <v, n> / N:
        to g: weight s P v;  to weight: s <v, P g>;  to x: -weight s^2 (h_g P v + h_v P g + n <v, P g> / N).
    What is kept for them is weight s P g. That to the weight is had of it by a division, so that a weight of 0 is
    taken for `_TINY`.
    """

    @staticmethod
    def forward(
        ctx: Any, grad: Tensor, x: Tensor, weight: Tensor, mean: Tensor, inverse: Tensor, eps: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        weight = weight.masked_fill(weight == 0, _TINY)
        grad_x, grad_weight, grad_bias = _normalised_backward(grad, x, weight, mean, inverse, eps)
        ctx.save_for_backward(x, weight, mean, inverse, grad_x, grad_weight)
        ctx.eps = eps
        ctx.mark_non_differentiable(grad_weight, grad_bias)
        return grad_x, grad_weight, grad_bias

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, v: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, mean, inverse, grad_x, grad_weight = ctx.saved_tensors
        to_grad, along_v, _bias = _normalised_backward(v, x, weight, mean, inverse, ctx.eps)
        count = x.numel() // x.shape[1]
        product = (v * grad_x).sum(dim=(0, 2, 3))  # <v, weight s P g>
        to_weight = product / weight
        slope = inverse.square() * product / count

        def wide(numbers: Tensor) -> Tensor:
            return numbers.view(1, -1, 1, 1)

        to_x = to_grad * wide(-inverse * grad_weight / count)
        to_x.addcmul_(grad_x, wide(-inverse * along_v / count))
        to_x.addcmul_(x - wide(mean), wide(-slope))
        return to_grad, to_x, to_weight, None, None, None


def _normalised_backward(
    grad: Tensor, x: Tensor, weight: Tensor, mean: Tensor, inverse: Tensor, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    found = torch.ops.aten.native_batch_norm_backward(
        grad, x, weight, None, None, mean, inverse, True, eps, [True, True, True]
    )
    return found[0], found[1], found[2]


def _pair(value: Any) -> list[int]:
    return [value, value] if isinstance(value, int) else list(value)


def _convolution(x: Tensor, weight: Tensor, bias: Tensor | None, options: _Options) -> Tensor:
    result: Tensor = _Convolution.apply(x, weight, options)
    return result if bias is None else result + bias.view(1, -1, 1, 1)


def _conv2d(
    x: Tensor, weight: Tensor, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Tensor:
    if isinstance(padding, str):
        return F.conv2d(x, weight, bias, stride, padding, dilation, groups)
    return _convolution(
        x, weight, bias, _Options(_pair(stride), _pair(padding), _pair(dilation), False, [0, 0], groups)
    )


def _conv_transpose2d(
    x: Tensor,
    weight: Tensor,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    options = _Options(_pair(stride), _pair(padding), _pair(dilation), True, _pair(output_padding), groups)
    return _convolution(x, weight, bias, options)


def _batch_norm(
    x: Tensor,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    if not training or weight is None or x.dim() != 4:
        return F.batch_norm(x, running_mean, running_var, weight, bias, training, momentum, eps)
    result: Tensor = _BatchNorm.apply(x, weight, bias, (running_mean, running_var), momentum, eps)
    return result


_REPLACED: dict[Callable[..., Any], Callable[..., Tensor]] = {
    F.conv2d: _conv2d,
    F.conv_transpose2d: _conv_transpose2d,
    F.batch_norm: _batch_norm,
}


class FastSecondDerivatives(TorchFunctionMode):
    """Inside, networks are run with operations that are quick to differentiate twice; their results are the same."""

    def __torch_function__(
        self, function: Any, types: Any, arguments: tuple[Any, ...] = (), keywords: dict[str, Any] | None = None
    ) -> Any:
        """Replaces the functions of which there is a quicker one."""
        return _REPLACED.get(function, function)(*arguments, **(keywords or {}))
