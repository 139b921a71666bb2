"""The generated cars as a sequence."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from random import Random
from typing import Final

import numpy as np
from numpy.typing import NDArray

from retable.errors import ConfigError
from retable.papers.cars.scenes.bodies import draw_body, draw_kind
from retable.papers.cars.scenes.materials import draw_colour, draw_light, draw_look
from retable.papers.cars.scenes.views import Camera, Occlusion, draw_camera, draw_occlusion, view_name

GENERATOR_VERSION: Final = 1  # raised with every change that changes a pixel
SMALLEST, LARGEST = 16, 512


@dataclass(frozen=True)
class CarAttributes:
    """What was drawn of a car.

    Attributes:
        azimuth: From where it is seen, in degrees: 0 from before its nose, 90 from its left, 180 from behind, 270 from
            its right.
        elevation: How high the camera stands over it, in degrees.
        view: The nearest of `VIEWS`, which lie 45 degrees apart.
        body: One of `BODIES`.
        colour: One of `COLOURS`.
        occlusion: One of `OCCLUSIONS`: what hides a part of it.
    """

    azimuth: float
    elevation: float
    view: str
    body: str
    colour: str
    occlusion: str


class CarScenes:
    """Synthetic cars on green, rendered on demand and determined by (seed, index).

    As the essay's data (section 2): what is not car is (51, 255, 51), and the picture is cropped to the car; its longer
    side fills the square. Nothing is kept between calls, so that `image` may be called from several threads and the
    sequence may be sent to worker processes.

    Args:
        count: Number of cars.
        size: Side of the square images in pixels, 16 to 512.
        seed: Seed of all cars.
        occluded: Share of the cars of which a part is hidden, from 0 to 1.

    Raises:
        ConfigError: A parameter is out of range.
    """

    def __init__(self, count: int, size: int = 64, seed: int = 0, occluded: float = 0.3) -> None:
        if count < 1:
            raise ConfigError(f"count={count} of the car scenes must be at least 1")
        if not SMALLEST <= size <= LARGEST:
            raise ConfigError(f"size={size} of the car scenes is out of range: use {SMALLEST} to {LARGEST} pixels")
        if seed < 0:
            raise ConfigError(f"seed={seed} of the car scenes must not be negative")
        if not 0 <= occluded <= 1:
            raise ConfigError(f"occluded={occluded} of the car scenes is a share: use 0 to 1")
        self.size = size
        self.seed = seed
        self.occluded = occluded
        self._count = count

    def __len__(self) -> int:
        return self._count

    def attributes(self, index: int) -> CarAttributes:
        """Tell what is drawn, without drawing it.

        Args:
            index: Number of the car, 0 to len - 1.

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

    def image(self, index: int) -> NDArray[np.uint8]:
        """Render a car.

        Args:
            index: Number of the car, 0 to len - 1.

        Returns:
            uint8 RGB (size, size, 3).

        Raises:
            IndexError: There is no such car.
        """
        from retable.papers.cars.scenes.photograph import photograph  # numba takes half a second, on first use only

        random, kind, colour, camera, occlusion = self._plan(index)
        body, outline = draw_body(random, kind)
        look = draw_look(random, colour, kind)
        return photograph(random, self.size, body, np.array(outline), look, draw_light(random), camera, occlusion)

    def fingerprint(self) -> str:
        """Return 64 hexadecimal digits (SHA-256) of the generator's version and of all parameters."""
        parameters = ("car scenes", GENERATOR_VERSION, self._count, self.size, self.seed, self.occluded)
        return hashlib.sha256(repr(parameters).encode()).hexdigest()

    def _plan(self, index: int) -> tuple[Random, str, str, Camera, Occlusion]:
        if not 0 <= index < self._count:
            raise IndexError(f"car {index} of {self._count}")
        random = Random((self.seed << 64) + index)  # no two cars have the same number, whatever their seeds
        kind, colour = draw_kind(random), draw_colour(random)
        return random, kind, colour, draw_camera(random), draw_occlusion(random, self.occluded)
