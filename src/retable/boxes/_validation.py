"""Checks of what the functions of this room are given, with messages that name the argument and its shape."""

import torch
from torch import Tensor


def check_last_dimension(values: Tensor, size: int, name: str) -> None:
    """Refuses a tensor whose last dimension is not `size`.

    Raises:
        ValueError: The shape is another one; the message holds it.
    """
    if values.ndim == 0 or values.shape[-1] != size:
        raise ValueError(f"{name} must have shape (..., {size}), got {tuple(values.shape)}")


def check_rows(values: Tensor, size: int, name: str) -> None:
    """Refuses a tensor that is not a matrix of `size` columns.

    Raises:
        ValueError: The shape is another one; the message holds it.
    """
    if values.ndim != 2 or values.shape[1] != size:
        raise ValueError(f"{name} must have shape (N, {size}), got {tuple(values.shape)}")


def check_rotated_boxes(boxes: Tensor, name: str) -> None:
    """Refuses anything but (N, 5) finite rotated boxes of sizes that are not negative.

    Raises:
        ValueError: Wrong shape, NaN or infinite numbers, or a negative width or height.
    """
    check_rows(boxes, 5, name)
    finite = torch.isfinite(boxes).all(dim=1)
    if not bool(finite.all()):
        row = int(torch.nonzero(~finite)[0])
        raise ValueError(f"{name} must be finite, row {row} is {boxes[row].tolist()}")
    sized = (boxes[:, 2:4] >= 0).all(dim=1)
    if not bool(sized.all()):
        row = int(torch.nonzero(~sized)[0])
        raise ValueError(f"{name} must have w >= 0 and h >= 0, row {row} is {boxes[row].tolist()}")


def check_same_device(first: Tensor, second: Tensor, names: str) -> None:
    """Refuses two tensors that lie on different devices.

    Raises:
        ValueError: The devices differ; the message names both.
    """
    if first.device != second.device:
        raise ValueError(f"{names} must be on one device, got {first.device} and {second.device}")


def as_floating(values: Tensor) -> Tensor:
    """Returns `values` unchanged if they are floating point, as float32 otherwise."""
    return values if values.is_floating_point() else values.to(torch.float32)


def widened(values: Tensor) -> Tensor:
    """Returns `values` in float64, or in float32 on devices that have no float64 (Apple's MPS)."""
    return values.to(torch.float32 if values.device.type == "mps" else torch.float64)
