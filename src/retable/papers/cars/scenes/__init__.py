"""Generator of cars on green, determined by a seed."""

from retable.papers.cars.scenes.dataset import CarScenes

__all__ = ["CarScenes"]
