"""Plates of Europe's countries and of Turkey."""

from __future__ import annotations

import math
from dataclasses import dataclass

from retable.papers.plates.artwork.canvas import Colour, Lettering, PlateCanvas, vary
from retable.papers.plates.artwork.formats import fill_pattern
from retable.papers.plates.artwork.frames import draw_surroundings
from retable.papers.plates.artwork.lettering import draw_lettering
from retable.synthetic.rng import RandomStream, Weighted

WHITE, YELLOW, BLACK, RED = (236, 238, 238), (240, 190, 30), (22, 22, 24), (178, 28, 34)
BLUE, GREEN, STARS = (22, 70, 172), (24, 110, 60), (246, 214, 40)


@dataclass(frozen=True)
class Design:
    """Plates of a country.

    Attributes:
        code: On the band.
        patterns: As of `fill_pattern`; ``°`` is a seal, a blank or the first ``-`` ends the first of two lines.
        paper: Colours of the plate.
        ink: Of its characters.
        stars: Whether the band has Europe's stars.
        right: What stands on a second band to the right, None for no band.
        letters: In use.
        rims: Colour of a printed edge, None for none.
        band: How often there is a band at all.
    """

    code: str
    patterns: tuple[str, ...]
    paper: tuple[Colour, ...] = (WHITE,)
    ink: Colour = BLACK
    stars: bool = True
    right: str | None = None
    letters: str = "ABCDEFGHJKLMNPRSTUVWXYZ"
    rims: Colour | None = BLACK
    band: float = 0.9


_CITIES = "B", "M", "HH", "K", "F", "S", "WOB", "DD", "KS", "ERK", "WES", "AB", "GG", "LU", "HN", "MYK"
_DISTRICTS = "W", "S", "G", "L", "IL", "KB", "GU", "BR", "SL", "WN"

_DESIGNS = Weighted(
    (Design("D", tuple(f"{city}°@@ {digits}" for city in _CITIES for digits in ("000", "0000", "00"))), 4.0),
    (Design("F", ("@@-000-@@",), right="00", letters="ABCDEFGHJKLMNPQRSTVWXYZ"), 3.0),
    (Design("F", ("000 @@@ 00", "0000 @@ 00"), (WHITE, YELLOW)), 1.0),
    (Design("I", ("@@ 000@@",), right="", letters="ABCDEFGHJKLMNPRSTVWXYZ"), 3.0),
    (Design("E", ("0000 @@@",), letters="BCDFGHJKLMNPRSTVWXYZ"), 2.0),
    (Design("NL", ("00-@@@-0", "@@-00-@@", "@@-000-@", "00-@@-@@"), (YELLOW,), rims=None), 2.0),
    (Design("B", ("0-@@@-000", "@@@-000"), ink=RED, rims=RED), 2.0),
    (
        Design(
            "PL",
            ("@@ 00000", "@@@ 0000", "@@ 000@@"),
        ),
        2.0,
    ),
    (Design("CZ", ("0@0 0000", "0@° 0000")), 2.0),
    (Design("SK", tuple(f"{town}°000@@" for town in ("BA", "RK", "KE", "PP", "TS", "MT", "NR", "ZA"))), 3.0),
    (Design("A", tuple(f"{place}°{rest}" for place in _DISTRICTS for rest in ("000 @", "0000 @@")), rims=RED), 1.5),
    (Design("GB", ("@@00 @@@",), (WHITE, YELLOW), rims=None, band=0.4), 3.0),
    (Design("P", ("00-@@-00", "@@-00-@@", "00-00-@@"), right=None), 1.0),
    (Design("RO", ("B 000 @@@", "CJ 00 @@@", "B 00 @@@", "TM 00 @@@")), 1.0),
    (Design("BG", ("@ 0000 @@", "@@ 0000 @@"), letters="ABEKMHOPCTYX"), 1.0),
    (Design("H", ("@@@-000", "@@ @@-000")), 1.0),
    (Design("LT", ("@@@ 000",)), 0.7),
    (Design("LV", ("@@-0000", "@@-00")), 0.7),
    (Design("EST", ("000 @@@",)), 0.7),
    (Design("SLO", ("LJ @@-000", "P°00-000", "MB @0-000"), rims=GREEN), 0.7),
    (Design("HR", ("ZG°0000-@@", "ST°000-@"), rims=BLACK), 0.7),
    (Design("S", ("@@@ 000", "@@@ 00@")), 1.0),
    (Design("FIN", ("@@@-000",)), 0.7),
    (Design("DK", ("@@ 00 000",), rims=RED), 0.7),
    (Design("GR", ("@@@-0000",), letters="ABEZHIKMNOPTYX"), 0.7),
    (Design("IRL", ("00-D-0000", "000-C-0000", "00-G-000")), 0.7),
    (Design("L", ("@@ 0000",), (YELLOW,)), 0.7),
    (Design("N", ("@@ 00000",), stars=False), 0.7),
    (Design("CH", tuple(f"{place}°000000" for place in ("ZH", "BE", "BS", "OW", "VD")), stars=False, band=0.0), 1.0),
)
_TWO_LINE_SIZES = Weighted(
    ((280, 200), 3.0), ((340, 220), 1.5), ((220, 170), 1.0), ((300, 160), 1.0), ((180, 200), 0.7)
)


