"""What is asked of a detector. Nothing here imports torch: without a detector no process needs it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Detection:
    """A car in a picture.

    Attributes:
        confidence: The detector's, in [0, 1].
        box: Left, top, right and bottom in pixels, with fractions.
    """

    confidence: float
    box: tuple[float, float, float, float]


class Detector(Protocol):
    """Finds the most certain car of a picture.

    Attributes:
        batch_size: Most images of a call.
        settings: What its boxes depend on beside the weights, as plain values.
    """

    batch_size: int
    settings: dict[str, Any]

    def detect(self, images: Sequence[Image]) -> list[Detection | None]:
        """Finds the most certain car of each image (H, W, 3) uint8 RGB of one size, or None."""
