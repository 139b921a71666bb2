"""Fronts and rears of vehicles: a stock of them, drawn once a process, on which plates are mounted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from retable.papers.plates.artwork import glyphs
from retable.papers.plates.artwork.canvas import Colour, vary
from retable.papers.plates.scenes.panel import Panel
from retable.synthetic.raster import Image
from retable.synthetic.rng import RandomStream, Weighted

STOCK: Final = 80  # vehicles of one process: some 30 MB
_SEED: Final = 20201122
_ACROSS: Final = 400  # pixels of a car's width

_PAINTS: Weighted[Colour] = Weighted(
    ((228, 229, 230), 4.0), ((26, 27, 30), 3.0), ((150, 153, 158), 3.0), ((86, 89, 94), 2.0), ((150, 28, 34), 1.6),
    ((32, 48, 98), 1.6), ((24, 84, 84), 0.6), ((96, 36, 70), 0.4), ((190, 180, 156), 0.8), ((222, 168, 32), 0.6),
    ((60, 92, 60), 0.5), ((120, 78, 48), 0.4),
)  # fmt: skip
_TYRE, _GLASS, _PLASTIC, _CHROME = (22, 22, 23), (44, 52, 58), (40, 40, 42), (186, 188, 190)
_BADGES = (
    "COROLLA", "CIVIC", "E 350", "Octavia", "PASSAT", "Focus", "CAMRY", "XUV 500", "Swift", "GOLF", "2.0 TDI", "4MATIC",
    "SILVERADO", "Sunny", "ALTIMA", "Accent", "DUSTER", "Megane", "FABIA", "VXi", "turbo", "4x4", "Cruze", "HYBRID",
)  # fmt: skip


@dataclass(frozen=True)
class Vehicle:
    """A vehicle seen from the front or the rear.

    Attributes:
        image: uint8 (H, W, 4), the last channel 255 where the vehicle is.
        scale: Pixels for each mm.
        mount: Middle of the plate, pixels.
        lines: How many lines its plate has: 0 for either.
        lamps: Places of lamps in pixels, which shine at night.
        red: Whether the lamps are red.
    """

    image: Image
    scale: float
    mount: tuple[float, float]
    lines: int
    lamps: tuple[tuple[float, float], ...]
    red: bool


@cache
def vehicle(number: int) -> Vehicle:
    """Returns one of the stock, by its number below `STOCK`; the first use of each draws it."""
    rng = RandomStream(_SEED, number)
    panel, mount, lines, lamps, red = _KINDS.draw(rng)(rng)
    panel.shade(rng, rng.uniform(0.1, 0.35))
    places = panel.pixels([mount, *lamps]).tolist()
    image = np.dstack([panel.image, panel.mask])  # four channels are warped faster than three
    return Vehicle(image, panel.scale, tuple(places[0]), lines, tuple(map(tuple, places[1:])), red)


_Drawn = tuple[Panel, tuple[float, float], int, list[tuple[float, float]], bool]


def _shade(colour: Colour, factor: float) -> Colour:
    red, green, blue = (min(255, int(value * factor)) for value in colour)
    return red, green, blue


def _car(rng: RandomStream, rear: bool) -> _Drawn:
    half = rng.uniform(820, 930)
    tall = rng.uniform(1380, 1520) if rng.chance(0.65) else rng.uniform(1600, 1850)
    waist = rng.uniform(0.58, 0.66) * tall
    panel = Panel(2 * half + 160, tall + 30, _ACROSS / 1800)
    paint = vary(rng, _PAINTS.draw(rng), 14)
    roof = rng.uniform(0.58, 0.74) * half
    panel.box(half - 240, 0, half - 30, 330, _TYRE, mirrored=True)
    panel.box(-half + 100, 150, half - 100, 380, (18, 18, 19))
    # body, cabin, window, mirrors
    edge = rng.uniform(0.94, 0.99) * half
    panel.symmetric([(0.93 * half, waist), (half, 0.7 * waist), (edge, 300), (edge - 70, 190)], paint)
    panel.symmetric([(0.7 * roof, tall), (roof, tall - 50), (0.95 * half, waist - 10)], _shade(paint, 0.96))
    glass = vary(rng, _GLASS, 16)
    top, bottom = tall - rng.uniform(80, 120), waist + rng.uniform(10, 60)
    inner = 0.86 * half - 40
    panel.symmetric([(roof - 70, top), (inner, bottom)], glass)
    for _ in range(rng.integer(0, 3)):  # what the window mirrors or lets through
        x = rng.uniform(-0.7, 0.5) * half
        low, high = bottom + 10, bottom + rng.uniform(0.3, 0.9) * (top - bottom)
        panel.polygon([(x, low), (x + 160, low), (x + 130, high), (x + 60, high)], vary(rng, (90, 104, 112), 30))
    if rear and rng.chance(0.5):
        panel.line([(0, bottom), (rng.uniform(200, 400), bottom + 120)], (20, 20, 20), 16)
    if rng.chance(0.7):
        mirror = [(0.92 * half, waist), (half + 75, waist + 20), (half + 60, waist + 130), (0.9 * half, waist + 90)]
        panel.polygon(mirror, rng.choice((paint, _PLASTIC)), mirrored=True)
    bumper = rng.uniform(400, 520)
    if rng.chance(0.35):
        panel.symmetric([(edge, bumper), (edge, 250), (edge - 60, 190)], vary(rng, _PLASTIC))
    panel.line([(-edge, bumper), (edge, bumper)], _shade(paint, 0.6), 10)
    panel.box(-0.7 * half, 185, 0.7 * half, rng.uniform(210, 290), vary(rng, _PLASTIC))
    draw = _tail if rear else _face
    mount, lamps = draw(panel, rng, paint, half, waist, bumper)
    _stickers(panel, rng, half, waist, bottom)
    return panel, mount, 0, lamps, rear


def _tail(
    panel: Panel, rng: RandomStream, paint: Colour, half: float, waist: float, bumper: float
) -> tuple[tuple[float, float], list[tuple[float, float]]]:
    low, high = rng.uniform(bumper + 20, bumper + 120), waist - rng.uniform(0, 60)
    inner = half - rng.uniform(180, 380)
    lamp = vary(rng, (168, 24, 30), 20)
    panel.polygon([(0.97 * half, high), (inner, high - 20), (inner + 40, low), (0.98 * half, low)], lamp, mirrored=True)
    if rng.chance(0.6):
        panel.box(inner + 60, low + 40, 0.95 * half, low + 90, vary(rng, (222, 206, 196), 14), mirrored=True)
    upper = rng.chance(0.6)  # between the lamps, or in the bumper
    middle = (low + high) / 2 if upper else (bumper + 230) / 2
    recess = _shade(paint, rng.uniform(0.45, 0.95))
    wide, tall = rng.uniform(290, 360), rng.uniform(85, 130)
    panel.symmetric([(wide, middle + tall), (wide - 30, middle - tall)], recess)
    if rng.chance(0.5):
        chrome = rng.choice((_CHROME, _shade(paint, 0.7), _PLASTIC))
        panel.box(-wide, middle + tall, wide, middle + tall + 35, chrome)
    emblem = waist - rng.uniform(0, 50) if not upper else high + rng.uniform(0, 40)
    panel.ellipse(0, emblem, 55, 50, _CHROME, 14)
    panel.ellipse(0, emblem, 22, 30, _CHROME)
    for side in (-1, 1):
        if rng.chance(0.6):
            place = rng.uniform(0.38, 0.6) * half, high - rng.uniform(0, 40)
            panel.word(rng.choice(_BADGES), side * place[0], place[1], rng.uniform(32, 55), _CHROME, _font(rng))
    if rng.chance(0.5):
        for _ in range(rng.integer(1, 2)):
            panel.ellipse(rng.sign() * rng.uniform(0.5, 0.75) * half, 205, 45, 28, (120, 120, 122))
    return (0.0, middle), [(0.85 * half, (low + high) / 2), (-0.85 * half, (low + high) / 2)]


def _face(
    panel: Panel, rng: RandomStream, paint: Colour, half: float, waist: float, bumper: float
) -> tuple[tuple[float, float], list[tuple[float, float]]]:
    hood = waist - rng.uniform(0, 40)
    panel.line([(-0.8 * half, hood), (-0.55 * half, hood - 200), (0.55 * half, hood - 200), (0.8 * half, hood)],
               _shade(paint, 0.72), 8)  # fmt: skip
    high, low = hood - rng.uniform(160, 260), bumper + rng.uniform(10, 60)
    inner = rng.uniform(0.5, 0.66) * half
    lamp = vary(rng, (206, 212, 216), 14)
    panel.polygon([(0.95 * half, high + 60), (inner, high - 20), (inner + 30, low), (0.94 * half, low + 40)],
                  _shade(lamp, 0.5), mirrored=True)  # fmt: skip
    for x in (0.72, 0.84):
        panel.ellipse(x * half, (high + low) / 2, 58, 58, lamp)
        panel.ellipse(-x * half, (high + low) / 2, 58, 58, lamp)
    wide = inner - 40
    _grille(panel, rng, -wide, low, wide, high - 10)
    panel.ellipse(0, (low + high) / 2 + 30, 70, 60, _CHROME, 16)
    panel.ellipse(0, (low + high) / 2 + 30, 26, 44, _CHROME)
    opening = rng.uniform(0.45, 0.72) * half
    _grille(panel, rng, -opening, 215, opening, bumper - 70)
    if rng.chance(0.5):
        for x in (-0.78, 0.78):
            panel.ellipse(x * half, 300, 52, 45, (30, 30, 32))
            panel.ellipse(x * half, 300, 38, 33, (190, 196, 200))
    middle = rng.choice((bumper - 40, (215 + bumper) / 2, bumper + 30))
    return (rng.choice((0.0, 0.0, 0.0, 150.0)), middle), [
        (0.78 * half, (high + low) / 2),
        (-0.78 * half, (high + low) / 2),
    ]


def _grille(panel: Panel, rng: RandomStream, x0: float, y0: float, x1: float, y1: float) -> None:
    """Draws bars, ribs or a mesh: what is most like the characters of a plate."""
    if y1 - y0 < 40:
        return
    panel.box(x0, y0, x1, y1, vary(rng, (26, 26, 28)))
    bar = rng.choice((_CHROME, (70, 72, 76), (50, 52, 54)))
    kind, step = rng.random(), rng.uniform(28, 60)
    if kind < 0.45:
        for number in range(1, int((y1 - y0) / step)):
            panel.line([(x0, y0 + number * step), (x1, y0 + number * step)], bar, step / 3)
    elif kind < 0.7:
        for number in range(1, int((x1 - x0) / step)):
            panel.line([(x0 + number * step, y0), (x0 + number * step, y1)], bar, step / 3)
    else:
        for number in range(int((x1 - x0 + y1 - y0) / step)):
            x = x0 + number * step
            reach = min(y1 - y0, x1 - x, x - x0)
            if reach > 0:
                panel.line([(x, y0), (x + reach, y0 + reach)], bar, step / 5)
                panel.line([(x, y0), (x - reach, y0 + reach)], bar, step / 5)
    if rng.chance(0.5):
        edge = [(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)]
        panel.line(edge, rng.choice((_CHROME, (60, 62, 64))), 16)


def _stickers(panel: Panel, rng: RandomStream, half: float, waist: float, glass: float) -> None:
    for _ in range(rng.integer(0, 2)):
        x, y = rng.uniform(-0.7, 0.6) * half, rng.choice((glass + 60, waist - 160, 450))
        wide, tall = rng.uniform(70, 260), rng.uniform(50, 110)
        paper = vary(rng, rng.choice(((230, 230, 226), (230, 200, 40), (40, 80, 160), (190, 40, 40), (30, 30, 30))))
        panel.box(x - wide / 2, y - tall / 2, x + wide / 2, y + tall / 2, paper)
        ink = (30, 30, 32) if sum(paper) > 380 else (235, 235, 232)
        panel.word(rng.choice(_BADGES), x, y, min(0.6 * tall, 0.2 * wide), ink, _font(rng))


def _truck(rng: RandomStream) -> _Drawn:
    half, tall = rng.uniform(1000, 1260), rng.uniform(2000, 3000)
    panel = Panel(2 * half + 40, tall + 20, _ACROSS / 2200)
    paint = vary(rng, rng.choice(((224, 224, 220), (150, 60, 40), (50, 80, 130), (200, 160, 40), (120, 124, 126))), 16)
    panel.box(half - 420, 0, half - 60, 480, _TYRE, mirrored=True)
    panel.box(-half, 520, half, tall, paint)
    for number in range(1, rng.integer(3, 12)):
        x = -half + number * 2 * half / 12
        panel.line([(x, 560), (x, tall - 40)], _shade(paint, 0.85), 14)
    panel.line([(0, 540), (0, tall)], _shade(paint, 0.5), 20)
    panel.box(-half, 360, half, 540, vary(rng, _PLASTIC, 12))
    panel.box(half - 260, 400, half - 30, 500, (170, 26, 30), mirrored=True)
    for _ in range(rng.integer(0, 2)):
        words = rng.choice(
            ("HORN OK PLEASE", "LOGISTICS", "EXPRESS", "GOODS CARRIER", "FRESH FOOD", "TRANSPORT", "STOP")
        )
        high = rng.uniform(90, 220)
        y = rng.uniform(800, tall - 200)
        panel.word(words, rng.triangular(0.3) * half, y, high, vary(rng, rng.choice(((30, 40, 90), (190, 40, 40))), 20))
    if rng.chance(0.4):
        for number in range(14):  # reflecting stripes
            x = -half + number * 2 * half / 14
            panel.box(x, 380, x + half / 7, 440, ((200, 40, 40), (230, 230, 226))[number % 2])
    return panel, (rng.choice((0.0, -0.5 * half, 0.5 * half)), 450.0), 0, [(half - 140, 450), (140 - half, 450)], True


def _rickshaw(rng: RandomStream) -> _Drawn:
    half, tall = 640.0, 1700.0
    panel = Panel(2 * half + 60, tall + 20, _ACROSS / 1700)
    lower, upper = vary(rng, (20, 120, 60), 14), vary(rng, rng.choice(((230, 190, 50), (40, 44, 46))), 14)
    panel.box(half - 170, 0, half - 60, 300, _TYRE, mirrored=True)
    panel.symmetric([(half - 60, 900), (half, 500), (half, 220)], lower)
    panel.symmetric([(half - 160, tall), (half - 20, tall - 160), (half - 60, 880)], upper)
    panel.symmetric(
        [(half - 170, 1500), (half - 170, 1100)], vary(rng, rng.choice(((60, 70, 74), (220, 224, 226))), 20)
    )
    if rng.chance(0.6):
        words = rng.choice(("CALL 98450", "SALE", "COACHING", "HOTEL", "TAXI"))
        panel.word(words, 0, 1300, 130, vary(rng, (180, 50, 50), 30))
    panel.box(-half, 860, half, 900, (230, 190, 40))
    panel.ellipse(half - 120, 640, 60, 90, (180, 30, 34))
    panel.ellipse(120 - half, 640, 60, 90, (180, 30, 34))
    for x in (-240, 240):
        panel.word(rng.choice(("OK", "BAJAJ", "KA", "STOP")), x, 720, 70, (230, 230, 226))
    return (
        panel,
        (rng.choice((300.0, 0.0, -300.0)), rng.uniform(380, 560)),
        2,
        [(half - 120, 640), (120 - half, 640)],
        True,
    )


def _motorcycle(rng: RandomStream) -> _Drawn:
    tall = rng.uniform(1050, 1250)
    panel = Panel(900, tall + 20, _ACROSS / 1300)
    paint = vary(rng, _PAINTS.draw(rng), 14)
    panel.box(-75, 0, 75, 640, _TYRE)
    panel.symmetric([(160, 900), (220, 700), (120, 560)], vary(rng, _PLASTIC))
    panel.symmetric([(190, 1000), (250, 880), (150, 760)], paint)
    panel.ellipse(0, 820, 110, 45, vary(rng, (180, 26, 30), 12))
    panel.line([(120, 560), (200, 300), (160, 220)], _CHROME, 40)
    panel.line([(150, 980), (400, tall - 60)], (30, 30, 32), 30, mirrored=True)
    panel.ellipse(410, tall - 40, 60, 40, (24, 24, 26))
    panel.ellipse(-410, tall - 40, 60, 40, (24, 24, 26))
    panel.ellipse(230, 800, 40, 30, (220, 140, 40))
    panel.ellipse(-230, 800, 40, 30, (220, 140, 40))
    return panel, (0.0, rng.uniform(560, 660)), 2, [(0, 820)], True


def _font(rng: RandomStream) -> str:
    return rng.choice((glyphs.BOLD, glyphs.SLANTED, glyphs.SANS, glyphs.SCRIPT))


_KINDS: Weighted[Callable[[RandomStream], _Drawn]] = Weighted(
    (lambda rng: _car(rng, True), 6.0),
    (lambda rng: _car(rng, False), 5.0),
    (_truck, 1.0),
    (_rickshaw, 0.7),
    (_motorcycle, 1.2),
)
