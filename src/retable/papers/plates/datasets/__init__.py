"""Real plates: whole scenes with boxes, and crops."""

from retable.papers.plates.datasets.scenes import PlateFiles

__all__ = ["PlateFiles"]
