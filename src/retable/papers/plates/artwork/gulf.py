"""Plates of the United Arab Emirates and of Saudi Arabia, with Arabic beside Latin."""

from __future__ import annotations

from retable.papers.plates.artwork import glyphs
from retable.papers.plates.artwork.canvas import Colour, Lettering, PlateCanvas, vary
from retable.papers.plates.artwork.formats import fill_pattern
from retable.papers.plates.artwork.frames import draw_surroundings
from retable.papers.plates.artwork.lettering import draw_lettering
from retable.synthetic.rng import RandomStream, Weighted

WHITE, BLACK, RED = (234, 235, 234), (24, 24, 26), (196, 40, 46)

_EMIRATES = Weighted(
    (("Dubai", "DUBAI", "دبي"), 4.0),
    (("AbuDhabi", "A.D", "أبوظبي"), 4.0),
    (("Sharjah", "SHJ", "الشارقة"), 2.0),
    (("Ajman", "AJMAN", "عجمان"), 1.0),
    (("Fujairah", "U.A.E", "الفجيرة"), 1.0),
    (("RasAlKhaimah", "R.A.K", "رأس الخيمة"), 1.0),
    (("UmmAlQuwain", "U.A.Q", "أم القيوين"), 0.6),
)


def emirati(rng: RandomStream, lines: int, scale: float) -> tuple[PlateCanvas, str]:
    """Draws a plate of one of the Emirates: a category, the emirate in two scripts, up to five digits."""
    width, height = (520.0, 112.0) if lines == 1 else (335.0, 155.0)
    margin, surroundings = draw_surroundings(rng)
    canvas = PlateCanvas(width, height, scale, vary(rng, WHITE), margin, surroundings)
    name, latin, arabic = _EMIRATES.draw(rng)
    digits = str(rng.integer(10 ** (n := rng.choice((2, 3, 4, 4, 4))), 10 ** (n + 1) - 1))
    lettering = draw_lettering(rng, 0.55)
    ink = vary(rng, BLACK, 10)
    if name == "AbuDhabi":
        category = str(rng.integer(1, 17))
        _abu_dhabi(canvas, rng, lines, category, digits, lettering, ink)
    else:
        category = rng.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ") if name != "Sharjah" else str(rng.integer(1, 3))
        modern = name == "Dubai" and rng.chance(0.35)  # the word as a logo in colours
        if lines == 1:
            y0, y1 = 0.17 * height, 0.83 * height
            canvas.text(category, (16, y0, 70, y1), lettering)
            end = rng.uniform(0.32, 0.4) * width
            if not modern:
                canvas.word(arabic, (92, 0.14 * height, end, 0.5 * height), glyphs.BOLD)
                canvas.word(latin, (92, 0.58 * height, end, 0.84 * height), glyphs.BOLD)
            canvas.text(digits, (end + 14, y0, width - 16, y1), lettering, rng.uniform(0.4, 1.0))
            canvas.print(ink)
            if modern:
                _logo(canvas, rng, (90, 0.22 * height, end, 0.78 * height))
        elif rng.chance(0.75):
            canvas.text(f"{category} {digits}", (16, 0.12 * height, width - 16, 0.56 * height), lettering)
            if not modern:
                canvas.word(latin, (26, 0.68 * height, 0.52 * width, 0.9 * height), glyphs.BOLD)
                canvas.word(arabic, (0.56 * width, 0.64 * height, width - 26, 0.92 * height), glyphs.BOLD)
            canvas.print(ink)
            if modern:
                _logo(canvas, rng, (0.3 * width, 0.62 * height, 0.7 * width, 0.92 * height))
        else:
            canvas.text(category, (0.66 * width, 0.1 * height, width - 20, 0.45 * height), lettering)
            canvas.text(digits, (30, 0.5 * height, width - 24, 0.92 * height), lettering)
            canvas.print(ink)
            _logo(canvas, rng, (20, 0.12 * height, 0.4 * width, 0.36 * height))
    canvas.border(ink, rng.uniform(1.5, 3), 2.5)
    return canvas, category + digits


