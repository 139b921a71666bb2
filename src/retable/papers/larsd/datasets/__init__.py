"""Published ship datasets and own data, each with the protocol of `DetectionDataset`."""

from retable.papers.larsd.datasets.base import DetectionDataset, Target, evaluation_split
from retable.papers.larsd.datasets.dota import DotaText
from retable.papers.larsd.datasets.hrsc2016 import Hrsc2016
from retable.papers.larsd.datasets.ssdd import Ssdd

__all__ = ["DetectionDataset", "DotaText", "Hrsc2016", "Ssdd", "Target", "evaluation_split"]
