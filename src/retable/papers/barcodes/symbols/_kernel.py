"""Symbols as a camera sees them, pixel by pixel."""

from __future__ import annotations

import numpy as np
from numba import types

from retable.kernels import compiled
from retable.papers.barcodes.symbols.bars import FINE


def _render(image, profiles, across, sides, rows, curve, light, noise, strength, glyphs, digits, below, values, lit):  # type: ignore[no-untyped-def]
    """Draws a symbol.

    Args:
        image: uint8 (H, W), is filled.
        profiles: float32 (2, P): how light the print is, at the left end and at the right end of the symbol.
        across: float32 (W,): where a pixel lies between the ends, 0 to 1 for the symbol.
        sides: (origin in samples, samples from end to end, left at the top, at the bottom, right at the top, at the
            bottom): where the ends are, moved by parts of the symbol.
        rows: float32 (H,): 0 at the top of the bars, 1 at their bottom.
        curve: by how many samples the middle of the bars is bent.
        light: (ink, ground, slope along x, slope along y, glare, its x, y, one by its radius).
        noise: uint8 (H, W), of mean 128.
        strength: of the noise.
        glyphs: float32 (10, h, w): digits, 1 where there is ink.
        digits: int64 (S,): those below the bars, none where empty.
        below: (where digits begin, how high they are, in heights of the bars; width of a digit's place and start of the
            first in samples; middle gap in samples).
        values: float32 (W,), for its own use.
        lit: float32 (W,), for its own use, of zeros.
    """
    height, width = image.shape
    last = profiles.shape[1] - 2
    glyph_height, glyph_width = glyphs.shape[1], glyphs.shape[2]
    ink, ground = light[0], light[1] - light[0]
    for row in range(height):
        v = rows[row]
        left = sides[2] + (sides[3] - sides[2]) * v
        right = sides[4] + (sides[5] - sides[4]) * v
        start = sides[0] + sides[1] * left + curve * 4.0 * v * (1.0 - v)
        slope = sides[1] * (right - left)
        if v < 0.0:
            for column in range(width):
                values[column] = 1.0
        else:
            for column in range(width):
                t = across[column]
                place = min(max(start + slope * t, 0.0), float(last))
                lower = int(place)
                part = place - lower
                near = profiles[0, lower] + part * (profiles[0, lower + 1] - profiles[0, lower])
                far = profiles[1, lower] + part * (profiles[1, lower + 1] - profiles[1, lower])
                values[column] = near + min(max(t, 0.0), 1.0) * (far - near)
        if v > 1.0:
            digit_row = int((v - below[0]) / below[1] * glyph_height) if v >= below[0] else -1
            for column in range(width):
                inside = start + slope * across[column] - sides[0]
                guard = (
                    inside < 3.5 * FINE
                    or inside > sides[1] - 3.5 * FINE
                    or (inside > 45.0 * FINE and inside < 50.0 * FINE)
                )
                if not guard or v > below[0] + 0.5 * below[1]:
                    values[column] = 1.0
                if 0 <= digit_row < glyph_height and digits.shape[0] > 0:
                    along = (inside - below[3]) / below[2]
                    if along >= 6.0:
                        along = (inside - below[3] - below[4]) / below[2]
                        if along < 6.0:
                            along = -1.0
                    slot = int(np.floor(along))
                    if 0 <= slot < digits.shape[0]:
                        x = int((along - slot) * glyph_width)
                        values[column] = min(values[column], 1.0 - glyphs[digits[slot], digit_row, x])
        shade = 1.0 + light[3] * (v - 0.5) - 0.5 * light[2]
        if light[4] != 0.0:
            away = 0.1 * (v - light[6]) ** 2
            for column in range(width):
                t = across[column] - light[5]
                lit[column] = light[4] * np.exp(-(t * t + away) * light[7])
        grain, shown = noise[row], image[row]
        for column in range(width):
            grey = (ink + ground * values[column]) * (shade + light[2] * across[column]) + lit[column]
            grey += strength * (grain[column] - 128.0)
            shown[column] = np.uint8(min(max(grey, 0.0), 255.0))


_floats = types.Array(types.float32, 1, "C")
_double = types.Array(types.float64, 1, "C")
render = compiled(
    _render,
    types.Array(types.uint8, 2, "C"),
    types.Array(types.float32, 2, "C"),
    _floats,
    _double,
    _floats,
    types.float64,
    _double,
    types.Array(types.uint8, 2, "A"),
    types.float64,
    types.Array(types.float32, 3, "C"),
    types.Array(types.int64, 1, "C"),
    _double,
    _floats,
    _floats,
)
