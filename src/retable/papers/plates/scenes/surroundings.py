"""Streets, walls, hedges and skies behind vehicles, and things with letters that are no plates."""

from __future__ import annotations

from functools import cache
from typing import Final

import cv2
import numpy as np

from retable.papers.plates.artwork import glyphs
from retable.papers.plates.artwork.canvas import Colour, PlateCanvas, vary
from retable.papers.plates.artwork.formats import fill_pattern
from retable.synthetic.noise import fractal_noise, window
from retable.synthetic.raster import Image
from retable.synthetic.rng import RandomStream, Weighted

SIGNS: Final = 120  # of one process
_SEED: Final = 20201123
_WORDS = (
    "SALE", "OPEN", "HOTEL", "PARKING", "BANK", "CAFE", "PIZZA", "EXIT", "STOP", "TAXI", "PHARMACY", "REPAIR", "TYRES",
    "FOR RENT", "NO ENTRY", "24 HOURS", "CALL NOW", "SCHOOL", "BAKERY", "MARKET", "SUPER", "50%", "CAR WASH", "SHELL",
    "MOBILE", "DENTAL", "RESIDENT", "REFERRAL", "KEEP LEFT", "Autoservis", "ESTAMOS", "SPEED", "BUS STOP", "LIVE",
    "FM 98.3", "فندق", "مخبز", "بنك", "دبي", "السعودية",
)  # fmt: skip
_GROUNDS: Weighted[Colour] = Weighted(
    ((118, 117, 116), 5.0), ((150, 146, 140), 3.0), ((86, 86, 88), 3.0), ((150, 120, 92), 1.5), ((96, 120, 72), 1.0),
    ((186, 184, 180), 1.0), ((140, 88, 72), 0.6),
)  # fmt: skip
_WALLS: Weighted[Colour] = Weighted(
    ((196, 178, 160), 3.0), ((166, 164, 160), 3.0), ((130, 82, 66), 1.5), ((220, 218, 212), 2.0), ((96, 104, 112), 1.5),
    ((64, 66, 70), 1.0), ((176, 150, 96), 0.7), ((90, 130, 170), 0.5),
)  # fmt: skip


@cache
def sign(number: int) -> Image:
    """Returns a shop's sign, an advert, a road sign or a lettered board, by its number below `SIGNS`."""
    rng = RandomStream(_SEED, number)
    width = rng.log_uniform(120, 520)
    height = width / rng.log_uniform(0.6, 5.5)
    paper = vary(
        rng,
        rng.choice(((236, 236, 232), (228, 200, 40), (190, 34, 40), (30, 70, 150), (24, 110, 70), (28, 28, 30))),
        14,
    )
    canvas = PlateCanvas(
        width, height, 200 / width, paper, rng.choice((0.0, 0.02 * width)), vary(rng, (90, 90, 92), 40)
    )
    ink = (26, 26, 28) if sum(paper) > 420 else (238, 238, 234)
    if rng.chance(0.3):
        ink = vary(rng, rng.choice(((190, 34, 40), (30, 60, 150), (240, 220, 60))), 10)
    lines = max(1, min(4, round(height / width * rng.uniform(2.0, 5.0))))
    step = height / lines
    for line in range(lines):
        text = rng.choice(_WORDS)
        if rng.chance(0.25):
            text = fill_pattern(rng, rng.choice(("000 0000", "00", "@0", "000-000-0000", "+00 00000", "0.00", "00:00")))
        font = (
            glyphs.BOLD if not text.isascii() else rng.choice((glyphs.BOLD, glyphs.SANS, glyphs.SERIF, glyphs.SCRIPT))
        )
        inset = rng.uniform(0.1, 0.3) * step
        canvas.word(text, (0.06 * width, line * step + inset, 0.94 * width, (line + 1) * step - inset), font)
    canvas.print(ink)
    if rng.chance(0.4):
        canvas.border(ink, 0.012 * width, 0.02 * width)
    canvas.weather(rng, rng.uniform(0.02, 0.25))
    return canvas.image


