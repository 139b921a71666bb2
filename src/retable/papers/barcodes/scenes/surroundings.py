"""What is behind the packages: tables, walls, floors, cloth, shelves, things with stripes."""

from __future__ import annotations

import math
from functools import cache
from typing import Final

import cv2
import numpy as np

from retable.papers.barcodes.artwork.colours import Colour, vary
from retable.papers.barcodes.artwork.packages import PACKAGES, package
from retable.synthetic.noise import fractal_noise, wave_noise, window
from retable.synthetic.raster import Image
from retable.synthetic.rng import RandomStream, Weighted

PLACES: Final = 64  # of one process
WIDTH, HEIGHT = 720, 540
_SEED: Final = 20201129
_GROUNDS: Final[Weighted[Colour]] = Weighted(
    ((226, 224, 220), 3.0), ((150, 150, 152), 2.0), ((70, 66, 64), 2.0), ((26, 26, 28), 1.5), ((176, 132, 88), 3.0),
    ((206, 180, 146), 2.0), ((96, 64, 44), 1.5), ((90, 110, 140), 1.0), ((150, 60, 50), 0.7), ((110, 130, 90), 0.7),
)  # fmt: skip


@cache
def place(number: int) -> Image:
    """Returns a background, uint8 (HEIGHT, WIDTH, 3), not to be changed, by its number below `PLACES`."""
    rng = RandomStream(_SEED, number)
    image = _surface(rng, HEIGHT, WIDTH)
    if rng.chance(0.6):  # a wall behind a table, a floor behind a knee
        row = round(rng.uniform(0.2, 0.8) * HEIGHT)
        image[:row] = _surface(rng, row, WIDTH)
    for _ in range(rng.choice((0, 1, 2, 3, 5))):
        _thing(image, rng)
    for drawn, probability in ((_rails, 0.35), (_fan, 0.12), (_tiles, 0.2)):
        if rng.chance(probability):
            drawn(image, rng)
    return image


def draw_surroundings(rng: RandomStream, width: int, height: int) -> Image:
    """Cuts a view of a place out of the stock, uint8 (height, width, 3)."""
    whole = place(rng.integer(0, PLACES - 1))
    wide, high = width, height
    if rng.chance(0.6) or width > WIDTH or height > HEIGHT:  # otherwise as large as it is, which takes no time
        wide = round(WIDTH * rng.uniform(0.35, 1.0))
        high = min(round(wide * height / width), HEIGHT)
    x, y = rng.integer(0, WIDTH - wide), rng.integer(0, HEIGHT - high)
    view = whole[y : y + high, x : x + wide]
    if (wide, high) == (width, height):
        return view.copy()
    image = cv2.resize(view, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.flip(image, 1) if rng.chance(0.5) else image, np.uint8)


def _surface(rng: RandomStream, height: int, width: int) -> Image:
    colour = vary(rng, _GROUNDS.draw(rng), 24)
    kind = rng.random()
    if kind < 0.5:
        texture = fractal_noise(rng.choice((0.4, 0.9, 1.5, 2.0)))
    elif kind < 0.75:  # wood
        texture = wave_noise(rng.choice((12.0, 24.0, 48.0)), 1.0, 12)
    else:  # cloth, carpets
        texture = wave_noise(rng.choice((6.0, 10.0, 40.0)), 0.3)
    grain = window(texture, rng, height, width)
    strength = rng.uniform(0.1, 0.7)
    flat = np.empty((height, width, 3), np.uint8)
    flat[:] = colour
    return np.asarray(
        cv2.addWeighted(flat, 1.0, cv2.cvtColor(grain, cv2.COLOR_GRAY2RGB), strength, -128.0 * strength), np.uint8
    )


