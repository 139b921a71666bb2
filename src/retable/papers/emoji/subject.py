"""What the paper's classifiers tell apart: the eight faces, on canvases as those of the training."""

from pathlib import Path

from retable.papers.emoji.classes import FACES
from retable.papers.emoji.datasets.canvas import Image, read_canvas
from retable.papers.emoji.schema import FacesConfig


class Faces:
    """A `retable.classification.subject.Subject`."""

    classes = FACES

    def __init__(self, config: FacesConfig) -> None:
        self._config = config

    def read(self, path: Path) -> Image:
        """Reads an image file onto a canvas (see `read_canvas`)."""
        return read_canvas(path, self._config.image_size, self._config.crop_to_ink)