def cover(image: Image, rng: RandomStream, colour: Colour, roughness: float, strength: float) -> None:
    """Turns a picture (H, W, 3) into a rough surface, in place; `roughness` of 0.5 is asphalt, 1.6 a plastered wall."""
    height, width = image.shape[:2]
    if not image.size:
        return
    grey = window(fractal_noise(roughness), rng, height, width)
    weak = cv2.convertScaleAbs(grey, alpha=strength, beta=128.0 * (1.0 - strength))
    cv2.cvtColor(weak, cv2.COLOR_GRAY2RGB, dst=image)
    red, green, blue = colour
    cv2.add(image, (red - 128, green - 128, blue - 128, 0), dst=image)


def draw_street(rng: RandomStream, size: int) -> Image:
    """Draws a place where vehicles stand, uint8 (size, size, 3)."""
    horizon = round(size * (rng.uniform(0.25, 0.6) if rng.chance(0.8) else rng.uniform(0.02, 0.2)))
    image = np.empty((size, size, 3), np.uint8)
    ground = vary(rng, _GROUNDS.draw(rng), 16)
    roughness = rng.choice((0.45, 0.7, 1.0))
    cover(image[horizon:], rng, ground, roughness, rng.uniform(0.1, 0.35))
    kind = rng.random()
    if kind < 0.5:
        wall = vary(rng, _WALLS.draw(rng), 16)
        cover(image[:horizon], rng, wall, 1.6, rng.uniform(0.05, 0.3))
        _windows(image[:horizon], rng, wall)
    elif kind < 0.75:
        cover(image[:horizon], rng, vary(rng, (66, 92, 48), 20), 0.8, rng.uniform(0.4, 0.8))
    else:
        cover(image[:horizon], rng, vary(rng, (190, 206, 224), 20), 1.9, 0.25)
        _skyline(image[:horizon], rng)
    _ground_lines(image, rng, horizon)
    for _ in range(rng.choice((0, 1, 2, 4, 6))):
        _furniture(image, rng, horizon)
    return image


