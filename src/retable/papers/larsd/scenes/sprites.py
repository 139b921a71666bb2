"""Sprites: things drawn in their own frame and set into the scene by one pipeline, ships and look-alikes alike.

A sprite's texture covers its bounding rectangle: x along the length (bow to the right), y across. Its outline is given
in unit coordinates, in [-0.5, 0.5], and cuts the texture out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from retable.papers.larsd.scenes.geometry import Placed
from retable.papers.larsd.scenes.textures import ground
from retable.synthetic.noise import window
from retable.synthetic.raster import SHIFT, Image, Points, fill, fixed, outline, place
from retable.synthetic.rng import RandomStream

Colour = tuple[int, int, int]


def shade(colour: Colour, factor: float) -> Colour:
    """Scales a colour's brightness."""
    r, g, b = colour
    return (min(int(r * factor), 255), min(int(g * factor), 255), min(int(b * factor), 255))


def vary(rng: RandomStream, colour: Colour, amount: float = 14.0) -> Colour:
    """Changes brightness and tint a little."""
    low, tint = rng.uniform(-amount, amount) - 0.4 * amount, 0.8 * amount
    r, g, b = colour
    return (
        min(max(int(r + low + tint * rng.random()), 0), 255),
        min(max(int(g + low + tint * rng.random()), 0), 255),
        min(max(int(b + low + tint * rng.random()), 0), 255),
    )


@dataclass(frozen=True)
class Sun:
    """Direction in which shadows fall (radians, image frame), their length per unit height, and their darkness."""

    angle: float
    slope: float
    strength: float


class Canvas:
    """A texture under construction, addressed in unit coordinates.

    Args:
        length: Length of the thing in image pixels.
        width: Its width in image pixels.
        shadow: Shadow direction in the thing's own frame times slope: (dx, dy) in pixels per pixel of height.
    """

    def __init__(self, length: float, width: float, shadow: tuple[float, float]) -> None:
        # small things are drawn large and then averaged; specks need no such care
        columns = int(min(max(1.25 * length, min(80.0, 8.0 * length), 20.0), 420.0))
        self.columns = columns
        self.rows = max(round(columns * width / length), 6)
        self.texture: Image = np.full((self.rows, columns, 3), 128, np.uint8)
        self.zoom = columns / length
        self.shadow = shadow

    def x(self, unit: float) -> int:
        """Column of a unit coordinate."""
        return int((unit + 0.5) * self.columns)

    def y(self, unit: float) -> int:
        """Row of a unit coordinate."""
        return int((unit + 0.5) * self.rows)

    def box(self, x0: float, x1: float, y0: float, y1: float, colour: Colour, height: float = 0.0) -> None:
        """Draws a block with its shadow; height in image pixels."""
        left, top = self.x(x0), self.y(y0)
        right, bottom = max(self.x(x1) - 1, left), max(self.y(y1) - 1, top)
        if height > 0.0:
            dx, dy = (round(s * height * self.zoom) for s in self.shadow)
            if dx or dy:
                first_row, first_column = max(top + min(dy, 0), 0), max(left + min(dx, 0), 0)
                part = self.texture[first_row : bottom + max(dy, 0) + 1, first_column : right + max(dx, 0) + 1]
                # half the light goes: the shadow's exact shape is hidden by the block drawn next
                cv2.convertScaleAbs(part, part, 0.55, 0)
        cv2.rectangle(self.texture, (left, top), (right, bottom), colour, cv2.FILLED)

    def line(self, x0: float, y0: float, x1: float, y1: float, colour: Colour, thickness: int = 1) -> None:
        """Draws a line."""
        cv2.line(self.texture, (self.x(x0), self.y(y0)), (self.x(x1), self.y(y1)), colour, thickness, cv2.LINE_AA)

    def circle(self, x: float, y: float, radius: float, colour: Colour, thickness: int = cv2.FILLED) -> None:
        """Draws a circle whose radius is a fraction of the width."""
        pixels = max(int(radius * self.rows), 1)
        cv2.circle(self.texture, (self.x(x), self.y(y)), pixels, colour, thickness, cv2.LINE_AA)

    def polygon(self, points: Points, colour: Colour) -> None:
        """Fills a polygon given in unit coordinates."""
        scaled = (points + 0.5) * (self.columns, self.rows)
        fill(self.texture, [scaled], colour)

    def contour(self, points: Points, colour: Colour, thickness: int = 1) -> None:
        """Draws a closed line through points given in unit coordinates."""
        scaled = (points + 0.5) * (self.columns, self.rows)
        outline(self.texture, [scaled], colour, thickness)

    def weather(self, rng: RandomStream, strength: float) -> None:
        """Adds stains: fractal noise of the given strength (1 is a standard deviation of 40)."""
        stains = window(ground(), rng, self.rows, self.columns)
        stains3 = cv2.cvtColor(stains, cv2.COLOR_GRAY2BGR)
        cv2.addWeighted(self.texture, 1.0, stains3, strength, -128.0 * strength, self.texture)


