"""What classifiers of plates tell apart: countries with layouts, on crops of one shape."""

from retable.classification.subject import Image
from retable.errors import DataError
from retable.papers.plates.countries import class_list
from retable.papers.plates.crops.fitting import fit_into
from retable.papers.plates.datasets.schema import SMALLEST, PlateClassesConfig


class PlateClasses:
    """A `retable.classification.subject.Subject`."""

    def __init__(self, config: PlateClassesConfig) -> None:
        self.classes = class_list(list(config.classes))
        self.margin = config.margin
        self._fit = config.fit
        self._width, self._height = config.image_size, config.image_height or config.image_size

    def prepare(self, image: Image) -> Image:
        """Brings a cut-out plate into the one shape, as `fit_into`.

        Raises:
            DataError: It has too few pixels to show anything.
        """
        height, width = image.shape[:2]
        if min(height, width) < SMALLEST:
            raise DataError(f"a plate of {width} x {height} pixels shows nothing; {SMALLEST} x {SMALLEST} is the least")
        return fit_into(image, self._width, self._height, self._fit)