def _thing(image: Image, rng: RandomStream) -> None:
    """A package in the distance, or a thing of one colour."""
    side = rng.log_uniform(80, 400)
    high = side * rng.uniform(0.4, 1.2)
    angle = rng.triangular(0.5)
    x, y = rng.uniform(0, WIDTH), rng.uniform(0, HEIGHT)
    corners = np.array([(-side, -high), (side, -high), (side, high), (-side, high)]) / 2
    turn = np.array([(math.cos(angle), math.sin(angle)), (-math.sin(angle), math.cos(angle))])
    corners = corners @ turn + (x, y)
    if rng.chance(0.5):
        printed, _ = package(rng.integer(0, PACKAGES - 1))
        rows, columns = printed.shape[:2]
        own = np.array([(0, 0), (columns, 0), (columns, rows)], np.float32)
        matrix = cv2.getAffineTransform(own, corners[:3].astype(np.float32))
        cv2.warpAffine(printed, matrix, (WIDTH, HEIGHT), dst=image, borderMode=cv2.BORDER_TRANSPARENT)
    else:
        colour = vary(rng, _GROUNDS.draw(rng), 40)
        cv2.fillConvexPoly(image, corners.round().astype(np.int32), colour, cv2.LINE_AA)


def _rails(image: Image, rng: RandomStream) -> None:
    """Blinds, radiators, a fan's grille, planks: parallel lines that are no code."""
    period = rng.log_uniform(6, 60)
    colour = vary(rng, _GROUNDS.draw(rng), 30)
    x0, y0 = rng.uniform(-0.2, 0.8) * WIDTH, rng.uniform(-0.2, 0.8) * HEIGHT
    x1, y1 = x0 + rng.uniform(0.2, 0.8) * WIDTH, y0 + rng.uniform(0.2, 0.8) * HEIGHT
    thickness = max(1, round(period * rng.uniform(0.15, 0.7)))
    slant = rng.triangular(0.3) * (y1 - y0)
    level = rng.chance(0.5)
    step = y0 if level else x0
    while step < (y1 if level else x1):
        ends = ((x0, step), (x1, step + slant)) if level else ((step, y0), (step + slant, y1))
        (ax, ay), (bx, by) = ends
        cv2.line(image, (round(ax), round(ay)), (round(bx), round(by)), colour, thickness, cv2.LINE_AA)
        step += period


def _fan(image: Image, rng: RandomStream) -> None:
    """A fan's or a wheel's wires: lines from a middle outwards."""
    cx, cy, reach = rng.uniform(0, WIDTH), rng.uniform(0, HEIGHT), rng.log_uniform(60, 300)
    colour = vary(rng, _GROUNDS.draw(rng), 30)
    wires, thickness = rng.integer(16, 90), rng.integer(1, 4)
    for wire in range(wires):
        angle = math.tau * wire / wires
        first = round(cx + 0.25 * reach * math.cos(angle)), round(cy + 0.25 * reach * math.sin(angle))
        last = round(cx + reach * math.cos(angle)), round(cy + reach * math.sin(angle))
        cv2.line(image, first, last, colour, thickness, cv2.LINE_AA)
    cv2.circle(image, (round(cx), round(cy)), round(reach), colour, thickness + 2, cv2.LINE_AA)


def _tiles(image: Image, rng: RandomStream) -> None:
    side = rng.log_uniform(40, 200)
    joint = vary(rng, _GROUNDS.draw(rng), 20)
    top = round(rng.uniform(0, 0.7) * HEIGHT)
    for row in range(int((HEIGHT - top) / side) + 1):
        y = round(top + row * side)
        cv2.line(image, (0, y), (WIDTH, y), joint, 3)
    for column in range(int(WIDTH / side) + 1):
        x = round(column * side)
        cv2.line(image, (x, top), (x, HEIGHT), joint, 3)
        for row in range(int((HEIGHT - top) / side) + 1):
            if (row + column) % 2:
                centre = round(x + side / 2), round(top + (row + 0.5) * side)
                cv2.ellipse(image, centre, (round(0.35 * side), round(0.2 * side)), 45, 0, 360, joint, 2, cv2.LINE_AA)
