"""The generated cars as a sequence."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from retable.errors import ConfigError
from retable.papers.cars.scenes.bodies import draw_body, draw_kind
from retable.papers.cars.scenes.materials import draw_colour, draw_light, draw_materials
from retable.papers.cars.scenes.views import Camera, Occlusion, draw_camera, draw_occlusion, view_name
from retable.synthetic.dataset import GeneratedDataset
from retable.synthetic.raster import Image
from retable.synthetic.rng import RandomStream


@dataclass(frozen=True)
class CarAttributes:
    """What was drawn of a car."""

    azimuth: float  # from where it is seen, in degrees: 0 before its nose, 90 its left, 180 behind, 270 its right
    elevation: float  # how high the camera stands over it, in degrees
    view: str  # the nearest of `VIEWS`, which lie 45 degrees apart
    body: str  # one of `BODIES`
    colour: str  # one of `COLOURS`
    occlusion: str  # one of `OCCLUSIONS`: what hides a part of it


class CarScenes(GeneratedDataset):
    """Synthetic cars on green; see `retable.synthetic.dataset.GeneratedDataset`.

    As the essay's data (section 2): what is not car is (51, 255, 51), and the picture is cropped to the car; its longer
    side fills the square. Of a share `occluded` of the cars, from 0 to 1, a part is hidden.
    """

    title = "car scenes"
    version = 2
    sizes = (16, 512)

    def __init__(self, count: int, image_size: int = 64, seed: int = 0, occluded: float = 0.3) -> None:
        if not 0 <= occluded <= 1:
            raise ConfigError(f"occluded={occluded} of the car scenes is a share: use 0 to 1")
        super().__init__(count, image_size, seed, None, occluded)
        self.occluded = occluded

    def attributes(self, index: int) -> CarAttributes:
        """Returns what is drawn, without drawing it.

        Raises:
            IndexError: There is no such car.
        """
        _, body, colour, camera, occlusion = self._plan(index)
        return CarAttributes(
            azimuth=math.degrees(camera.azimuth),
            elevation=math.degrees(math.atan2(camera.height - 0.7, camera.distance)),
            view=view_name(camera.azimuth),
            body=body,
            colour=colour,
            occlusion=occlusion.kind,
        )

    def image(self, index: int) -> Image:
        """Renders a car: uint8 RGB (size, size, 3).

        Raises:
            IndexError: There is no such car.
        """
        from retable.papers.cars.scenes.render import render  # numba takes half a second, on first use only

        rng, kind, colour, camera, occlusion = self._plan(index)
        body, outline = draw_body(rng, kind)
        materials = draw_materials(rng, colour, kind)
        return render(rng, self.size, body, np.array(outline), materials, draw_light(rng), camera, occlusion)

    def _plan(self, index: int) -> tuple[RandomStream, str, str, Camera, Occlusion]:
        rng = self._stream(index)
        kind, colour = draw_kind(rng), draw_colour(rng)
        return rng, kind, colour, draw_camera(rng), draw_occlusion(rng, self.occluded)
