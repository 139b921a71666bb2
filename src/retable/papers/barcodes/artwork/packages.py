"""Sides of packages: paper, text, tables, logos, pictures and stripes, but no barcodes."""

from __future__ import annotations

from functools import cache
from typing import Final

import cv2
import numpy as np

from retable.papers.barcodes.artwork.colours import PAPERS, Colour, luminance, vary
from retable.synthetic.noise import fractal_noise, window
from retable.synthetic.raster import Image
from retable.synthetic.rng import RandomStream

PACKAGES: Final = 96  # of one process
WIDTH, HEIGHT = 640, 480
_SEED: Final = 20201128
_WORDS: Final = (
    "INGREDIENTS", "sugar", "water", "salt", "di", "con", "per", "the", "Best before", "see lid", "Nutrition", "kcal",
    "100 g", "energy", "fat", "protein", "made in", "EU", "Lot", "recycle", "Contains", "milk", "nuts", "store in",
    "a cool", "dry place", "e 250 g", "500 ml", "www", "com", "Art. 4471", "tel", "Zutaten", "Wasser", "sucre", "eau",
    "farine", "avec", "NEW", "BIO", "EXTRA", "Classic", "original", "2 x", "AAA", "12 V", "CE", "paper", "warning",
)  # fmt: skip


@cache
def package(number: int) -> tuple[Image, Colour]:
    """Returns a package's side, uint8 (HEIGHT, WIDTH, 3), not to be changed, and its paper's colour.

    Args:
        number: Which one, below `PACKAGES`.
    """
    rng = RandomStream(_SEED, number)
    paper = vary(rng, PAPERS.draw(rng), 16)
    image = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    image[:] = paper
    ink = _ink(rng, paper)
    for _ in range(rng.choice((0, 1, 1, 2, 3))):
        _patch(image, rng)
    for _ in range(rng.choice((0, 1, 2, 3))):
        _logo(image, rng)
    for _ in range(rng.choice((1, 2, 3, 5, 7))):
        _text(image, rng, ink)
    for drawn, probability in ((_table, 0.25), (_stripes, 0.35), (_squares, 0.15), (_pictograms, 0.4)):
        if rng.chance(probability):
            drawn(image, rng, ink)
    if rng.chance(0.5):  # paper has a grain, foil and cloth more of it
        grain = window(fractal_noise(rng.choice((0.3, 0.8, 1.4))), rng, HEIGHT, WIDTH)
        strength = rng.uniform(0.03, 0.25)
        image = cv2.addWeighted(image, 1.0, cv2.cvtColor(grain, cv2.COLOR_GRAY2RGB), strength, -128.0 * strength)
    return np.asarray(image, np.uint8), paper


def _ink(rng: RandomStream, paper: Colour) -> Colour:
    return vary(rng, (24, 24, 26), 20) if luminance(paper) > 120 else vary(rng, (236, 236, 230), 16)


def _box(rng: RandomStream, least: float, most: float) -> tuple[int, int, int, int]:
    width, height = rng.log_uniform(least, most) * WIDTH, rng.log_uniform(least, most) * HEIGHT
    x, y = rng.uniform(-0.5 * width, WIDTH - 0.5 * width), rng.uniform(-0.5 * height, HEIGHT - 0.5 * height)
    return round(x), round(y), round(x + width), round(y + height)


def _patch(image: Image, rng: RandomStream) -> None:
    """A field of another colour, a band, or a picture."""
    x0, y0, x1, y1 = _box(rng, 0.2, 1.5)
    x0, y0 = max(x0, 0), max(y0, 0)
    part = image[y0:y1, x0:x1]
    if not part.size:
        return
    part[:] = vary(rng, PAPERS.draw(rng), 20)
    if rng.chance(0.3):
        noise = window(fractal_noise(rng.choice((1.0, 1.8))), rng, *part.shape[:2])
        part[:] = cv2.addWeighted(part, 1.0, cv2.applyColorMap(noise, rng.integer(0, 20)), 0.5, -50.0)


