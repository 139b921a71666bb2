"""Scene generator: satellite images of ships with exact rotated boxes, determined by a seed."""

from retable.papers.larsd.scenes.dataset import ShipScenes
from retable.papers.larsd.scenes.profiles import HRSC2016, HRSD, Place, Profile, find_profile

__all__ = ["HRSC2016", "HRSD", "Place", "Profile", "ShipScenes", "find_profile"]
