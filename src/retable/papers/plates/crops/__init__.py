"""Cut-out plates for the classifier."""

from retable.papers.plates.crops.generated import PlateCrops

__all__ = ["PlateCrops"]
