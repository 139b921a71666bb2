"""Scene generator: photos of packages with exact corners of their barcodes, determined by a seed."""

from retable.papers.barcodes.scenes.dataset import BarcodeScenes

__all__ = ["BarcodeScenes"]