def european(rng: RandomStream, lines: int, scale: float) -> tuple[PlateCanvas, str]:
    """Draws a plate of one of Europe's countries; returns it with what it says."""
    design = _DESIGNS.draw(rng)
    paper = vary(rng, rng.choice(design.paper))
    width, height = (520.0, rng.choice((110.0, 113.0))) if lines == 1 else _TWO_LINE_SIZES.draw(rng)
    margin, surroundings = draw_surroundings(rng)
    canvas = PlateCanvas(width, height, scale, paper, margin, surroundings)
    text = fill_pattern(rng, rng.choice(design.patterns), design.letters)
    ink = vary(rng, design.ink, 10)
    lettering = draw_lettering(rng)
    banded = rng.chance(design.band)
    if lines == 1:
        left, right = (48.0 if banded else 14.0), width - 14.0
        if banded:
            _band(canvas, rng, design, (0, 0, 42, height), design.code)
        if design.right is not None and banded:
            right = width - 50.0
            _band(canvas, rng, design, (width - 42, 0, width, height), fill_pattern(rng, design.right))
        inset = rng.uniform(14, 21)
        spread = rng.uniform(0.82, 1.0)
        slack = (right - left) * (1 - spread)
        box = (left + slack / 2 + 6, inset, right - slack / 2 - 4, height - inset)
        canvas.text(text, box, lettering)
        _seal(canvas, rng, text, box)
    else:
        _two_lines(canvas, rng, design, text, lettering, banded)
    canvas.print(ink, relief=rng.choice((0.0, 18.0, 30.0)))
    if design.rims is not None and rng.chance(0.6):
        canvas.border(design.rims, rng.uniform(1.5, 3.0), 2.5)
    return canvas, text


