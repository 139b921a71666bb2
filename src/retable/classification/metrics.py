"""Accuracy, precision, recall and F1 from a confusion matrix, of each class and over all."""

from collections.abc import Sequence

import torch
from torch import Tensor

MACRO = ("accuracy", "precision", "recall", "f1")


def metric_info(names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Returns unit and direction of the loss and of each score by its name, as of `scores`."""
    found = {**dict.fromkeys(MACRO, ("fraction", "higher")), "loss": ("nats", "lower")}
    return found | {f"{score}_{name}": ("fraction", "higher") for score in MACRO[1:] for name in names}


def scores(matrix: Tensor, names: Sequence[str]) -> dict[str, Tensor]:
    """Computes the scores of a classification.

    Args:
        matrix: (C, C) counts; rows are true classes, columns recognised ones.
        names: C names of the classes.

    Returns:
        accuracy; precision, recall and f1, means over the classes that the images show; and each of the three for each
        class, as in ``recall_winking_face``. Float64. What a class is never taken for has precision 0; recall and F1
        of a class that no image shows are not a number.
    """
    matrix = matrix.to(torch.float64)
    hits, true, recognised = matrix.diagonal(), matrix.sum(dim=1), matrix.sum(dim=0)
    shown = true > 0
    each = {
        "precision": hits / recognised.clamp(min=1),
        "recall": (hits / true.clamp(min=1)).masked_fill(~shown, torch.nan),
        "f1": (2 * hits / (true + recognised).clamp(min=1)).masked_fill(~shown, torch.nan),
    }
    found = {"accuracy": hits.sum() / matrix.sum()}
    found.update({score: values[shown].mean() for score, values in each.items()})
    for score, values in each.items():
        found.update({f"{score}_{name}": values[label] for label, name in enumerate(names)})
    return found
