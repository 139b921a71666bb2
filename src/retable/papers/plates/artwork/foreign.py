"""Plates that are of none of the countries: of other ones, invented ones, and blank ones.

They are simple: what a classifier is to learn of them is that colours, proportions and characters of other countries
are of no class. Each split shows other countries, so that a test tells how it goes with those that were never seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from retable.papers.plates.artwork import glyphs
from retable.papers.plates.artwork.canvas import Colour, Lettering, PlateCanvas, vary
from retable.papers.plates.artwork.formats import LATIN, fill_pattern
from retable.papers.plates.artwork.frames import draw_surroundings, fasten, print_holder
from retable.papers.plates.artwork.lettering import draw_lettering
from retable.synthetic.rng import RandomStream, Weighted

WHITE, BLACK, BLUE, YELLOW = (236, 238, 238), (24, 24, 26), (24, 70, 170), (238, 190, 30)
GREEN, RED, LIME, ORANGE = (24, 110, 60), (186, 32, 38), (150, 210, 160), (230, 120, 30)

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 as parts of the plate's width and height."""


@dataclass(frozen=True)
class Foreign:
    """Plates of a country.

    Attributes:
        size: Width and height in mm.
        colours: Paper and ink.
        texts: Where which patterns stand, as of `fill_pattern`; ``#`` is one sign of a script with many strokes.
        words: Small print, likewise.
        letters: In use.
        bands: Coloured fields.
    """

    size: tuple[float, float]
    colours: tuple[tuple[Colour, Colour], ...]
    texts: tuple[tuple[tuple[str, ...], Box], ...]
    words: tuple[tuple[str, Box], ...] = ()
    letters: str = LATIN
    bands: tuple[tuple[Colour, Box], ...] = ()


_WHOLE: Final = (0.05, 0.16, 0.95, 0.84)
_LEFT_BAND: Final = (BLUE, (0.0, 0.0, 0.08, 1.0))