def _two_lines(
    canvas: PlateCanvas, rng: RandomStream, design: Design, text: str, lettering: Lettering, banded: bool
) -> None:
    width, height = canvas.width, canvas.height
    cut = next((place for place, sign in enumerate(text) if sign in "° -"), len(text) // 2)
    first, second = text[:cut], text[cut:].lstrip(" -°")
    left = 10.0
    if banded:
        left = 46.0
        tall = height if rng.chance(0.4) else 0.5 * height
        top = 0.0 if rng.chance(0.7) else height - tall
        _band(canvas, rng, design, (0, top, 40, top + tall), design.code)
    shields = "°" in text or rng.chance(0.15)
    middle = height / 2
    upper = (left + 6, 0.1 * height, width - (52 if shields else 12), middle - 0.03 * height)
    canvas.text(first, upper, lettering)
    if shields:
        for x in (width - 30, left + 14)[: 2 if design.code == "CH" else 1]:
            _shield(canvas, rng, x, 0.28 * height, 0.11 * height)
    lower_left = left if banded and tall > 0.6 * height else 10.0
    canvas.text(second, (lower_left + 4, middle + 0.04 * height, width - 10, 0.91 * height), lettering)


def _band(
    canvas: PlateCanvas, rng: RandomStream, design: Design, box: tuple[float, float, float, float], code: str
) -> None:
    x0, y0, x1, y1 = box
    blue = vary(rng, BLUE, 30)
    canvas.box(x0, y0, x1, y1, blue)
    x, wide, tall = (x0 + x1) / 2, x1 - x0, y1 - y0
    if design.stars and rng.chance(0.7):
        radius = 0.3 * wide
        for number in range(12):
            angle = math.tau * number / 12
            canvas.disc(x + radius * math.cos(angle), y0 + 0.3 * tall + radius * math.sin(angle), 2.0, STARS, on=blue)
    else:  # a flag, as on plates of before the Union or of outside of it
        for number in range(3):
            stripe = vary(
                rng, rng.choice(((200, 40, 44), (236, 236, 236), (30, 60, 140), (40, 120, 70), (220, 190, 60)))
            )
            top = y0 + (0.18 + 0.08 * number) * tall
            canvas.box(x - 0.3 * wide, top, x + 0.3 * wide, top + 0.08 * tall, stripe)
    if code:
        y = y0 + (0.78 if tall < 130 else 0.7) * tall
        canvas.word(code, (x - 0.36 * wide, y - 0.24 * wide, x + 0.36 * wide, y + 0.3 * wide))
        canvas.print((240, 240, 240))


def _seal(canvas: PlateCanvas, rng: RandomStream, text: str, box: tuple[float, float, float, float]) -> None:
    """Draws seals or an emblem where the text has left room: about as far along as the sign stands in it."""
    if "°" not in text:
        return
    part = (text.index("°") + 0.5) / len(text)
    x = box[0] + part * (box[2] - box[0])
    if rng.chance(0.5):
        for y in (0.32, 0.68):
            canvas.disc(
                x, y * canvas.height, 11, vary(rng, rng.choice(((120, 150, 90), (200, 120, 60), (90, 130, 190))))
            )
            canvas.disc(x, y * canvas.height, 5, (225, 225, 215))
    else:
        _shield(canvas, rng, x, 0.5 * canvas.height, 13)


def _shield(canvas: PlateCanvas, rng: RandomStream, x: float, y: float, half: float) -> None:
    colour = vary(rng, rng.choice(((200, 40, 44), (60, 100, 170), (40, 120, 70), (40, 44, 50))))
    canvas.box(x - 0.8 * half, y - half, x + 0.8 * half, y + 0.3 * half, colour)
    canvas.disc(x, y + 0.25 * half, 0.8 * half, colour)
    canvas.box(x - 0.12 * half, y - 0.7 * half, x + 0.12 * half, y + 0.7 * half, (236, 236, 236))
    canvas.box(x - 0.5 * half, y - 0.2 * half, x + 0.5 * half, y + 0.05 * half, (236, 236, 236))


def turkish(rng: RandomStream, lines: int, scale: float) -> tuple[PlateCanvas, str]:
    """Draws a Turkish plate: province, one to three letters, two to four digits; a band without stars."""
    width, height = (520.0, 112.0) if lines == 1 else rng.choice(((320.0, 220.0), (240.0, 150.0), (240.0, 180.0)))
    margin, surroundings = draw_surroundings(rng)
    canvas = PlateCanvas(width, height, scale, vary(rng, WHITE), margin, surroundings)
    province = "34" if rng.chance(0.4) else f"{rng.integer(1, 81):02d}"
    letters = "ABCDEFGHIJKLMNOPRSTUVYZ"
    first, second = fill_pattern(rng, rng.choice(("@ 0000", "@@ 000", "@@ 0000", "@@@ 00", "@@@ 000")), letters).split()
    lettering = draw_lettering(rng)
    blue = vary(rng, BLUE, 30)
    if lines == 1:
        canvas.box(0, 0, 44, height, blue)
        canvas.word("TR", (8, 0.62 * height, 38, 0.86 * height))
        canvas.print((240, 240, 240))
        end = width - rng.uniform(10, 40)
        inset = rng.uniform(14, 21)
        canvas.text(f"{province} {first} {second}", (54, inset, end, height - inset), lettering, rng.uniform(0.2, 0.6))
    else:
        canvas.box(0, 0.52 * height, 44, height, blue)
        canvas.word("TR", (8, 0.8 * height, 38, 0.92 * height))
        canvas.print((240, 240, 240))
        upper, lower = (first, second) if rng.chance(0.1) else (f"{province} {first}", second)
        if upper == first:
            upper, lower = province, f"{first} {second}"
        canvas.text(upper, (12, 0.09 * height, width - 12, 0.47 * height), lettering)
        canvas.text(lower, (52, 0.54 * height, width - 12, 0.92 * height), lettering, rng.uniform(0.3, 0.6))
    canvas.print(vary(rng, BLACK, 10), relief=rng.choice((0.0, 18.0, 30.0)))
    if rng.chance(0.6):
        canvas.border(BLACK, rng.uniform(2, 3.5), 2.5)
    if rng.chance(0.3):  # a stamp of the chamber that sells plates
        x, y = rng.uniform(0.15, 0.5) * width, rng.uniform(0.15, 0.6) * height
        canvas.disc(x, y, 9, vary(rng, rng.choice(((200, 60, 70), (40, 140, 80)))), 3.0)
    return canvas, f"{province}{first}{second}"
