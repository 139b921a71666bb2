"""Colours of papers, inks and things."""

from __future__ import annotations

from typing import Final

from retable.synthetic.rng import RandomStream, Weighted

Colour = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""

PAPERS: Final[Weighted[Colour]] = Weighted(
    ((240, 240, 238), 5.0), ((228, 222, 206), 1.5), ((246, 200, 30), 1.5), ((200, 30, 40), 1.6), ((24, 24, 28), 1.8),
    ((28, 40, 110), 1.5), ((20, 110, 70), 1.5), ((150, 206, 206), 1.2), ((196, 160, 110), 1.2), ((240, 140, 40), 0.8),
    ((120, 60, 30), 0.8), ((230, 150, 180), 0.6), ((110, 170, 220), 1.0), ((150, 190, 80), 0.8), ((120, 122, 126), 0.6),
)  # fmt: skip
_DARK: Final[Weighted[Colour]] = Weighted(
    ((16, 16, 18), 12.0), ((40, 38, 40), 3.0), ((24, 34, 90), 1.5), ((16, 70, 46), 1.2), ((90, 40, 24), 1.0),
    ((0, 104, 130), 0.8), ((120, 20, 40), 0.5), ((70, 66, 70), 0.6), ((20, 20, 110), 0.5),
)  # fmt: skip
_LIGHT: Final[Weighted[Colour]] = Weighted(
    ((246, 246, 244), 12.0), ((232, 228, 218), 2.0), ((246, 214, 60), 0.8), ((240, 170, 90), 0.5),
    ((206, 172, 124), 0.8), ((176, 222, 220), 0.6), ((250, 210, 214), 0.5), ((196, 198, 202), 0.8),
    ((200, 226, 150), 0.4),
)  # fmt: skip
_LEAST_CONTRAST: Final = 70.0  # grey levels between bars and ground


def vary(rng: RandomStream, colour: Colour, reach: float) -> Colour:
    """Returns a colour like that one."""
    shared = rng.triangular(reach)
    red, green, blue = (min(max(round(value + shared + rng.triangular(0.4 * reach)), 0), 255) for value in colour)
    return red, green, blue


def luminance(colour: Colour) -> float:
    """Returns how bright a colour is, 0 to 255."""
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]


def draw_bar_colours(rng: RandomStream, paper: Colour | None = None) -> tuple[Colour, Colour]:
    """Draws the colours of bars and of their ground; in a few symbols the bars are the lighter ones.

    Args:
        rng: Random numbers.
        paper: The ground where it is given; one that is dark has light bars.
    """
    dark, light = vary(rng, _DARK.draw(rng), 14), vary(rng, _LIGHT.draw(rng), 10)
    if paper is not None and luminance(paper) - luminance(dark) > _LEAST_CONTRAST:
        return dark, paper
    if paper is not None and luminance(light) - luminance(paper) > _LEAST_CONTRAST and rng.chance(0.15):
        return light, paper
    if luminance(light) - luminance(dark) < _LEAST_CONTRAST:
        return (16, 16, 18), (246, 246, 244)
    return (light, dark) if rng.chance(0.02) else (dark, light)
