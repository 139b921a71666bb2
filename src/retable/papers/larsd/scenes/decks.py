"""What is seen on deck: one drawing routine a kind of ship, in its own frame with the bow to the right."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from retable.papers.larsd.scenes.sprites import Canvas, Colour, shade, vary
from retable.papers.larsd.scenes.vessels import Vessel
from retable.synthetic.raster import Image, Points
from retable.synthetic.rng import RandomStream

_DECKS: tuple[Colour, ...] = (
    (122, 62, 50), (96, 50, 44), (70, 96, 78), (112, 118, 116), (86, 92, 98), (150, 128, 100),
    (66, 78, 104), (58, 60, 62), (140, 84, 66),
)  # fmt: skip
_RIMS: tuple[Colour, ...] = (
    (30, 32, 40), (52, 30, 28), (28, 44, 74), (40, 66, 54), (120, 40, 34), (170, 172, 170),
    (60, 64, 68),
)  # fmt: skip
_WHITES: tuple[Colour, ...] = ((232, 232, 228), (214, 214, 208), (224, 216, 196), (196, 200, 204))
CONTAINERS: tuple[Colour, ...] = (
    (150, 60, 46), (60, 84, 130), (40, 104, 86), (176, 170, 160), (196, 120, 50), (110, 44, 44),
    (84, 88, 94), (52, 60, 84), (200, 196, 188), (120, 130, 70),
)  # fmt: skip
_NAVY: tuple[Colour, ...] = ((128, 134, 140), (104, 112, 120), (146, 150, 152), (86, 94, 102))


def _bridge(canvas: Canvas, rng: RandomStream, start: float, end: float, span: float, height: float) -> None:
    """Draws a superstructure of two or three tiers with funnel and bridge wings."""
    white = vary(rng, rng.choice(_WHITES), 10)
    canvas.box(start, end, -span / 2, span / 2, shade(white, 0.9), height)
    depth, wings = end - start, min(span * 0.56, 0.48)
    canvas.box(start + 0.3 * depth, end - 0.08 * depth, -span * 0.38, span * 0.38, white, height * 0.4)
    canvas.box(end - 0.36 * depth, end - 0.18 * depth, -wings, wings, shade(white, 1.06), height * 0.3)
    funnel = rng.choice(((40, 40, 44), (150, 50, 40), (40, 70, 120), (210, 180, 60), (60, 60, 62)))
    canvas.box(start + 0.08 * depth, start + 0.26 * depth, -span * 0.13, span * 0.13, funnel, height * 0.6)


def _plain(canvas: Canvas, outline: Points, rng: RandomStream, colours: Sequence[Colour]) -> Colour:
    """Draws deck, rim and forecastle; returns the deck's colour, near one of those given."""
    deck = vary(rng, rng.choice(colours))
    canvas.texture[:] = deck
    rim = vary(rng, rng.choice(_RIMS))
    canvas.contour(outline, rim, max(canvas.rows // 9, 1))
    canvas.contour(outline * (0.975, 0.86), shade(deck, rng.uniform(1.1, 1.35)), 1)
    return deck


def _bulk(canvas: Canvas, vessel: Vessel, outline: Points, rng: RandomStream) -> None:
    deck = _plain(canvas, outline, rng, _DECKS)
    aft = rng.uniform(0.09, 0.16)
    hatches = rng.integer(3, 9) if vessel.kind == "bulk" else rng.integer(1, 5)
    first, last = -0.47 + aft, 0.5 - max(vessel.hull[0] * 0.9, 0.06)
    pitch = (last - first) / hatches
    cover = vary(rng, rng.choice((shade(deck, 1.3), shade(deck, 0.72), (150, 150, 146), (92, 60, 52))), 10)
    half = rng.uniform(0.22, 0.36)
    gap = rng.uniform(0.08, 0.3)
    open_holds = rng.chance(0.25)
    for number in range(hatches):
        x0, x1 = first + (number + gap / 2) * pitch, first + (number + 1 - gap / 2) * pitch
        colour = (44, 38, 34) if open_holds and rng.chance(0.6) else vary(rng, cover, 6)
        canvas.box(x0, x1, -half, half, colour, 0.05 * vessel.width)
        canvas.line((x0 + x1) / 2, -half, (x0 + x1) / 2, half, shade(cover, 0.8))
    if rng.chance(0.5):
        for number in range(1, hatches):
            x = first + number * pitch
            side = rng.uniform(-0.3, 0.3)
            canvas.line(x, 0.0, x + 0.6 * pitch * rng.sign(), side, (190, 186, 170), 2)
            canvas.box(x - 0.006, x + 0.006, -0.06, 0.06, (206, 200, 180), 0.3 * vessel.width)
    _bridge(canvas, rng, -0.47, -0.47 + aft * 0.8, rng.uniform(0.6, 0.92), 0.5 * vessel.width)


def _container(canvas: Canvas, vessel: Vessel, outline: Points, rng: RandomStream) -> None:
    _plain(canvas, outline, rng, ((96, 52, 46), (70, 76, 82), (58, 74, 66)))
    bridge = rng.choice((-0.44, -0.32, -0.26, -0.05))
    depth = 0.055
    bays = rng.integer(9, 22) if vessel.length > 90 else rng.integer(6, 11)
    first, last = -0.485, 0.5 - vessel.hull[0] * 0.6
    pitch = (last - first) / bays
    lanes = rng.integer(6, 12)
    load = rng.uniform(0.55, 1.0)
    palette = [rng.choice(CONTAINERS) for _ in range(rng.integer(2, 6))]
    for number in range(bays):
        x0 = first + number * pitch
        if abs(x0 + pitch / 2 - bridge - depth / 2) < depth / 2 + pitch / 2 or not rng.chance(load):
            continue
        forward = max(x0 + pitch - (0.5 - vessel.hull[0]), 0.0) / vessel.hull[0]
        half = 0.47 * (1.0 - forward**1.6)
        canvas.box(x0 + 0.06 * pitch, x0 + 0.92 * pitch, -half, half, rng.choice(palette), 0.15 * vessel.width)
        lane = 2 * half / lanes
        for slot in range(lanes):
            if rng.chance(0.75):
                colour = vary(rng, rng.choice(palette), 10)
                canvas.box(x0 + 0.06 * pitch, x0 + 0.92 * pitch, -half + slot * lane, -half + (slot + 1) * lane, colour)
    _bridge(canvas, rng, bridge, bridge + depth, 0.94, 0.45 * vessel.width)


def _tanker(canvas: Canvas, vessel: Vessel, outline: Points, rng: RandomStream) -> None:
    decks = (126, 58, 46), (104, 50, 42), (62, 98, 76), (84, 92, 98), (60, 84, 120)
    deck = _plain(canvas, outline, rng, decks)
    pipe = vary(rng, rng.choice(((196, 190, 176), (160, 150, 140), shade(deck, 1.5))), 10)
    aft = rng.uniform(0.11, 0.17)
    canvas.line(-0.48 + aft, 0.0, 0.46, 0.0, pipe, max(canvas.rows // 14, 1))
    canvas.line(-0.48 + aft, 0.07, 0.36, 0.07, shade(pipe, 0.8), 1)
    middle = rng.uniform(-0.06, 0.06)
    for step in (-0.02, 0.0, 0.02):
        canvas.line(middle + step, -0.42, middle + step, 0.42, pipe, 1)
    for number in range(rng.integer(4, 9)):
        x = -0.44 + aft + number * 0.085
        if x < 0.4:
            canvas.circle(x, rng.choice((-0.25, 0.25)), 0.045, shade(deck, 1.35))
            canvas.line(x, -0.45, x, 0.45, shade(deck, 0.8), 1)
    if rng.chance(0.3):
        canvas.circle(0.14, 0.26, 0.13, (220, 220, 120), 1)
    if rng.chance(0.2):  # gas carrier
        for number in range(4):
            canvas.circle(-0.24 + 0.16 * number, 0.0, 0.42, shade((214, 206, 190), 0.82))
            canvas.circle(-0.245 + 0.16 * number, -0.03, 0.33, (222, 214, 198))
    _bridge(canvas, rng, -0.475, -0.475 + aft * 0.75, rng.uniform(0.7, 0.96), 0.5 * vessel.width)


def _ferry(canvas: Canvas, vessel: Vessel, outline: Points, rng: RandomStream) -> None:
    white = vary(rng, rng.choice(_WHITES), 12)
    canvas.texture[:] = shade(white, 0.82)
    canvas.contour(outline, shade(white, rng.uniform(0.4, 0.9)), max(canvas.rows // 12, 1))
    canvas.polygon(outline * (0.9, 0.8), white)
    canvas.polygon(outline * (0.7, 0.62) + (-0.02, 0.0), shade(white, rng.uniform(0.82, 0.97)))
    for number in range(rng.integer(4, 12)):
        x = -0.36 + 0.062 * number
        if x < 0.3:
            canvas.box(x, x + 0.035, -0.48, -0.42, (214, 110, 50))
            canvas.box(x, x + 0.035, 0.42, 0.48, (214, 110, 50))
    for _ in range(rng.integer(2, 5)):
        x, w, y = rng.uniform(-0.35, 0.15), rng.uniform(0.04, 0.14), rng.uniform(0.12, 0.3)
        house = rng.choice((shade(white, 0.78), shade(white, 1.05), (92, 128, 120), (150, 140, 124), (70, 150, 180)))
        canvas.box(x, x + w, -y, y, house, 0.1 * vessel.width)
    x = rng.uniform(-0.32, -0.12)
    funnel = rng.choice(((40, 60, 120), (170, 46, 40), (50, 50, 54), (230, 200, 80)))
    canvas.box(x, x + 0.05, -0.1, 0.1, funnel, 0.3 * vessel.width)
    canvas.box(0.26, 0.3, -0.42, 0.42, shade(white, 0.7))


def _warship(canvas: Canvas, vessel: Vessel, outline: Points, rng: RandomStream) -> None:
    grey = vary(rng, rng.choice(_NAVY), 12)
    canvas.texture[:] = vary(rng, shade(grey, rng.uniform(0.75, 1.0)), 8)
    canvas.contour(outline, shade(grey, 1.2), 1)
    start, end = rng.uniform(-0.26, -0.16), rng.uniform(0.12, 0.24)
    canvas.box(start, end, -0.36, 0.36, grey, 0.3 * vessel.width)
    canvas.box(start + 0.05, start + 0.16, -0.27, 0.27, shade(grey, 1.12), 0.3 * vessel.width)
    canvas.box(end - 0.13, end - 0.02, -0.32, 0.32, shade(grey, 1.15), 0.35 * vessel.width)
    mast = (start + end) / 2
    canvas.box(mast - 0.015, mast + 0.015, -0.1, 0.1, shade(grey, 1.3), 0.5 * vessel.width)
    canvas.box(start + 0.18, start + 0.23, -0.14, 0.14, (54, 56, 60), 0.2 * vessel.width)
    canvas.circle(end + rng.uniform(0.09, 0.12), 0.0, 0.17, shade(grey, 1.12))
    canvas.line(end + 0.1, 0.0, end + 0.16, 0.0, shade(grey, 0.6), 1)
    if rng.chance(0.6):
        canvas.box(end + 0.02, end + 0.06, -0.17, 0.17, shade(grey, 0.68))
    if rng.chance(0.75):  # flight deck
        canvas.box(-0.485, start - 0.03, -0.36, 0.36, shade(grey, 0.66))
        middle = (-0.485 + start - 0.03) / 2
        canvas.circle(middle, 0.0, 0.24, (206, 206, 200), 1)
        canvas.line(-0.47, 0.0, start - 0.04, 0.0, (206, 206, 200), 1)


def _carrier(canvas: Canvas, vessel: Vessel, outline: Points, rng: RandomStream) -> None:
    deck = vary(rng, (84, 86, 88), 14)
    canvas.texture[:] = deck
    canvas.contour(outline, shade(deck, 1.3), 2)
    white = (200, 200, 192)
    canvas.line(-0.47, 0.05, 0.2, -0.4, white, 1)
    canvas.line(-0.47, 0.3, 0.26, -0.2, white, 1)
    canvas.line(0.0, 0.18, 0.48, 0.12, white, 1)
    island = rng.uniform(-0.2, 0.1)
    canvas.box(island, island + 0.09, 0.33, 0.44, shade((140, 144, 148), 1.1), 0.2 * vessel.width)
    for _ in range(rng.integer(0, 26)):
        x, y = rng.uniform(-0.42, 0.4), rng.choice((rng.uniform(0.22, 0.4), rng.uniform(-0.4, -0.3)))
        canvas.box(x, x + 0.03, y, y + 0.022, (168, 172, 174))
        canvas.box(x + 0.011, x + 0.02, y - 0.03, y + 0.05, (160, 164, 168), 0.02 * vessel.width)


def _submarine(canvas: Canvas, vessel: Vessel, outline: Points, rng: RandomStream) -> None:
    black = vary(rng, (46, 48, 52), 10)
    canvas.texture[:] = black
    canvas.polygon(outline * (0.96, 0.5), shade(black, 1.45))
    sail = rng.uniform(0.08, 0.22)
    canvas.box(sail, sail + 0.09, -0.16, 0.16, shade(black, 1.9), 0.4 * vessel.width)
    canvas.line(-0.4, 0.0, 0.4, 0.0, shade(black, 1.8), 1)


def _tug(canvas: Canvas, vessel: Vessel, outline: Points, rng: RandomStream) -> None:
    canvas.texture[:] = vary(rng, rng.choice(((120, 64, 50), (70, 92, 80), (96, 100, 104), (60, 74, 110))))
    canvas.contour(outline, rng.choice(((26, 26, 30), (36, 40, 60), (150, 50, 40))), max(canvas.rows // 6, 1))
    white = vary(rng, rng.choice(_WHITES), 8)
    start = rng.uniform(-0.12, 0.02)
    canvas.box(start, start + 0.36, -0.3, 0.3, shade(white, 0.9), 0.4 * vessel.width)
    canvas.box(start + 0.14, start + 0.3, -0.2, 0.2, white, 0.4 * vessel.width)
    canvas.box(start - 0.02, start + 0.06, -0.22, -0.08, (50, 50, 54), 0.2 * vessel.width)
    canvas.box(start - 0.02, start + 0.06, 0.08, 0.22, (50, 50, 54), 0.2 * vessel.width)
    canvas.circle(-0.3, 0.0, 0.08, (60, 60, 60))


def _fishing(canvas: Canvas, vessel: Vessel, outline: Points, rng: RandomStream) -> None:
    decks = (132, 104, 80), (92, 104, 100), (60, 110, 120), (150, 144, 132), (100, 60, 50), (70, 74, 80)
    canvas.texture[:] = vary(rng, rng.choice(decks))
    rim = rng.choice(((206, 204, 196), (40, 70, 130), (150, 44, 36), (40, 44, 50), (50, 100, 80)))
    canvas.contour(outline, vary(rng, rim, 10), max(canvas.rows // 7, 1))
    white = vary(rng, rng.choice(_WHITES), 14)
    start = rng.choice((rng.uniform(-0.42, -0.3), rng.uniform(0.0, 0.12)))
    canvas.box(start, start + rng.uniform(0.16, 0.28), -0.3, 0.3, white, 0.4 * vessel.width)
    canvas.box(start + 0.06, start + 0.13, -0.16, 0.16, shade(white, 0.75), 0.2 * vessel.width)
    for _ in range(rng.integer(0, 4)):
        x, y = rng.uniform(-0.4, 0.3), rng.uniform(-0.3, 0.2)
        gear = rng.choice(((60, 120, 90), (170, 90, 40), (50, 60, 90), (190, 186, 170), (50, 46, 44)))
        canvas.box(x, x + 0.08, y, y + 0.16, gear)
    canvas.line(rng.uniform(-0.4, -0.2), 0.0, rng.uniform(0.2, 0.4), 0.0, (190, 184, 160), 1)


def _yacht(canvas: Canvas, vessel: Vessel, outline: Points, rng: RandomStream) -> None:
    white = vary(rng, rng.choice(((236, 236, 232), (220, 222, 220), (206, 208, 206), (60, 70, 96))), 12)
    canvas.texture[:] = white
    canvas.contour(outline, shade(white, 0.72), 1)
    x, cockpit = rng.uniform(-0.3, -0.16), rng.choice(((150, 116, 84), (120, 124, 128), (60, 80, 130), (196, 190, 180)))
    canvas.box(-0.46, x, -0.32, 0.32, cockpit)
    start = rng.uniform(-0.2, -0.1)
    end = rng.uniform(0.08, 0.22)
    canvas.box(start, end, -0.27, 0.27, shade(white, 0.88), 0.2 * vessel.width)
    canvas.box(end - 0.06, end, -0.24, 0.24, (52, 58, 68))
    if rng.chance(0.35):  # sailing boat
        boom = rng.choice(((40, 60, 120), (230, 230, 226), (110, 40, 40)))
        canvas.line(-0.3, 0.0, 0.3, 0.0, boom, max(canvas.rows // 8, 1))


_RENDERERS: dict[str, Callable[[Canvas, Vessel, Points, RandomStream], None]] = {
    "bulk": _bulk, "cargo": _bulk, "container": _container, "tanker": _tanker, "ferry": _ferry, "warship": _warship,
    "carrier": _carrier, "submarine": _submarine, "tug": _tug, "fishing": _fishing, "yacht": _yacht,
}  # fmt: skip


def render_deck(vessel: Vessel, outline: Points, shadow: tuple[float, float]) -> Image:
    """Renders a ship's texture (rows, columns, 3), bow to the right.

    The outline (K, 2) is in unit coordinates; `shadow` is the shadow's direction in the ship's frame times the slope.
    """
    rng = RandomStream(vessel.seed)
    canvas = Canvas(vessel.length, vessel.width, shadow)
    _RENDERERS[vessel.kind](canvas, vessel, outline, rng)
    canvas.weather(rng, rng.uniform(0.05, 0.3))
    if rng.chance(0.3):
        # faded paint and poor light: some ships hardly differ from their surroundings
        keep = rng.uniform(0.55, 0.9)
        mean = float(np.mean(canvas.texture[::4, ::4])) * (1 - keep)
        canvas.texture = np.asarray(np.clip(canvas.texture * keep + mean, 0, 255), np.uint8)
    return canvas.texture
