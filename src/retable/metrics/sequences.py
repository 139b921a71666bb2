"""Accuracy of sequences that are read from images, exact under distributed evaluation."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics import Metric

from retable.metrics.image_results import digest
from retable.metrics.image_results.sequences import SequenceResults


def sequence_metric_info(length: int) -> dict[str, tuple[str, str]]:
    """Returns unit and direction of each metric of sequences of a length."""
    higher = ["sequence_accuracy", "character_accuracy", *(f"character_accuracy_{place}" for place in range(length))]
    return {
        **dict.fromkeys(higher, ("fraction", "higher")),
        **dict.fromkeys(("wrong_answers", "no_answers"), ("fraction", "lower")),
    }


class SequenceAccuracy(Metric):
    """Accuracy of readers of sequences of one length, which may withhold an answer.

    `compute` returns scalar float32 tensors, parts of all images that show a sequence:

    - `sequence_accuracy`: read as a whole, each character right;
    - `character_accuracy_<i>`: read rightly at place i, from 0; `character_accuracy` is the mean over the places;
    - `no_answers`: the answer was withheld; no character of these is right;
    - `wrong_answers`: answered, and not right as a whole; a part of all images, also of those that show no sequence.

    All are nan without images. Under distributed evaluation each process may see any number of images, also none, and
    an image that was repeated to even out the processes counts once. `compute` is collective.

    Args:
        length: Characters of a sequence, S.
        **kwargs: Passed to `torchmetrics.Metric`.
    """

    is_differentiable = False
    higher_is_better = True
    full_state_update = False

    def __init__(self, length: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.length = length
        for state in ("indices", "sequences", "read", "confidences"):
            self.add_state(state, default=[], dist_reduce_fx="cat")
        self._results: SequenceResults | None = None

    def reset(self) -> None:
        """Forgets all images."""
        super().reset()
        none = torch.zeros(0, dtype=torch.int64, device=self.device)
        rows = none.reshape(0, self.length)
        # a process that sees no image takes part in gathering with tensors of the others' types
        self.update(none, rows, rows, none)

    def update(self, indices: Tensor, sequences: Tensor, read: Tensor, confidences: Tensor) -> None:
        """Adds images.

        Args:
            indices: (B,) their places in the dataset.
            sequences: (B, S) true characters, 0 or more; all of them -1 of an image that shows none.
            read: (B, S) characters that were read, all of them negative where the answer is withheld.
            confidences: (B,) float, to tell predictions apart.
        """
        given = {"indices": indices, "sequences": sequences, "read": read, "confidences": confidences.float()}
        for name, values in given.items():
            getattr(self, name).append(values.detach().to(self.device))

    def compute(self) -> dict[str, Tensor]:
        """Returns the metrics by name."""
        indices, first = np.unique(self._joined("indices"), return_index=True)
        sequences, read = (self._joined(name).reshape(-1, self.length)[first] for name in ("sequences", "read"))
        read[(read < 0).any(axis=1)] = -1
        predictions = digest(read, self._joined("confidences")[first])
        self._results = SequenceResults(sequences + 1, read + 1, predictions, digest(indices, sequences))
        found = self._results.metrics()
        return {name: torch.tensor(value, dtype=torch.float32, device=self.device) for name, value in found.items()}

    def image_results(self) -> SequenceResults:
        """Returns what was read in each image, each once, in the order of the dataset, as of the last `compute`."""
        assert self._results is not None
        return self._results

    def _joined(self, name: str) -> NDArray[Any]:
        """The values of a state in one array; gathered ones are one tensor already."""
        state: Any = getattr(self, name)
        joined: Tensor = state if isinstance(state, Tensor) else torch.cat(state)
        return joined.cpu().numpy()
