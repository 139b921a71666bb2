"""Generator of cars on green, determined by a seed."""

from retable.cars.scenes.bodies import BODIES
from retable.cars.scenes.dataset import GENERATOR_VERSION, CarAttributes, CarScenes
from retable.cars.scenes.looks import COLOURS
from retable.cars.scenes.views import OCCLUSIONS, VIEWS

__all__ = ["BODIES", "COLOURS", "GENERATOR_VERSION", "OCCLUSIONS", "VIEWS", "CarAttributes", "CarScenes"]
