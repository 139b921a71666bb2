"""What the paper's classifiers tell apart: countries with layouts, on square crops."""

from retable.classification.subject import Image
from retable.errors import DataError
from retable.papers.plates.countries import class_list
from retable.papers.plates.crops.squares import to_square
from retable.papers.plates.datasets.schema import SMALLEST, PlateClassesConfig


class PlateClasses:
    """A `retable.classification.subject.Subject`."""

    def __init__(self, config: PlateClassesConfig) -> None:
        self.classes = class_list(list(config.classes))
        self.margin = config.margin
        self._size, self._fit = config.image_size, config.fit

    def prepare(self, image: Image) -> Image:
        """Makes a square of a cut-out plate, as `to_square`.

        Raises:
            DataError: It has too few pixels to show anything.
        """
        height, width = image.shape[:2]
        if min(height, width) < SMALLEST:
            raise DataError(f"a plate of {width} x {height} pixels shows nothing; {SMALLEST} x {SMALLEST} is the least")
        return to_square(image, self._size, self._fit)
