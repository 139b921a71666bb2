"""The generator of rectified symbols: what is cut out of photos, drawn at once without a photo."""

from retable.papers.barcodes.symbols.dataset import BarcodeSymbols

__all__ = ["BarcodeSymbols"]
