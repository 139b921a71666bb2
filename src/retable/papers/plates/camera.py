"""What lies between a plate and its file: the view, light, colour, blur, few pixels, noise, JPEG.

The same that generated crops go through hides from real ones where they come from: sources differ in all of these, and
a network that can name the source need not look at the plate.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from retable.synthetic.camera import Light, add_noise, blur, compress, illuminate, smear, tint
from retable.synthetic.raster import Image, Points
from retable.synthetic.rng import RandomStream

_LEAST = 14  # pixels


def draw_view(rng: RandomStream, width: float, height: float, strength: float = 1.0) -> Points:
    """Looks at a rectangle from a side.

    Args:
        rng: Random numbers.
        width: Of the rectangle, in any unit.
        height: Likewise.
        strength: 0 looks straight at it; 1 turns it by up to half a right angle.

    Returns:
        Its corners (4, 2) about the origin, clockwise from the upper left, in that unit and a little foreshortened.
    """
    yaw = strength * rng.triangular(0.75)
    pitch = strength * rng.triangular(0.4)
    roll = strength * rng.triangular(0.18)
    distance = rng.uniform(2.5, 8.0) * width
    sides = (math.cos(yaw), math.sin(yaw)), (math.cos(pitch), math.sin(pitch)), (math.cos(roll), math.sin(roll))
    (cos_yaw, sin_yaw), (cos_pitch, sin_pitch), (cos_roll, sin_roll) = sides
    seen = []
    for across, down in ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)):
        x, y = across * width, down * height
        nearness = distance / (distance + x * sin_yaw + y * sin_pitch)
        x, y = nearness * x * cos_yaw, nearness * (y * cos_pitch + x * sin_yaw * sin_pitch)
        seen.append((x * cos_roll - y * sin_roll, x * sin_roll + y * cos_roll))
    return np.array(seen)


def perspective(source: Points, target: Points) -> NDArray[np.float64]:
    """Returns the matrix (3, 3) that maps four corners to four others, for OpenCV, whose pixel centres are integers."""
    matrix = cv2.getPerspectiveTransform((source - 0.5).astype(np.float32), (target - 0.5).astype(np.float32))
    return np.asarray(matrix, np.float64)


def photograph(image: Image, rng: RandomStream, strength: float = 1.0) -> Image:
    """Takes a picture (H, W, 3) again, under other conditions; the result has the same size.

    Args:
        image: uint8 RGB.
        rng: Random numbers.
        strength: 0 leaves it nearly as it is, 1 makes some pictures as bad as real ones are.
    """
    height, width = image.shape[:2]
    picture = image
    if rng.chance(0.35 * strength):
        picture = illuminate(picture.astype(np.float32), _draw_light(rng))
    picture = tint(picture, rng, strength)
    # what is left of a plate's height, in pixels: less than this and nobody could tell what it is
    room = max(height / _LEAST, 1.0)
    kind = rng.random()
    if kind < 0.12 * strength:
        picture = smear(picture, rng.uniform(0.02, 0.06) * width * min(1.0, room / 2), rng.triangular(0.6))
    elif kind < 0.45 * strength:
        picture = blur(picture, 0.5 * rng.log_uniform(1.0, room**0.8) if room > 1.2 else 0.0)
    elif kind < 0.75 * strength:
        few = rng.log_uniform(1.0, room)
        size = max(6, round(width / few)), max(6, round(height / few))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    if rng.chance(0.5):
        picture = add_noise(picture, rng.log_uniform(1.0, 14.0) * strength, rng)
    if rng.chance(0.6):
        picture = compress(picture, rng.integer(round(95 - 60 * strength), 95))
    if picture.shape[:2] != (height, width):
        method = cv2.INTER_LINEAR if rng.chance(0.7) else cv2.INTER_CUBIC
        picture = np.asarray(cv2.resize(picture, (width, height), interpolation=method), np.uint8)
    return picture


def _draw_light(rng: RandomStream) -> Light:
    return Light(
        brightness=rng.uniform(0.7, 1.15),
        slope_x=rng.triangular(0.25),
        slope_y=rng.triangular(0.25),
        shadow=rng.choice((0.0, rng.uniform(0.2, 0.65), -rng.uniform(0.2, 0.8))),
        edge=rng.uniform(0.0, math.tau),
        offset=rng.triangular(0.7),
        sharpness=rng.log_uniform(0.8, 12.0),
    )
