"""Accuracy, precision, recall and F1 from a confusion matrix, of each class and over all."""

from collections.abc import Sequence

import torch
from torch import Tensor

from retable.metrics.image_results import classifications
from retable.metrics.image_results.classifications import PER_CLASS

MACRO = ("accuracy", *PER_CLASS)


def metric_info(names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Returns unit and direction of the loss and of each score by its name, as of `scores`."""
    found = {**dict.fromkeys(MACRO, ("fraction", "higher")), "loss": ("nats", "lower")}
    return found | {f"{score}_{name}": ("fraction", "higher") for score in PER_CLASS for name in names}


def scores(matrix: Tensor, names: Sequence[str]) -> dict[str, Tensor]:
    """Computes the scores of a classification, see `retable.metrics.image_results.classifications.scores`.

    Args:
        matrix: (C, C) counts; rows are true classes, columns recognised ones.
        names: C names of the classes.

    Returns:
        Scalars in float64 by name, on the matrix's device.
    """
    counts = matrix.cpu().numpy()
    found = classifications.scores(counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0), names)
    return {name: torch.tensor(value, dtype=torch.float64, device=matrix.device) for name, value in found.items()}
