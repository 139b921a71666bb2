"""Letters and words as masks, rendered once a process from the fonts that come with matplotlib."""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from retable.synthetic.raster import Image

SANS: Final = "DejaVuSans"
BOLD: Final = "DejaVuSans-Bold"
MONO: Final = "DejaVuSansMono-Bold"
THIN_MONO: Final = "DejaVuSansMono"
SERIF: Final = "DejaVuSerif-Bold"
SCRIPT: Final = "DejaVuSerif-BoldItalic"
SLANTED: Final = "DejaVuSans-BoldOblique"
MODERN: Final = "cmss10"
TYPEWRITER: Final = "cmtt10"

_HEIGHT: Final = 64  # of capital letters, pixels
_UNJOINED: Final = "اأإآدذرزوؤةىء"  # Arabic letters that do not join the one that follows


@cache
def glyph(font: str, letter: str, weight: int = 0, stencil: bool = False, level: int = 0) -> Image:
    """Returns a letter as a mask (H, W), cut to its ink.

    Args:
        font: One of the constants of this module.
        letter: One character.
        weight: Pixels of 64 by which strokes are thickened on each side; negative thins them.
        stencil: Whether it is cut in two as by a stencil.
        level: How often it is halved, see `sized_glyph`.
    """
    if level:
        return _halved(glyph(font, letter, weight, stencil, level - 1))
    mask = _ink(font, letter, 90)
    if weight:
        edge = max(weight, 0)
        mask = cv2.copyMakeBorder(mask, edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=0)
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * abs(weight) + 1,) * 2)
        mask = cv2.dilate(mask, kernel) if weight > 0 else cv2.erode(mask, kernel)
    if stencil and letter not in "1I-. ":
        middle = mask.shape[1] // 2
        mask[:, middle - 2 : middle + 3] = 0
    return np.ascontiguousarray(mask)


@lru_cache(1 << 15)
def sized_glyph(font: str, letter: str, weight: int, stencil: bool, width: int, height: int) -> Image:
    """Returns a letter as of `glyph`, stretched to a size in pixels."""
    return _stretched(glyph(font, letter, weight, stencil, _level(height)), width, height)


def sized_word(font: str, text: str, width: int, height: int) -> Image:
    """Returns a word as of `word`, stretched to a size in pixels."""
    return _stretched(word(font, text, _level(height)), width, height)


def aspect(font: str, text: str) -> float:
    """Returns the width of a word by its height."""
    mask = word(font, text)
    return float(mask.shape[1] / mask.shape[0])


@cache
def word(font: str, text: str, level: int = 0) -> Image:
    """Returns a word as a mask (H, W), cut to its ink; Arabic words are joined and run from right to left."""
    return _halved(word(font, text, level - 1)) if level else _ink(font, _shaped(text), 80)


def _stretched(mask: Image, width: int, height: int) -> Image:
    return np.asarray(cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _level(height: float) -> int:
    """Returns how often a mask is halved before it is resized to so many pixels, linearly and so quickly."""
    return 0 if height > 40 else 1 if height > 20 else 2 if height > 10 else 3


def _halved(mask: Image) -> Image:
    size = max(mask.shape[1] // 2, 1), max(mask.shape[0] // 2, 1)
    return np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_AREA), np.uint8)


@cache
def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    found = find_spec("matplotlib")  # its fonts, without the half second that importing it takes
    path = Path(str(found and found.origin)).parent / "mpl-data" / "fonts" / "ttf" / f"{name}.ttf"
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)


def _ink(font: str, text: str, size: int) -> Image:
    loaded = _font(font, size)
    left, top, right, bottom = (round(value) for value in loaded.getbbox(text))
    picture = PillowImage.new("L", (max(right - left, 1) + 4, max(bottom - top, 1) + 4))
    ImageDraw.Draw(picture).text((2 - left, 2 - top), text, fill=255, font=loaded)
    mask = np.asarray(picture)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return np.zeros((_HEIGHT, _HEIGHT // 2), np.uint8)
    return mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].copy()


def _shaped(text: str) -> str:
    """Replaces Arabic letters by their joined forms, in the order in which they stand from left to right."""
    if not any("\u0600" <= letter < "\u0700" for letter in text):
        return text
    text = text.replace("لإ", "\ufef9").replace("لا", "\ufefb").replace("لأ", "\ufef7")
    forms, joined = [], False
    for index, letter in enumerate(text):
        joins = "\u0621" <= letter < "\u064b" and letter not in _UNJOINED
        following = text[index + 1] if index + 1 < len(text) else " "
        after = joins and (following.isalpha())
        form = {(False, False): "ISOLATED", (False, True): "INITIAL", (True, True): "MEDIAL", (True, False): "FINAL"}
        name = unicodedata.name(letter, "")
        if letter in "\ufef9\ufefb\ufef7":
            forms.append(chr(ord(letter) + 1) if joined else letter)
            joined = False
            continue
        try:
            forms.append(unicodedata.lookup(f"{name} {form[joined, after]} FORM"))
        except KeyError:  # a digit, a blank
            forms.append(letter)
        joined = after
    return "".join(reversed(forms))
