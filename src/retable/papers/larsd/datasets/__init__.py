"""Published ship datasets and own data, each a `retable.detection.dataset.DetectionDataset`."""

from retable.papers.larsd.datasets.dota import DotaText
from retable.papers.larsd.datasets.hrsc2016 import Hrsc2016
from retable.papers.larsd.datasets.ssdd import Ssdd

__all__ = ["DotaText", "Hrsc2016", "Ssdd"]