def _logo(image: Image, rng: RandomStream) -> None:
    colour = vary(rng, PAPERS.draw(rng), 20)
    x0, y0, x1, y1 = _box(rng, 0.1, 0.6)
    centre = (x0 + x1) // 2, (y0 + y1) // 2
    if rng.chance(0.4):
        cv2.ellipse(
            image, centre, ((x1 - x0) // 2, (y1 - y0) // 2), rng.uniform(0, 180), 0, 360, colour, -1, cv2.LINE_AA
        )
    elif rng.chance(0.5):
        count = rng.integer(3, 7)
        radii = [rng.uniform(0.3, 1.0) * (x1 - x0) / 2 for _ in range(count)]
        angles = np.sort([rng.uniform(0, 2 * np.pi) for _ in range(count)])
        corners = np.stack([np.cos(angles) * radii, np.sin(angles) * radii], 1) + centre
        cv2.fillPoly(image, [corners.round().astype(np.int32)], colour, cv2.LINE_AA)
    size = rng.log_uniform(1.2, 5.0)
    font = rng.choice((cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_SCRIPT_COMPLEX, cv2.FONT_HERSHEY_DUPLEX))
    word = rng.choice(_WORDS).upper() if rng.chance(0.5) else rng.choice(_WORDS)
    cv2.putText(image, word, (x0, y1), font, size, _ink(rng, colour), max(1, round(2.5 * size)), cv2.LINE_AA)


def _text(image: Image, rng: RandomStream, ink: Colour) -> None:
    """Some lines of words."""
    x0, y0, x1, y1 = _box(rng, 0.15, 0.7)
    size = rng.log_uniform(0.28, 1.0)
    font = rng.choice((cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX))
    thickness = 1 if rng.chance(0.6) else 2
    step = 21 * size * rng.uniform(1.4, 2.0)
    for line in range(max(1, int((y1 - y0) / step))):
        letters = max(1, int((x1 - x0) * rng.uniform(0.7, 1.0) / (18 * size)))
        words = ""
        while len(words) < letters:
            words += rng.choice(_WORDS) + " "
        place = (x0, round(y0 + line * step))
        cv2.putText(image, words[:letters], place, font, size, ink, thickness, cv2.LINE_AA)


def _table(image: Image, rng: RandomStream, ink: Colour) -> None:
    x0, y0, x1, y1 = _box(rng, 0.2, 0.5)
    rows = rng.integer(3, 12)
    for row in range(rows + 1):
        y = round(y0 + row * (y1 - y0) / rows)
        cv2.line(image, (x0, y), (x1, y), ink, 1)
        size = min(0.5 * (y1 - y0) / rows / 21, 0.8)
        cv2.putText(image, rng.choice(_WORDS), (x0 + 4, y - 3), cv2.FONT_HERSHEY_SIMPLEX, size, ink, 1, cv2.LINE_AA)
    for x in (x0, (x0 + x1) // 2, x1):
        cv2.line(image, (x, y0), (x, y1), ink, 1)


def _stripes(image: Image, rng: RandomStream, ink: Colour) -> None:
    """Parallel stripes that are no code: all alike, or too few and too many in width."""
    x0, y0, x1, y1 = _box(rng, 0.15, 0.8)
    colour = ink if rng.chance(0.5) else vary(rng, PAPERS.draw(rng), 20)
    period = rng.log_uniform(5.0, 40.0)
    regular = rng.chance(0.7)
    upright = rng.chance(0.5)
    place = float(x0 if upright else y0)
    while place < (x1 if upright else y1):
        wide = max(1, round(period * (0.5 if regular else rng.uniform(0.1, 0.9))))
        at = round(place)
        first, last = ((at, y0), (at, y1)) if upright else ((x0, at), (x1, at))
        cv2.line(image, first, last, colour, wide)
        place += period if regular else wide + rng.uniform(0.2, 1.5) * period


def _squares(image: Image, rng: RandomStream, ink: Colour) -> None:
    """A square code: QR, Data Matrix."""
    count, cell = rng.integer(14, 33), rng.integer(2, 6)
    side = count * cell
    x, y = rng.integer(0, WIDTH - side), rng.integer(0, HEIGHT - side)
    cells = (rng.generator.random((count, count)) < 0.5).astype(np.uint8)
    for row, column in ((0, 0), (0, count - 7), (count - 7, 0)):
        cells[row : row + 7, column : column + 7] = 1
        cells[row + 1 : row + 6, column + 1 : column + 6] = 0
        cells[row + 2 : row + 5, column + 2 : column + 5] = 1
    large = np.repeat(np.repeat(cells, cell, 0), cell, 1)[..., None]
    image[y : y + side, x : x + side] = np.where(large, 20, 240)


def _pictograms(image: Image, rng: RandomStream, ink: Colour) -> None:
    x, y, side = rng.uniform(0, 0.8) * WIDTH, rng.uniform(0.05, 0.95) * HEIGHT, rng.uniform(20, 70)
    for _ in range(rng.integer(1, 4)):
        centre = round(x), round(y)
        if rng.chance(0.5):
            cv2.circle(image, centre, round(side / 2), ink, 2, cv2.LINE_AA)
        else:
            corner = round(x - side / 2), round(y - side / 2)
            cv2.rectangle(image, corner, (round(x + side / 2), round(y + side / 2)), ink, 2)
        reach = round(side / 3)
        for _ in range(2):
            first = centre[0] + rng.integer(-reach, reach), centre[1] + rng.integer(-reach, reach)
            cv2.line(image, first, centre, ink, 3, cv2.LINE_AA)
        x += 1.3 * side
