"""The generated scenes as a detection dataset."""

from __future__ import annotations

from dataclasses import dataclass

from retable.detection.generated import GeneratedScenes
from retable.papers.plates.scenes.layout import SceneLayout, draw_layout
from retable.papers.plates.scenes.scene import Target, draw_plates, labels, plate_corners, render
from retable.synthetic.raster import Image, Points

_QUICK = 0.1  # pixels for each mm where nobody looks at the plates


@dataclass(frozen=True)
class ScenePlate:
    """What is known of a plate in a generated scene.

    Attributes:
        country: Code of the country.
        lines: 1 or 2.
        text: Its letters and digits.
        corners: (4, 2) in pixels, clockwise from the plate's upper left; they may lie outside the image.
    """

    country: str
    lines: int
    text: str
    corners: Points


class PlateScenes(GeneratedScenes):
    """Synthetic photographs of vehicles with number plates; see `retable.synthetic.dataset.GeneratedDataset`.

    All plates of a scene are of one country; one scene in eleven has none.

    Args:
        split: `train`, `val` or `test`.
        count: Number of scenes.
        image_size: Side of the square images in pixels, 96 to 1280.
        seed: Seed of the whole dataset.

    Raises:
        ConfigError: A parameter is out of range or unknown.
    """

    title = "plate scenes"
    version = 1
    sizes = (96, 1280)
    splits = ("train", "val", "test")

    def __init__(self, split: str, count: int = 1000, image_size: int = 672, seed: int = 0) -> None:
        super().__init__(count, image_size, seed, split)
        self.classes = ["plate"]
        self.image_ids = [f"{split}-{index:05d}" for index in range(count)]

    def layout(self, index: int) -> SceneLayout:
        """Returns what stands where in a scene, without rendering it."""
        return draw_layout(self._stream(index), self.size)

    def load(self, index: int) -> tuple[Image, Target]:
        """Renders a scene.

        Returns:
            uint8 RGB (size, size, 3), and the target as of `target`.

        Raises:
            IndexError: There is no such image.
        """
        layout = self.layout(index)
        plates = draw_plates(layout)
        return render(layout, plates), labels(layout, plates)

    def target(self, index: int) -> Target:
        """Returns the target of a scene without rendering it, as of `retable.papers.plates.scenes.scene.labels`."""
        layout = self.layout(index)
        return labels(layout, draw_plates(layout, _QUICK))

    def plates(self, index: int) -> list[ScenePlate]:
        """Returns what is known of the plates of a scene, in the order of its boxes."""
        layout = self.layout(index)
        return [
            ScenePlate(plate.country, plate.lines, plate.text, plate_corners(placed, plate))
            for placed, plate in zip(layout.plates, draw_plates(layout, _QUICK), strict=True)
        ]

    def country(self, index: int) -> str:
        """Returns the code of the country of a scene's plates, "" where there are none."""
        layout = self.layout(index)
        return layout.country if layout.plates else ""
