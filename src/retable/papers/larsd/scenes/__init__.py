"""Scene generator: satellite images of ships with exact rotated boxes, determined by a seed."""

from retable.papers.larsd.scenes.dataset import ShipScenes
from retable.papers.larsd.scenes.profiles import HRSC2016, HRSD, PROFILES, Place, Profile

__all__ = ["HRSC2016", "HRSD", "PROFILES", "Place", "Profile", "ShipScenes"]