_DESIGNS: Final = {
    "train": (
        Foreign(  # China
            (440, 140), ((BLUE, WHITE), (BLUE, WHITE), (YELLOW, BLACK), (LIME, BLACK), (WHITE, BLACK)),
            (
                (("#",), (0.03, 0.16, 0.16, 0.84)),
                (("@·00000", "@·@0000", "@·0@000", "@·000000"), (0.18, 0.16, 0.97, 0.84)),
            ),
        ),
        Foreign(  # Japan
            (330, 165), ((WHITE, GREEN), (YELLOW, BLACK), (GREEN, WHITE), (BLACK, YELLOW)),
            (
                (("##",), (0.26, 0.08, 0.48, 0.32)), (("000", "00"), (0.52, 0.08, 0.76, 0.32)),
                (("#",), (0.04, 0.5, 0.15, 0.76)), (("00-00", "·0-00", "··-00"), (0.18, 0.4, 0.96, 0.92)),
            ),
        ),
        Foreign(  # Russia
            (520, 112), ((WHITE, BLACK), (WHITE, BLACK), (YELLOW, BLACK)),
            ((("@000@@",), (0.04, 0.18, 0.72, 0.86)), (("00", "000"), (0.77, 0.1, 0.97, 0.58))),
            (("RUS", (0.76, 0.68, 0.88, 0.88)),), "ABEKMHOPCTYX", ((BLACK, (0.745, 0.0, 0.752, 1.0)),),
        ),
        Foreign(  # Israel
            (520, 110), ((YELLOW, BLACK),), ((("00-000-00", "000-00-000"), (0.11, 0.16, 0.96, 0.84)),),
            (("IL", (0.01, 0.6, 0.07, 0.85)),), bands=(_LEFT_BAND,),
        ),
        Foreign(  # Thailand
            (340, 150), ((WHITE, BLACK), (WHITE, BLUE), (YELLOW, BLACK)),
            (
                (("##", "0##"), (0.05, 0.1, 0.38, 0.6)), (("0000", "000"), (0.45, 0.1, 0.95, 0.6)),
                (("######",), (0.2, 0.68, 0.8, 0.92)),
            ),
        ),
        Foreign(  # Indonesia
            (430, 135), ((BLACK, WHITE), (BLACK, WHITE), (WHITE, BLACK), (RED, WHITE)),
            ((("@ 0000 @@", "@@ 0000 @@@"), (0.05, 0.1, 0.95, 0.64)), (("00·00",), (0.36, 0.72, 0.64, 0.92))),
        ),
        Foreign(  # Egypt
            (350, 170), ((WHITE, BLACK),),
            ((("0000", "000"), (0.06, 0.4, 0.46, 0.9)), (("@ @ @", "@ @"), (0.54, 0.4, 0.94, 0.9))),
            (("EGYPT", (0.06, 0.06, 0.46, 0.28)), ("مصر", (0.54, 0.04, 0.94, 0.28))), "ابجدرسصطعفقلمنهوى",
            (((90, 160, 210), (0.0, 0.0, 1.0, 0.32)),),
        ),
    ),
    "val": (
        Foreign((520, 110), ((BLACK, WHITE),), ((("@@@ 0000", "@@ 0000 @"), _WHOLE),)),  # Malaysia, Singapore
        Foreign(  # Vietnam
            (280, 200), ((WHITE, BLACK), (YELLOW, BLACK), (BLUE, WHITE)),
            ((("00-@0", "00@"), (0.16, 0.1, 0.84, 0.46)), (("000.00",), (0.08, 0.54, 0.92, 0.92))),
        ),
        Foreign(  # Greek and Cyrillic letters, which the classes do not have
            (520, 112), ((WHITE, BLACK), (WHITE, RED)), ((("@@ 000 @@", "@@@-000"), _WHOLE),),
            letters="ЖЩЮЯЭФЦИЛДГБΨΩΣΛΞΔ",
        ),
    ),
    "test": (
        Foreign(  # Korea
            (520, 110), ((WHITE, BLACK), (YELLOW, BLACK)),
            (
                (("00", "000"), (0.05, 0.16, 0.3, 0.84)), (("#",), (0.32, 0.16, 0.45, 0.84)),
                (("0000",), (0.48, 0.16, 0.95, 0.84)),
            ),
        ),
        Foreign(  # Korea, of before 2006
            (335, 170), ((GREEN, WHITE), (YELLOW, BLUE)),
            (
                (("##",), (0.25, 0.08, 0.52, 0.36)), (("00",), (0.55, 0.08, 0.75, 0.36)),
                (("#",), (0.05, 0.5, 0.18, 0.84)), (("0000",), (0.22, 0.44, 0.94, 0.92)),
            ),
        ),
        Foreign(  # South Africa
            (520, 113), ((WHITE, (30, 60, 140)), (WHITE, GREEN), (WHITE, RED)),
            ((("@@ 00 @@ GP", "@@@ 000 MP", "CA 000-000"), _WHOLE),), letters="BCDFGHJKLMNPRSTVWXYZ",
        ),
        Foreign(  # Iran
            (520, 110), ((WHITE, BLACK), (YELLOW, BLACK)),
            ((("00 @ 000",), (0.1, 0.14, 0.77, 0.86)), (("00",), (0.83, 0.34, 0.96, 0.9))),
            (("ایران", (0.82, 0.06, 0.97, 0.28)), ("I.R.", (0.01, 0.5, 0.07, 0.66)), ("IRAN", (0.01, 0.7, 0.07, 0.88))),
            "ابدسصطعقلمنوهى", (_LEFT_BAND, (BLACK, (0.79, 0.0, 0.796, 1.0))),
        ),
        Foreign(  # Australia
            (372, 134), ((YELLOW, BLACK), (WHITE, BLUE), (WHITE, (110, 30, 60))),
            ((("@@@·000", "@@·00·@@", "000·@@@"), (0.05, 0.12, 0.95, 0.7)),),
            (("NSW - THE FIRST STATE", (0.2, 0.78, 0.8, 0.92)),),
        ),
        Foreign(  # Colombia
            (330, 160), ((YELLOW, BLACK),), ((("@@@·000",), (0.05, 0.16, 0.95, 0.72)),),
            (("BOGOTA D.C.", (0.2, 0.78, 0.8, 0.92)),),
        ),
    ),
}  # fmt: skip
_ARABIC_DIGITS: Final = "٠١٢٣٤٥٦٧٨٩"
_ALPHABETS: Final = LATIN, "ЖЩЮЯЭФЦИЛДГБПУЧ", "ΨΩΣΛΞΔΠΦΓΘ", "ԱԲԳԴԵԶԷԸԹԺԻԼԽ", "აბგდევზთიკლმნ", "אבגדהוזחטיכלמנ", "#"
_ODD: Weighted[tuple[Colour, Colour]] = Weighted(
    ((BLUE, WHITE), 2.0), ((BLUE, YELLOW), 1.0), ((ORANGE, BLACK), 1.0), (((120, 40, 130), WHITE), 1.0),
    (((230, 150, 180), BLACK), 1.0), (((90, 200, 210), BLACK), 1.0), ((RED, YELLOW), 1.0), ((GREEN, YELLOW), 1.0),
    ((WHITE, ORANGE), 1.0), ((LIME, BLUE), 1.0),
)  # fmt: skip
_USUAL: Final = (WHITE, BLACK), (WHITE, BLACK), (YELLOW, BLACK), (WHITE, BLUE), (WHITE, RED), (WHITE, GREEN)
_PAPERS: Final = WHITE, WHITE, WHITE, YELLOW, BLACK, (170, 172, 176), BLUE, GREEN, RED