def _abu_dhabi(
    canvas: PlateCanvas,
    rng: RandomStream,
    lines: int,
    category: str,
    digits: str,
    lettering: Lettering,
    ink: Colour,
) -> None:
    width, height = canvas.width, canvas.height
    red = vary(rng, RED, 12)
    if lines == 2:
        canvas.box(0, 0, width, 0.4 * height, red)
        canvas.word("الامارات", (0.64 * width, 0.05 * height, 0.94 * width, 0.22 * height))
        canvas.word("أبوظبي", (0.06 * width, 0.05 * height, 0.36 * width, 0.22 * height))
        canvas.word("A.D", (0.12 * width, 0.26 * height, 0.28 * width, 0.36 * height))
        canvas.word("U.A.E", (0.68 * width, 0.26 * height, 0.88 * width, 0.36 * height))
        canvas.text(category, (0.4 * width, 0.07 * height, 0.6 * width, 0.34 * height), lettering)
        canvas.print(vary(rng, WHITE))
        canvas.text(digits, (24, 0.47 * height, width - 24, 0.9 * height), lettering)
        canvas.print(ink)
        return
    y0, y1 = 0.17 * height, 0.83 * height
    end = 0.34 * width
    plain = rng.chance(0.2)  # the newest ones: an emblem, no red
    if plain:
        canvas.text(category, (16, 0.3 * height, 56, 0.7 * height), lettering)
        canvas.print(ink)
        canvas.disc(104, 0.42 * height, 18, red, 5)
        canvas.disc(104, 0.42 * height, 9, red)
    else:
        canvas.box(0, 0, 74, height, red)
        canvas.text(category, (14, 0.25 * height, 62, 0.75 * height), lettering)
        canvas.print(vary(rng, WHITE))
        canvas.word("الامارات", (84, 0.1 * height, end, 0.34 * height))
        canvas.word("أبوظبي", (84, 0.42 * height, end, 0.64 * height))
    canvas.word("U.A.E   A.D", (84, 0.74 * height, end, 0.88 * height))
    canvas.text(digits, (end + 14, y0, width - 16, y1), lettering, rng.uniform(0.4, 1.0))
    canvas.print(ink)


def _logo(canvas: PlateCanvas, rng: RandomStream, box: tuple[float, float, float, float]) -> None:
    x0, y0, x1, y1 = box
    step = (x1 - x0) / 5
    colours = (30, 110, 180), (200, 50, 60), (30, 110, 180), (40, 44, 52), (200, 50, 60)
    for number, (letter, colour) in enumerate(zip("DUBAI", colours, strict=True)):
        canvas.text(letter, (x0 + number * step, y0, x0 + (number + 1) * step, y1), Lettering(glyphs.BOLD, width=0.6))
        canvas.print(vary(rng, colour))


_PAIRS = {
    "A": "ا", "B": "ب", "J": "ح", "D": "د", "R": "ر", "S": "س", "X": "ص", "T": "ط", "E": "ع", "G": "ق", "K": "ك",
    "L": "ل", "Z": "م", "N": "ن", "H": "ه", "U": "و", "V": "ى",
}  # fmt: skip
_DIGITS = "٠١٢٣٤٥٦٧٨٩"


