"""Published ship datasets and own data, each with the protocol of `DetectionDataset`."""

from retable.ships.datasets.base import DetectionDataset, Target, evaluation_split
from retable.ships.datasets.dota import DotaText
from retable.ships.datasets.hrsc2016 import Hrsc2016
from retable.ships.datasets.ssdd import Ssdd

__all__ = ["DetectionDataset", "DotaText", "Hrsc2016", "Ssdd", "Target", "evaluation_split"]