def foreign(rng: RandomStream, split: str, scale: float) -> PlateCanvas:
    """Draws a plate of one of the countries of a split: ``train``, ``val`` or ``test``."""
    design = rng.choice(_DESIGNS[split])
    paper, ink = rng.choice(design.colours)
    canvas = _canvas(rng, *design.size, scale, paper)
    for colour, box in design.bands:
        canvas.box(*_millimetres(canvas, box), vary(rng, colour, 12))
    lettering = draw_lettering(rng) if design.letters.isascii() else Lettering(glyphs.BOLD, rng.integer(-2, 1))
    arabic = "ا" in design.letters
    for patterns, box in design.texts:
        text = fill_pattern(rng, rng.choice(patterns), design.letters)
        if arabic:
            text = "".join(_ARABIC_DIGITS[int(sign)] if sign.isdecimal() else sign for sign in text)
        _write(canvas, rng, text, box, lettering, ink)
    for word, box in design.words:
        canvas.word(word, _millimetres(canvas, box))
    canvas.print(vary(rng, ink, 10), relief=rng.choice((0.0, 18.0, 30.0)))
    return _finished(canvas, rng, ink)


def invented(rng: RandomStream, scale: float) -> PlateCanvas:
    """Draws a plate in colours, or of characters, that no class has; in any proportions, with one or two lines."""
    alphabet = rng.choice(_ALPHABETS)
    colours = _ODD.draw(rng) if alphabet == LATIN or rng.chance(0.4) else rng.choice(_USUAL)
    lines = rng.choice((1, 1, 2))
    width = rng.uniform(330, 520) if lines == 1 else rng.uniform(180, 340)
    canvas = _canvas(
        rng, width, width / (rng.uniform(2.2, 5) if lines == 1 else rng.uniform(1.1, 2)), scale, colours[0]
    )
    lettering = draw_lettering(rng) if alphabet == LATIN else Lettering(glyphs.BOLD, rng.integer(-2, 1))
    patterns = ("@@@@@ 0", "0 @@@@ 0", "@@-@@-@@", "@@ 0000 @@@", "@00000000", "@0@0@0@0")
    for line in range(lines):
        text = fill_pattern(rng, rng.choice(patterns), alphabet)
        box = (0.05, 0.16, 0.95, 0.84) if lines == 1 else (0.08, 0.08 + 0.46 * line, 0.92, 0.46 + 0.46 * line)
        _write(canvas, rng, text, box, lettering, colours[1])
    canvas.print(vary(rng, colours[1], 10), relief=rng.choice((0.0, 18.0, 30.0)))
    return _finished(canvas, rng, colours[1])