def saudi(rng: RandomStream, lines: int, scale: float) -> tuple[PlateCanvas, str]:
    """Draws a Saudi plate: cells of digits and of letters, each in both scripts, and a strip with the emblem.

    One line is the long plate, two lines the short one: both carry Arabic over Latin.
    """
    width, height = (520.0, 110.0) if lines == 1 else (310.0, 155.0)
    margin, surroundings = draw_surroundings(rng)
    canvas = PlateCanvas(width, height, scale, vary(rng, WHITE), margin, surroundings)
    count = rng.choice((4, 4, 4, 4, 3, 2, 1))
    digits = str(rng.integer(1, 9)) + fill_pattern(rng, "0" * (count - 1))
    letters = "".join(rng.choice(tuple(_PAIRS)) for _ in range(3 if rng.chance(0.95) else 2))
    ink = vary(rng, BLACK, 12)
    strip = Weighted((None, 8.0), ((60, 110, 190), 1.2), ((236, 196, 40), 0.8), ((60, 160, 90), 0.3)).draw(rng)
    middle = height / 2
    if lines == 1:
        cells = (4.0, 0.47 * width), (0.61 * width, width - 4)
        band = (0.47 * width, 0.0, 0.61 * width, height)
    else:
        cells = (4.0, 0.5 * width), (0.5 * width, 0.86 * width)
        band = (0.86 * width, 0.0, width, height)
    if strip is not None:
        canvas.box(*band, vary(rng, strip))
    latin = Lettering(
        rng.choice((glyphs.SANS, glyphs.MODERN)), rng.integer(1, 3), width=0.55, gap=0.55 if lines == 1 else 0.2
    )
    arabic = Lettering(glyphs.SANS, rng.integer(1, 3), width=0.55, gap=0.25)
    tall = 0.34 * height
    _row(canvas, "".join(_DIGITS[int(digit)] for digit in digits), cells[0], (middle - 0.06 * height, tall), arabic)
    canvas.text(digits, (cells[0][0] + 6, middle + 0.09 * height, cells[0][1] - 6, middle + 0.42 * height), latin)
    # Arabic letters run from right to left: the first Latin letter stands under the last Arabic one
    _row(canvas, "".join(_PAIRS[letter] for letter in letters), cells[1], (middle - 0.06 * height, tall), arabic)
    canvas.text(letters, (cells[1][0] + 6, middle + 0.09 * height, cells[1][1] - 6, middle + 0.42 * height), latin)
    x = (band[0] + band[2]) / 2
    half = 0.4 * (band[2] - band[0])
    if lines == 1:
        canvas.word("السعودية", (x - half, 0.34 * height, x + half, 0.46 * height))
        canvas.word("KSA", (x - half, 0.53 * height, x + half, 0.7 * height))
    else:
        for number, letter in enumerate("KSA"):
            y = (0.4 + 0.12 * number) * height
            canvas.text(letter, (x - half, y, x + half, y + 0.09 * height), Lettering(glyphs.BOLD))
    canvas.print(ink, relief=rng.choice((0.0, 16.0)))
    canvas.disc(x, 0.13 * height, 0.05 * height, ink)  # the palm above two swords
    canvas.line(x - 0.3 * half, 0.27 * height, x + 0.3 * half, 0.19 * height, ink, 1.5)
    canvas.line(x + 0.3 * half, 0.27 * height, x - 0.3 * half, 0.19 * height, ink, 1.5)
    canvas.disc(x, 0.86 * height, 0.055 * height, ink)
    for start, end in cells:
        canvas.line(start, middle, end, middle, ink, 2)
    for place in (band[0], *((band[2],) if lines == 1 else (cells[0][1],))):
        canvas.line(place, 3, place, height - 3, ink, 2)
    canvas.border(ink, 3, 3)
    return canvas, digits + letters


def _row(
    canvas: PlateCanvas, signs: str, cell: tuple[float, float], place: tuple[float, float], lettering: Lettering
) -> None:
    """Writes Arabic digits or single letters, which differ in height and keep their proportions."""
    bottom, tall = place
    step = (cell[1] - cell[0] - 10) / max(len(signs), 3)
    x = (cell[0] + cell[1] - step * len(signs)) / 2
    for sign in signs:
        high = 0.35 * tall if sign == "٠" else tall
        lift = (tall - high) / 2
        canvas.word(sign, (x + 0.1 * step, bottom - lift - high, x + 0.9 * step, bottom - lift), lettering.font)
        x += step
