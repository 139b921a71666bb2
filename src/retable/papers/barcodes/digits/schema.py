"""What may be set of the models that read digits from projections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from retable.options import Options, option


@dataclass
class ProjectionsConfig(Options):
    """Projections of a symbol's columns.

    Attributes:
        width: Columns to which a symbol is resized.
        bands: Which of the ten bands of 100 rows are taken, from the top, from 0.
        threshold: What is brighter than this of 255 is white.
        adaptive: Where Otsu's threshold takes its place: ``none``, one of each ``symbol``, or one of each ``band``.
        white_rows: A column of a band counts where more of its 100 rows than these are white. The notebook calls
            ``get_hists(image, width)``, so that the width is taken for this number, and no column ever counts.
    """

    _target_: str = "retable.papers.barcodes.digits.features.Projections"
    width: int = option(1200, least=95)
    bands: list[int] = option([5], least=0, most=9)
    threshold: int = option(50, least=0, most=254)
    adaptive: str = option("none", choices=("none", "symbol", "band"))
    white_rows: int = option(99, least=0)


SCHEMAS: dict[str, Any] = {}