def blank(rng: RandomStream, scale: float) -> PlateCanvas:
    """Draws a plate of any proportions that says nothing; some have a band, an edge or a line of small print."""
    width = rng.uniform(180, 520)
    paper = rng.choice(_PAPERS)
    canvas = _canvas(rng, width, width / rng.uniform(1.2, 4.8), scale, paper)
    ink = BLACK if sum(paper) > 300 else WHITE
    if rng.chance(0.3):
        canvas.box(
            0, 0, rng.uniform(0.06, 0.14) * canvas.width, canvas.height, vary(rng, rng.choice((BLUE, BLUE, RED)))
        )
    if rng.chance(0.25):
        word = rng.choice(("AUTOHAUS", "CITY CARS", "www.cars.com", "EXPORT"))
        canvas.word(word, _millimetres(canvas, (0.3, 0.44, 0.7, 0.56)))
        canvas.print(ink)
    return _finished(canvas, rng, ink)


def _canvas(rng: RandomStream, width: float, height: float, scale: float, paper: Colour) -> PlateCanvas:
    margin, surroundings = draw_surroundings(rng)
    return PlateCanvas(width, height, scale, vary(rng, paper, 12), margin, surroundings)


def _finished(canvas: PlateCanvas, rng: RandomStream, ink: Colour) -> PlateCanvas:
    if rng.chance(0.5):
        canvas.border(ink, rng.uniform(1.5, 3.5), rng.uniform(2.5, 5))
    print_holder(canvas, rng)
    fasten(canvas, rng)
    if rng.chance(0.6):
        canvas.weather(rng, rng.uniform(0.02, 0.35) ** 1.3)
    return canvas


def _millimetres(canvas: PlateCanvas, box: Box) -> Box:
    return box[0] * canvas.width, box[1] * canvas.height, box[2] * canvas.width, box[3] * canvas.height


def _write(canvas: PlateCanvas, rng: RandomStream, text: str, box: Box, lettering: Lettering, ink: Colour) -> None:
    """Writes a text, and signs of many strokes where it has ``#``."""
    x0, y0, x1, y1 = _millimetres(canvas, box)
    if "#" not in text:
        canvas.text(text, (x0, y0, x1, y1), lettering)
        return
    step = (x1 - x0) / len(text)
    for place, sign in enumerate(text):
        cell = (x0 + (place + 0.06) * step, y0, x0 + (place + 0.94) * step, y1)
        if sign == "#":
            _strokes(canvas, rng, cell, ink)
        else:
            canvas.text(sign, cell, lettering)


def _strokes(canvas: PlateCanvas, rng: RandomStream, cell: Box, ink: Colour) -> None:
    """Draws a sign as of Chinese, Korean or Thai: level and upright strokes, a slanted one, perhaps a circle."""
    x0, y0, x1, y1 = cell
    wide, high = x1 - x0, y1 - y0
    thick = 0.09 * min(wide, high)
    for _ in range(rng.integer(2, 4)):
        y = rng.uniform(y0, y1)
        canvas.line(x0 + rng.uniform(0, 0.3) * wide, y, x1 - rng.uniform(0, 0.3) * wide, y, ink, thick)
    for _ in range(rng.integer(1, 3)):
        x = rng.uniform(x0 + 0.1 * wide, x1 - 0.1 * wide)
        canvas.line(x, y0 + rng.uniform(0, 0.3) * high, x, y1 - rng.uniform(0, 0.3) * high, ink, thick)
    if rng.chance(0.6):
        canvas.line(rng.uniform(x0, x1), (y0 + y1) / 2, rng.choice((x0, x1)), y1, ink, thick)
    if rng.chance(0.3):
        radius = 0.2 * min(wide, high)
        canvas.disc(rng.uniform(x0 + radius, x1 - radius), rng.uniform(y0 + radius, y1 - radius), radius, ink, thick)
