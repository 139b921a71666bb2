"""Table II's numbers from a confusion matrix: accuracy, precision, recall and F1, of each class and over all."""

import torch
from torch import Tensor

from retable.papers.emoji.classes import CLASSES

MACRO = ("accuracy", "precision", "recall", "f1")
METRIC_INFO: dict[str, tuple[str, str]] = {
    **dict.fromkeys(MACRO, ("fraction", "higher")),
    **{f"{name}_{emoji}": ("fraction", "higher") for name in MACRO[1:] for emoji in CLASSES},
    "loss": ("nats", "lower"),
}
"""Unit and direction of each metric by its last name."""


def scores(matrix: Tensor) -> dict[str, Tensor]:
    """Computes the scores of a classification.

    Args:
        matrix: (8, 8) counts; rows are true classes, columns recognised ones.

    Returns:
        accuracy; precision, recall and f1, means over the classes that the drawings show; and each of the three for
        each class, as in ``recall_winking_face``. Float64. What a class is never taken for has precision 0; recall and
        F1 of a class that no drawing shows are not a number.
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
    found.update({name: values[shown].mean() for name, values in each.items()})
    for name, values in each.items():
        found.update({f"{name}_{emoji}": values[label] for label, emoji in enumerate(CLASSES)})
    return found
