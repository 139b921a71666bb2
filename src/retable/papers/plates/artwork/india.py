"""Indian plates: high-security ones and those of every painter's shop."""

from __future__ import annotations

from retable.papers.plates.artwork import glyphs
from retable.papers.plates.artwork.canvas import Colour, Lettering, PlateCanvas, vary
from retable.papers.plates.artwork.formats import fill_pattern
from retable.papers.plates.artwork.frames import draw_surroundings
from retable.papers.plates.artwork.lettering import draw_lettering
from retable.synthetic.rng import RandomStream, Weighted

_STATES = (
    "AP", "AR", "AS", "BR", "CG", "CH", "DL", "GA", "GJ", "HP", "HR", "JH", "JK", "KA", "KL", "LD", "MH", "ML", "MN",
    "MP", "MZ", "NL", "OD", "OR", "PB", "PY", "RJ", "SK", "TN", "TR", "TS", "UK", "UP", "WB",
)  # fmt: skip

_Pair = tuple[Colour, Colour]
_COLOURS: Weighted[_Pair] = Weighted(
    (((234, 234, 230), (24, 24, 28)), 7.0),  # private
    (((232, 176, 26), (26, 22, 20)), 3.0),  # commercial
    (((36, 130, 74), (236, 236, 230)), 0.4),  # electric
    (((26, 26, 28), (238, 196, 40)), 0.4),  # hired
)
_PAINTED = (
    Lettering(glyphs.SERIF, 0, width=0.72, gap=0.12),
    Lettering(glyphs.SLANTED, -1, width=0.7, gap=0.1),
    Lettering(glyphs.BOLD, 1, width=0.66, gap=0.16),
    Lettering(glyphs.BOLD, 0, stencil=True, width=0.66, gap=0.14),
)


def indian(rng: RandomStream, lines: int, scale: float) -> tuple[PlateCanvas, str]:
    """Draws an Indian plate: state, district, up to three letters, four digits."""
    sizes: tuple[tuple[float, float], ...] = ((500.0, 120.0), (480.0, 110.0), (450.0, 100.0))
    if lines == 2:
        sizes = ((200.0, 100.0), (340.0, 200.0), (285.0, 180.0), (240.0, 170.0), (190.0, 170.0))
    width, height = rng.choice(sizes)
    paper, ink = _COLOURS.draw(rng)
    ink = vary(rng, ink, 10)
    margin, surroundings = draw_surroundings(rng)
    canvas = PlateCanvas(width, height, scale, vary(rng, paper, 12), margin, surroundings)
    state = rng.choice(_STATES)
    district, series, number = fill_pattern(rng, rng.choice(("00 @ 0000", "00 @@ 0000", "00 @@ 0000"))).split()
    blank = rng.choice(("", " ", " "))
    lettering = rng.choice(_PAINTED) if rng.chance(0.3) else draw_lettering(rng)
    secure = rng.chance(0.4)
    left = 12.0
    if secure:
        left = 0.085 * width
        blue = (40, 60, 140) if rng.chance(0.7) else ink
        canvas.word("IND", (0.02 * width, 0.56 * height, left, 0.56 * height + 0.05 * width))
        canvas.print(vary(rng, blue))
        canvas.disc(0.05 * width, 0.36 * height, 0.024 * width, vary(rng, (140, 160, 190), 20))
    if lines == 1:
        join = rng.choice((blank, blank, "-", "·"))
        text = f"{state}{join}{district}{blank}{series}{join}{number}"
        inset = rng.uniform(0.17, 0.26) * height
        canvas.text(text, (left + 8, inset, width - 12, height - inset), lettering)
    else:
        upper = f"{state}{blank or '·'}{district}"
        lower = rng.choice((f"{series} {number}", f"{series}.{number}", f"{series}{number}"))
        if rng.chance(0.25):
            upper, lower = f"{state} {district} {series}", number
        canvas.text(upper, (left + 8, 0.11 * height, width - 14, 0.46 * height), lettering)
        canvas.text(lower, (14, 0.54 * height, width - 14, 0.89 * height), lettering)
    canvas.print(ink, relief=rng.choice((0.0, 0.0, 24.0)))
    if lines == 2 and rng.chance(0.25):
        canvas.line(4, height / 2, width - 4, height / 2, vary(rng, (196, 50, 46)), 3)
    if rng.chance(0.5):
        canvas.border(ink, rng.uniform(1.5, 4), rng.uniform(3, 7))
    return canvas, state + district + series + number
