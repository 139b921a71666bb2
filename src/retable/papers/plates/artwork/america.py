"""Plates of the states of the USA and of Brazil."""

from __future__ import annotations

from retable.papers.plates.artwork import glyphs
from retable.papers.plates.artwork.canvas import Colour, PlateCanvas, vary
from retable.papers.plates.artwork.formats import fill_pattern
from retable.papers.plates.artwork.frames import draw_surroundings
from retable.papers.plates.artwork.lettering import draw_lettering
from retable.synthetic.rng import RandomStream, Weighted

_STATES = (
    "Alabama", "Alaska", "Arizona", "Arkansas", "California", "Colorado", "Connecticut", "Delaware", "Florida",
    "Georgia", "Hawaii", "Idaho", "Illinois", "Indiana", "Iowa", "Kansas", "Kentucky", "Louisiana", "Maine", "Maryland",
    "Massachusetts", "Michigan", "Minnesota", "Mississippi", "Missouri", "Montana", "Nebraska", "Nevada",
    "New Hampshire", "New Jersey", "New Mexico", "New York", "North Carolina", "North Dakota", "Ohio", "Oklahoma",
    "Oregon", "Pennsylvania", "Rhode Island", "South Carolina", "South Dakota", "Tennessee", "Texas", "Utah", "Vermont",
    "Virginia", "Washington", "West Virginia", "Wisconsin", "Wyoming",
)  # fmt: skip
_MOTTOS = (
    "Show-Me State", "Land of Lincoln", "Sunshine State", "Native America", "Vacationland", "First in Flight",
    "Garden State", "Great Faces. Great Places.", "www.michigan.gov", "Ocean State", "Live Free or Die", "Peach State",
    "The Spirit of America", "Wild, Wonderful",
)  # fmt: skip
_MONTHS = "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"
_PATTERNS = (
    "@@0 @0@",
    "@@@ 000",
    "@@@ 0000",
    "000 @@@",
    "0@@@000",
    "@@@-0000",
    "@00 0000",
    "@@ 00000",
    "000000",
    "00@ @00",
)
_PAPERS: Weighted[Colour] = Weighted(
    ((236, 236, 232), 5.0), ((206, 222, 236), 2.0), ((230, 226, 196), 1.0), ((214, 232, 210), 1.0),
    ((238, 208, 90), 0.7), ((28, 30, 36), 0.4), ((196, 206, 214), 1.0),
)  # fmt: skip
_INKS: Weighted[Colour] = Weighted(
    ((30, 34, 60), 4.0), ((26, 26, 28), 3.0), ((26, 60, 140), 2.0), ((176, 32, 38), 1.5), ((24, 84, 54), 1.5)
)
_GRAPHICS: tuple[Colour, ...] = (
    (120, 160, 210),
    (220, 130, 90),
    (110, 160, 110),
    (200, 180, 110),
    (190, 90, 90),
    (150, 140, 170),
)
_FRAMES = "VOLKSWAGEN", "ENGINEERS", "STEVENS CREEK", "UNIVERSITY", "ALUMNI", "CHEVROLET", "MY OTHER CAR", "FORD"


def american(rng: RandomStream, lines: int, scale: float) -> tuple[PlateCanvas, str]:
    """Draws a plate of one of the United States: 12 x 6 inches, a picture, the state's name above, a motto below."""
    width, height = 305.0, 152.0
    margin, surroundings = draw_surroundings(rng)
    paper = _PAPERS.draw(rng)
    canvas = PlateCanvas(width, height, scale, vary(rng, paper), margin, surroundings)
    dark = sum(paper) < 200
    _picture(canvas, rng)
    ink = (232, 232, 226) if dark else _INKS.draw(rng)
    text = fill_pattern(rng, rng.choice(_PATTERNS))
    lettering = draw_lettering(rng, 0.5)
    canvas.text(text, (16, rng.uniform(0.24, 0.32) * height, width - 16, rng.uniform(0.74, 0.82) * height), lettering)
    canvas.print(vary(rng, ink), relief=rng.choice((0.0, 20.0, 32.0)))
    state = rng.choice(_STATES)
    font = rng.choice((glyphs.SCRIPT, glyphs.BOLD, glyphs.SERIF))
    accent = ink if rng.chance(0.4) or dark else rng.choice(((180, 36, 44), (30, 70, 150), (26, 96, 60)))
    canvas.word(
        state if rng.chance(0.6) else state.upper(), (0.24 * width, 0.06 * height, 0.76 * width, 0.22 * height), font
    )
    if rng.chance(0.7):
        canvas.word(rng.choice(_MOTTOS), (0.2 * width, 0.84 * height, 0.8 * width, 0.94 * height), font)
    canvas.print(vary(rng, accent))
    for x in (0.03, 0.86):
        if rng.chance(0.6):
            sticker = vary(
                rng, rng.choice(((200, 60, 60), (60, 150, 90), (220, 200, 60), (60, 100, 180), (230, 230, 226)))
            )
            canvas.box(x * width, 0.05 * height, (x + 0.11) * width, 0.2 * height, sticker)
            words = rng.choice((rng.choice(_MONTHS), f"{rng.integer(5, 24):02d}"))
            canvas.word(words, ((x + 0.015) * width, 0.08 * height, (x + 0.095) * width, 0.17 * height))
            canvas.print((20, 20, 24) if sum(sticker) > 330 else (240, 240, 240))
    if rng.chance(0.3):  # a frame that covers the rims
        frame = vary(rng, rng.choice(((24, 24, 26), (170, 170, 174), (60, 60, 64))))
        below = rng.uniform(0.06, 0.17) * height
        canvas.box(0, height - below, width, height, frame)
        canvas.box(0, 0, width, rng.uniform(0.03, 0.12) * height, frame)
        canvas.box(0, 0, 5, height, frame)
        canvas.box(width - 5, 0, width, height, frame)
        canvas.word(rng.choice(_FRAMES), (0.1 * width, height - 0.85 * below, 0.9 * width, height - 0.15 * below))
        canvas.print((230, 230, 230) if sum(frame) < 330 else (30, 30, 30))
    return canvas, text


