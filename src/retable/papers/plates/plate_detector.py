"""What all detectors of plates share."""

from abc import ABC
from typing import Any

from retable.boxes import AXIS_ALIGNED
from retable.detection.detector import Detector


class PlateDetector(Detector, ABC):
    """A detector of upright boxes, tested for each country by itself."""

    box_format = AXIS_ALIGNED

    def group_of(self, dataset: Any, index: int) -> str:
        """Tells the country of a scene's plates, where the data tell it: Table IV."""
        return str(dataset.country(index)) if hasattr(dataset, "country") else ""
