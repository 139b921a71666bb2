"""What the paper's classifiers tell apart: countries with layouts, on square crops."""

from pathlib import Path

from retable.classification.subject import Image
from retable.data.images import read_shown_image
from retable.papers.plates.countries import class_list
from retable.papers.plates.crops.squares import to_square
from retable.papers.plates.datasets.schema import PlateClassesConfig


class PlateClasses:
    """A `retable.classification.subject.Subject`."""

    def __init__(self, config: PlateClassesConfig) -> None:
        self.classes = class_list(list(config.classes))
        self._size, self._fit = config.image_size, config.fit

    def read(self, path: Path) -> Image:
        """Reads a cut-out plate, as `to_square`."""
        return to_square(read_shown_image(path), self._size, self._fit)
