"""What the paper's classifiers tell apart: the eight faces, on canvases as those of the training."""

from retable.papers.emoji.classes import FACES
from retable.papers.emoji.datasets.canvas import Image, drawing_on_canvas
from retable.papers.emoji.schema import FacesConfig


class Faces:
    """A `retable.classification.subject.Subject`."""

    classes = FACES
    margin = 0.0  # canvases have one of their own

    def __init__(self, config: FacesConfig) -> None:
        self._config = config

    def prepare(self, image: Image) -> Image:
        """Puts an image onto a canvas (see `drawing_on_canvas`)."""
        return drawing_on_canvas(image, self._config.image_size, self._config.crop_to_ink)
