"""Accuracy, precision, recall and F1 from a confusion matrix, of each class, over all, and of parts of the classes."""

import numpy as np
import torch
from torch import Tensor

from retable.classification.subject import ClassList
from retable.metrics.image_results import classifications
from retable.metrics.image_results.classifications import PER_CLASS

MACRO = ("accuracy", *PER_CLASS)


def metric_info(classes: ClassList) -> dict[str, tuple[str, str]]:
    """Returns unit and direction of the loss and of each score by its name, as of `scores`."""
    names = [*MACRO, *(f"{score}_{name}" for score in PER_CLASS for name in classes.names)]
    names += [f"accuracy_{part}" for part in classes.parts]
    return {**dict.fromkeys(names, ("fraction", "higher")), "loss": ("nats", "lower")}


def scores(matrix: Tensor, classes: ClassList) -> dict[str, Tensor]:
    """Computes the scores of a classification, see `retable.metrics.image_results.classifications.scores`.

    Args:
        matrix: (C, C) counts; rows are true classes, columns recognised ones.
        classes: The C classes.

    Returns:
        Scalars in float64 by name, on the matrix's device. A part of the classes is recognised where the recognised
        class has the true one's, whether or not the two are one.
    """
    counts = matrix.cpu().numpy()
    found = classifications.scores(counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0), classes.names)
    for name, parts in classes.parts.items():
        each = np.array(list(parts))
        alike = each[:, None] == each
        found[f"accuracy_{name}"] = np.float64(counts[alike].sum()) / max(counts.sum(), 1)
    return {name: torch.tensor(value, dtype=torch.float64, device=matrix.device) for name, value in found.items()}
