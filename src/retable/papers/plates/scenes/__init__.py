"""Scene generator: photographs of vehicles with exact boxes of their number plates, determined by a seed."""

from retable.papers.plates.scenes.dataset import PlateScenes

__all__ = ["PlateScenes"]
