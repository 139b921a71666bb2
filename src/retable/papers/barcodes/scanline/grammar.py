"""All valid codes of EAN-13 at once: how probable each is, and which is the most probable.

A code's score is the sum of the scores of its twelve shapes. Of the 10^12 valid codes none is left out: which sets the
digits on the left are of, the first digit tells, and the sum of all digits, weighted by 1 and 3 in turn, must be a
multiple of 10, for which it is enough to know the sum so far modulo 10.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from retable.papers.barcodes.symbology.ean13 import PARITIES, SLOTS

_LEFT = 6
_FIRST = np.arange(10)
# (10, 10): from which sum a digit leads to each sum, for both weights; slot 0 is the code's second digit and weighs 3
_BEFORE = {weight: torch.from_numpy((_FIRST[:, None] - weight * _FIRST[None]) % 10) for weight in (1, 3)}
_PARITIES = torch.from_numpy(PARITIES.astype(np.int64))


class Reading(NamedTuple):
    """The most probable codes.

    Attributes:
        digits: (B, 13).
        log_probability: (B,), among all valid codes and there being none.
    """

    digits: Tensor
    log_probability: Tensor


def code_scores(shapes: Tensor, digits: Tensor) -> Tensor:
    """Returns the scores (B,) of codes.

    Args:
        shapes: Scores (B, 12, 30).
        digits: Codes (B, 13).
    """
    sets = torch.full((len(digits), SLOTS), 2, device=digits.device)
    sets[:, :_LEFT] = _PARITIES.to(digits.device)[digits[:, 0]]
    return shapes.gather(2, (10 * sets + digits[:, 1:])[..., None])[..., 0].sum(dim=1)


def log_total(shapes: Tensor) -> Tensor:
    """Returns the logarithm (B,) of the sum over all valid codes of exp(score), of scores (B, 12, 30)."""
    sums = _starts(shapes)
    for slot in range(SLOTS):
        sums = _steps(sums, shapes, slot).logsumexp(dim=3)
    return sums[:, :, 0].logsumexp(dim=1)


def read(shapes: Tensor, no_symbol: Tensor) -> Reading:
    """Returns the most probable valid codes, of scores (B, 12, 30) and (B,)."""
    sums, came_from = _starts(shapes), []
    for slot in range(SLOTS):
        sums, digit = _steps(sums, shapes, slot).max(dim=3)
        came_from.append(digit)
    scores, first = sums[:, :, 0].max(dim=1)
    total = torch.logaddexp(log_total(shapes), no_symbol)
    rows = torch.arange(len(shapes), device=shapes.device)
    digits = torch.empty(len(shapes), SLOTS + 1, dtype=torch.int64, device=shapes.device)
    digits[:, 0] = first
    state = torch.zeros_like(first)
    for slot in reversed(range(SLOTS)):
        digit = came_from[slot][rows, first, state]
        digits[:, slot + 1] = digit
        state = (state - _weight(slot) * digit) % 10
    return Reading(digits, scores - total)


def _weight(slot: int) -> int:
    return 3 if slot % 2 == 0 else 1


def _starts(shapes: Tensor) -> Tensor:
    """Scores (B, 10, 10) of first digits and sums so far: each first digit has its own sum."""
    starts = torch.full((10, 10), -torch.inf, device=shapes.device, dtype=shapes.dtype)
    starts.fill_diagonal_(0.0)
    return starts.expand(len(shapes), 10, 10)


def _steps(sums: Tensor, shapes: Tensor, slot: int) -> Tensor:
    """Scores (B, 10, 10, 10) of first digits, sums with the slot's digit, and these digits."""
    before = _BEFORE[_weight(slot)].to(sums.device)
    by_set = shapes[:, slot].reshape(-1, 3, 10)
    own = by_set[:, _PARITIES[:, slot].to(sums.device)] if slot < _LEFT else by_set[:, 2:]
    steps: Tensor = sums[:, :, before] + own[:, :, None]
    return steps
