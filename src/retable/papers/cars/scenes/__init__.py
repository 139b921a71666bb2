"""Generator of cars on green, determined by a seed."""

from retable.papers.cars.scenes.bodies import BODIES
from retable.papers.cars.scenes.dataset import CarAttributes, CarScenes
from retable.papers.cars.scenes.materials import COLOURS
from retable.papers.cars.scenes.views import OCCLUSIONS, VIEWS

__all__ = ["BODIES", "COLOURS", "OCCLUSIONS", "VIEWS", "CarAttributes", "CarScenes"]