def _furniture(image: Image, rng: RandomStream, horizon: int) -> None:
    """Draws a post, a tree, a gate or a box that stands by the road."""
    size = image.shape[0]
    x, foot = rng.uniform(0, size), horizon + rng.uniform(-0.02, 0.15) * size
    kind = rng.random()
    if kind < 0.4:
        wide, tall = rng.uniform(3, 14), rng.uniform(0.1, 0.6) * size
        colour = vary(rng, rng.choice(((60, 62, 64), (200, 180, 60), (150, 150, 150), (120, 90, 66))), 20)
        cv2.rectangle(image, (round(x), round(foot - tall)), (round(x + wide), round(foot)), colour, cv2.FILLED)
    elif kind < 0.65:
        trunk, crown = vary(rng, (80, 66, 52), 14), vary(rng, (60, 90, 44), 24)
        radius = rng.uniform(0.05, 0.22) * size
        cv2.line(
            image, (round(x), round(foot)), (round(x), round(foot - 2 * radius)), trunk, max(2, round(0.12 * radius))
        )
        for _ in range(7):
            place = round(x + rng.triangular(0.9) * radius), round(foot - 2 * radius + rng.triangular(0.8) * radius)
            shade = vary(rng, crown, 14)
            cv2.circle(image, place, round(rng.uniform(0.3, 0.7) * radius), shade, cv2.FILLED, cv2.LINE_AA)
    elif kind < 0.85:
        wide, tall = rng.uniform(0.1, 0.5) * size, rng.uniform(0.05, 0.25) * size
        bar = vary(rng, rng.choice(((30, 32, 34), (190, 190, 186), (90, 60, 44))), 16)
        step = max(4, round(rng.uniform(0.01, 0.03) * size))
        for column in range(round(x), round(x + wide), step):
            cv2.line(image, (column, round(foot - tall)), (column, round(foot)), bar, max(1, step // 5))
        for level in (0.1, 0.9):
            row = round(foot - level * tall)
            cv2.line(image, (round(x), row), (round(x + wide), row), bar, max(2, step // 4))
    else:
        wide, tall = rng.uniform(0.04, 0.3) * size, rng.uniform(0.04, 0.3) * size
        box = (round(x), round(foot - tall), round(wide), round(tall))
        cv2.rectangle(image, box, vary(rng, _WALLS.draw(rng), 30), cv2.FILLED)
        cv2.rectangle(image, box, vary(rng, (60, 60, 60), 20), 2)


def _windows(wall: Image, rng: RandomStream, colour: Colour) -> None:
    """Draws rows of windows or doors, shutters, bars, bricks."""
    height, width = wall.shape[:2]
    kind = rng.random()
    dark = vary(rng, (50, 58, 66), 24)
    if kind < 0.6:
        step = rng.uniform(0.08, 0.3) * width
        tall = min(rng.uniform(0.5, 1.2) * step, 0.8 * height)
        for row in range(int(height / (1.4 * tall + 1)) + 1):
            for column in range(int(width / step) + 1):
                x, y = int(column * step), int(row * 1.4 * tall + 0.1 * tall)
                cv2.rectangle(wall, (x, y), (int(x + 0.6 * step), int(y + tall)), dark, cv2.FILLED)
                cv2.rectangle(wall, (x, y), (int(x + 0.6 * step), int(y + tall)), vary(rng, (200, 200, 196)), 2)
    elif kind < 0.8:
        step = rng.integer(6, 26)
        shade = vary(rng, tuple(int(0.75 * value) for value in colour))  # type: ignore[arg-type]
        for y in range(0, height, step):
            cv2.line(wall, (0, y), (width, y), shade, max(1, step // 5))
    else:
        step = rng.integer(8, 30)
        for x in range(0, width, step):
            cv2.line(wall, (x, 0), (x, height), dark, max(1, step // 5))


def _skyline(sky: Image, rng: RandomStream) -> None:
    height, width = sky.shape[:2]
    x = 0
    while x < width:
        wide, tall = rng.integer(40, 180), rng.integer(height // 8, max(height // 8 + 1, height * 3 // 4))
        colour = vary(rng, rng.choice(((120, 116, 110), (70, 92, 60), (150, 130, 110), (60, 70, 66))), 16)
        cv2.rectangle(sky, (x, height - tall), (x + wide, height), colour, cv2.FILLED)
        x += wide + rng.integer(-20, 60)


def _ground_lines(image: Image, rng: RandomStream, horizon: int) -> None:
    """Draws kerbs, road markings, slabs and shadows."""
    size = image.shape[0]
    vanishing = rng.uniform(-0.5, 1.5) * size
    if rng.chance(0.5):
        kerb = round(horizon + rng.uniform(0.0, 0.12) * size)
        cv2.rectangle(image, (0, horizon), (size, kerb), vary(rng, (160, 158, 152), 24), cv2.FILLED)
    if rng.chance(0.55):
        paint = vary(rng, rng.choice(((226, 226, 222), (222, 186, 60))), 12)
        for _ in range(rng.integer(1, 4)):
            x = rng.uniform(-0.5, 1.5) * size
            wide = rng.uniform(4, 16)
            corners = np.array([(vanishing, horizon), (vanishing + 2, horizon), (x + wide, size), (x - wide, size)])
            cv2.fillConvexPoly(image, corners.round().astype(np.int32), paint, cv2.LINE_AA)
    if rng.chance(0.15):
        leaves = window(fractal_noise(1.5, 200.0), rng, size - horizon, size)
        dark = cv2.threshold(leaves, rng.uniform(100, 150), 255, cv2.THRESH_BINARY)[1]  # the shade of a tree
        ground = image[horizon:]
        cv2.copyTo(cv2.convertScaleAbs(ground, alpha=0.6), dark, ground)
