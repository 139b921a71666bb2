"""Photographs of paper: its lines, the light on it, the camera's view and its faults."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from retable.papers.emoji.drawings.rng import Dice
from retable.papers.emoji.drawings.shapes import Shape
from retable.papers.emoji.drawings.sketch import Frame, Ink, Sketch

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Camera:
    """What happens to a drawing on its way to the file.

    Attributes:
        perspective: How fast the depth grows along x and y of the page.
        light: As `raster.develop` takes it.
        noise: Standard deviation, grey levels.
        blur: Standard deviation, parts of the picture's side; 0 for none.
        quality: Of JPEG, 0 for none.
    """

    perspective: tuple[float, float]
    light: tuple[float, ...]
    noise: float
    blur: float
    quality: int


_EVEN_LIGHT = (1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0)


def draw_camera(dice: Dice, photographed: bool) -> Camera:
    """Draw a camera for a photograph; for a picture from a program, only what scaling and saving do to it."""
    if not photographed:
        blur = dice.uniform(0.002, 0.008) if dice.chance(0.1) else 0.0
        quality = dice.integer(40, 92) if dice.chance(0.08) else 0
        noise = dice.uniform(1.0, 6.0) if dice.chance(0.05) else 0.0
        return Camera((0.0, 0.0), _EVEN_LIGHT, noise, blur, quality)
    shadow = dice.uniform(0.1, 0.5) if dice.chance(0.45) else 0.0
    edge = dice.uniform(-math.pi, math.pi)
    brightness = dice.uniform(0.75, 1.02)
    light = (
        brightness,
        dice.around(0.2),
        dice.around(0.2),
        dice.uniform(0.0, 0.12),
        shadow,
        math.cos(edge),
        math.sin(edge),
        dice.around(0.8),
        dice.log_uniform(1.0, 20.0),
    )
    return Camera(
        perspective=(dice.around(0.22), dice.around(0.22)),
        light=light,
        noise=dice.uniform(0.0, 9.0),
        blur=dice.uniform(0.003, 0.011) if dice.chance(0.6) else 0.0,
        quality=dice.integer(35, 92) if dice.chance(0.5) else 0,
    )


def rule_paper(sketch: Sketch, width: float) -> None:
    """Draw the lines of ruled or squared paper; blank paper has none.

    Args:
        sketch: The drawing.
        width: Of the tool's line, as a part of the picture's side. Printed lines are thin whatever the tool.
    """
    dice = sketch.dice
    style = dice.unit()
    if style < 0.36:
        return
    spacing, angle = dice.uniform(0.12, 0.34), dice.around(0.12)
    line = dice.uniform(0.004, 0.011) / width
    directions = (angle,) if style < 0.7 else (angle, angle + math.pi / 2)
    for direction in directions:
        across = (-math.sin(direction), math.cos(direction))
        offset = dice.uniform(-1.5, -1.5 + spacing)
        while offset < 1.5:
            _ruled_line(sketch, offset * across[0], offset * across[1], direction, line)
            offset += spacing
    if style < 0.7 and dice.chance(0.3):  # the margin
        _ruled_line(sketch, dice.uniform(-0.9, -0.6), 0.0, angle + math.pi / 2, line)


def _ruled_line(sketch: Sketch, x: float, y: float, angle: float, line: float) -> None:
    sketch.add(Shape.LINE, x, y, 2.0, 0.0, angle, line=line, wobble=0.0, ink=Ink.RULE, frame=Frame.PAGE)


def expose(image: Image, camera: Camera) -> Image:
    """Blur and compress a picture as its camera does."""
    if camera.blur > 0.0:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), camera.blur * image.shape[0]), np.uint8)
    if camera.quality > 0:
        _, encoded = cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, camera.quality))
        image = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)
    return image
