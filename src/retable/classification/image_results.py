"""What each image of a test was taken for, gathered from all processes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric

from retable.metrics.image_results import digest
from retable.metrics.image_results.classifications import ClassificationResults


class ClassifiedImages(Metric):
    """Places in the dataset, labels and logits of images. `compute` is collective.

    Args:
        names: C names of the classes.
        **kwargs: Passed to `torchmetrics.Metric`.
    """

    full_state_update = False

    def __init__(self, names: Sequence[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._names = tuple(names)
        for state in ("indices", "labels", "logits"):
            self.add_state(state, default=[], dist_reduce_fx="cat")

    def reset(self) -> None:
        """Forgets all images."""
        super().reset()
        none = torch.zeros(0, dtype=torch.int64, device=self.device)
        # a process that sees no image takes part in gathering with tensors of the others' types
        self.update(none, none, torch.zeros(0, len(self._names), device=self.device))

    def update(self, indices: Tensor, labels: Tensor, logits: Tensor) -> None:
        """Adds images: their places in the dataset (B,), their labels (B,) and logits (B, C)."""
        for state, values in ((self.indices, indices), (self.labels, labels), (self.logits, logits)):
            state.append(values.detach().to(self.device))  # type: ignore[operator, union-attr]

    def compute(self) -> dict[str, Tensor]:
        """Returns what was added in all processes together."""
        found: dict[str, Any] = {"indices": self.indices, "labels": self.labels, "logits": self.logits}
        return {name: state if isinstance(state, Tensor) else torch.cat(state) for name, state in found.items()}

    def results(self) -> ClassificationResults:
        """Returns what is kept, each image once, in the order of the dataset.

        It belongs to the last `compute`, which under distributed evaluation all processes have to call first.
        """
        found = self.compute()
        indices, first = np.unique(found["indices"].cpu().numpy(), return_index=True)
        labels = found["labels"].reshape(-1).cpu().numpy()[first]
        logits = found["logits"].reshape(-1, len(self._names))
        recognised = logits.argmax(dim=1).cpu().numpy()[first]
        predictions = digest(logits.cpu().numpy()[first])
        return ClassificationResults(labels, recognised, np.array(self._names), predictions, digest(indices, labels))