@dataclass(frozen=True)
class Stamp(Placed):
    """A sprite at its place.

    Attributes:
        outline: (K, 2) in unit coordinates.
        height: Pixels, for the shadow.
        convex: Whether the outline is convex, as every hull is.
    """

    outline: Points
    height: float
    convex: bool = True

    def polygon(self) -> Points:
        """Returns the outline in image coordinates, shape (K, 2)."""
        return place(self.outline * (self.length, self.width), self.cx, self.cy, self.angle)


def local_shadow(sun: Sun, angle: float) -> tuple[float, float]:
    """Returns the shadow direction in a frame turned by `angle`, times the slope."""
    return sun.slope * math.cos(sun.angle - angle), sun.slope * math.sin(sun.angle - angle)


def cast_shadow(shadows: Image, polygon: Points, height: float, sun: Sun) -> None:
    """Draws the shadow of an upright prism into the scene's shadow mask (H, W), in place."""
    offset = np.array([math.cos(sun.angle), math.sin(sun.angle)]) * (sun.slope * height)
    swept = cv2.convexHull(np.concatenate([fixed(polygon), fixed(polygon + offset)]))
    cv2.fillConvexPoly(shadows, swept, 255, cv2.LINE_AA, SHIFT)


def coverage(stamp: Stamp, left: int, top: int, columns: int, rows: int) -> Image:
    """Returns which part of each pixel the stamp's outline covers, uint8 (rows, columns), without bias at the edges."""
    factor = 2
    # OpenCV's smooth filling reaches 0.67 subpixels too far on every side: taken back here. Its filling of general
    # polygons errs by up to half a pixel more, so that it serves only where no box depends on it.
    inner = np.array([stamp.length - 1.34 / factor, stamp.width - 1.34 / factor])
    polygon = fixed(place(stamp.outline * inner, stamp.cx - left, stamp.cy - top, stamp.angle), factor)
    mask = np.zeros((rows * factor, columns * factor), np.uint8)
    if stamp.convex:
        cv2.fillConvexPoly(mask, polygon, (255,), cv2.LINE_AA, SHIFT)
    else:
        cv2.fillPoly(mask, [polygon], (255,), cv2.LINE_AA, SHIFT)
    return np.asarray(cv2.resize(mask, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)


def set_stamp(image: Image, stamp: Stamp, texture: Image) -> None:
    """Sets a sprite into an image (H, W, 3), in place; parts outside the image are cut off."""
    cosine, sine = math.cos(stamp.angle), math.sin(stamp.angle)
    reach_x = 0.5 * (abs(stamp.length * cosine) + abs(stamp.width * sine)) + 1.5
    reach_y = 0.5 * (abs(stamp.length * sine) + abs(stamp.width * cosine)) + 1.5
    left, right = max(int(stamp.cx - reach_x), 0), min(int(stamp.cx + reach_x) + 1, image.shape[1])
    top, bottom = max(int(stamp.cy - reach_y), 0), min(int(stamp.cy + reach_y) + 1, image.shape[0])
    if right <= left or bottom <= top:
        return
    columns, rows = right - left, bottom - top
    texture_rows, texture_columns = texture.shape[:2]
    factor = min(max(math.ceil(texture_columns / stamp.length - 0.3), 1), 6)
    per_x, per_y = stamp.length / texture_columns, stamp.width / texture_rows
    # texture pixel (i, j) -> subpixel of the region of interest, pixel centres at +0.5 on both sides
    forward = np.array([[cosine * per_x, -sine * per_y], [sine * per_x, cosine * per_y]]) * factor
    centre = np.array([stamp.cx - left, stamp.cy - top]) * factor - 0.5
    offset = centre - forward @ np.array([texture_columns / 2 - 0.5, texture_rows / 2 - 0.5])
    matrix = np.concatenate([forward, offset[:, None]], 1)
    body = cv2.warpAffine(
        texture, matrix, (columns * factor, rows * factor), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    if factor > 1:
        body = cv2.resize(body, (columns, rows), interpolation=cv2.INTER_AREA)
    weight = coverage(stamp, left, top, columns, rows).astype(np.float32) * np.float32(1 / 255)
    region = image[top:bottom, left:right]
    image[top:bottom, left:right] = cv2.blendLinear(body, region, weight, 1.0 - weight)