def _picture(canvas: PlateCanvas, rng: RandomStream) -> None:
    """Lays a printed picture over the paper: rims of a colour, hills, a figure in the middle or at the side."""
    kind = rng.random()
    width, height = canvas.width, canvas.height
    colour = vary(rng, rng.choice(_GRAPHICS), 14)
    if kind < 0.3:
        canvas.box(0, 0, width, 0.25 * height, colour)
        if rng.chance(0.6):
            canvas.box(0, 0.82 * height, width, height, colour)
    elif kind < 0.55:
        for _ in range(4):
            x = rng.uniform(0, width)
            canvas.disc(x, rng.uniform(0.6, 1.2) * height, rng.uniform(0.2, 0.5) * height, colour)
    elif kind < 0.75:
        x = rng.choice((0.5, 0.14)) * width
        canvas.disc(x, 0.5 * height, rng.uniform(0.16, 0.28) * height, colour)
        canvas.disc(x, 0.3 * height, 0.1 * height, vary(rng, rng.choice(_GRAPHICS)))
    if kind < 0.75:
        canvas.weather(rng, rng.uniform(0.02, 0.2))
    canvas.restore_margin()


_TOWNS = (
    "SP-SAO PAULO", "MG-BELO HORIZONTE", "RJ-NITEROI", "ES-VITORIA", "PR-CURITIBA", "DF-BRASILIA", "GO-GOIANIA",
    "BA-CAMACARI", "RS-PASSO FUNDO", "CE-FORTALEZA", "PE-RECIFE", "SC-JOINVILLE", "MT-CUIABA",
)  # fmt: skip


def brazilian(rng: RandomStream, lines: int, scale: float) -> tuple[PlateCanvas, str]:
    """Draws a Brazilian plate: grey (or red, for hire) with the town's name, or of the Mercosur, white with a band."""
    width, height = (400.0, 130.0) if lines == 1 else (200.0, 170.0)
    margin, surroundings = draw_surroundings(rng)
    modern = rng.chance(0.3)
    first = fill_pattern(rng, "@@@")
    second = fill_pattern(rng, "0@00" if modern else "0000")
    lettering = draw_lettering(rng, 0.6)
    paper, ink = (198, 200, 200), (30, 30, 34)
    if modern:
        paper = (236, 238, 238)
    elif rng.chance(0.3):
        paper, ink = (172, 34, 40), (232, 230, 226)
    canvas = PlateCanvas(width, height, scale, vary(rng, paper, 12), margin, surroundings)
    top = 0.27 * height if lines == 1 else 0.22 * height
    if modern:
        canvas.box(0, 0, width, 0.8 * top, vary(rng, (24, 60, 150), 12))
        canvas.word("BRASIL", (0.3 * width, 0.16 * top, 0.7 * width, 0.64 * top))
        canvas.print((238, 238, 238))
        canvas.box(0.88 * width, 0.15 * top, 0.96 * width, 0.65 * top, (30, 150, 80))
        canvas.disc(0.92 * width, 0.4 * top, 0.02 * width, (240, 220, 60))
        if rng.chance(0.5):
            canvas.word("BR", (0.02 * width, 0.8 * height, 0.07 * width, 0.88 * height))
    else:
        label = rng.choice(_TOWNS)
        canvas.word(label, (0.22 * width, 0.3 * top, 0.78 * width, 0.72 * top))
    bottom = rng.uniform(0.8, 0.92) * height
    if lines == 1:
        top *= 1.0 if modern else rng.uniform(1.05, 1.35)
        separator = "" if modern else rng.choice(("·", "-", "·"))
        canvas.text(f"{first}{separator}{second}", (16, top, width - 16, bottom), lettering)
    else:
        middle = (top + bottom) / 2
        canvas.text(first, (24, top, width - 24, middle - 4), lettering)
        canvas.text(second, (14, middle + 4, width - 14, bottom), lettering)
    canvas.print(vary(rng, ink, 10), relief=rng.choice((14.0, 24.0, 36.0)))
    canvas.border(ink if modern else tuple(max(0, value - 40) for value in paper), 2, 3)  # type: ignore[arg-type]
    return canvas, first + second
