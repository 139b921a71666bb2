"""How the characters of plates are cut: alike for all countries, so that no country is told by our choice of fonts."""

from __future__ import annotations

from retable.papers.plates.artwork import glyphs
from retable.papers.plates.artwork.canvas import Lettering
from retable.synthetic.rng import RandomStream, Weighted

_CUTS: Weighted[tuple[str, int, int, bool]] = Weighted(  # font, least and greatest weight, whether all are as wide
    ((glyphs.SANS, 0, 3, False), 4.0),
    ((glyphs.BOLD, -3, 0, False), 4.0),
    ((glyphs.MODERN, 1, 4, False), 2.5),
    ((glyphs.MONO, -2, 0, True), 0.8),
    ((glyphs.THIN_MONO, 1, 3, True), 0.7),
)


def draw_lettering(rng: RandomStream, width: float = 0.58) -> Lettering:
    """Draws a cut; `width` is that of most characters as a part of their height, about."""
    font, least, greatest, fixed = _CUTS.draw(rng)
    return Lettering(
        font,
        rng.integer(least, greatest),
        width=width * rng.uniform(0.86, 1.14),
        gap=rng.uniform(0.1, 0.2),
        fixed=fixed,
    )
