"""What plates look like, drawn from public facts: proportions, colours, bands, formats, with fonts that are at hand."""

from retable.papers.plates.artwork.plate import Plate, draw_plate

__all__ = ["Plate", "draw_plate"]
