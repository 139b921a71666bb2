"""Photographs of paper: its lines, the light on it, the camera's view and its faults."""

from __future__ import annotations

import math
from dataclasses import dataclass

from retable.papers.emoji.drawings.shapes import Shape
from retable.papers.emoji.drawings.sketch import Frame, Ink, Sketch
from retable.synthetic.camera import EVEN_LIGHT, Light
from retable.synthetic.rng import RandomStream


@dataclass(frozen=True)
class Camera:
    """What happens to a drawing on its way to the file.

    Attributes:
        perspective: How fast the depth grows along x and y of the page.
        light: On the page.
        noise: Standard deviation, grey levels.
        blur: Standard deviation, parts of the picture's side; 0 for none.
        quality: Of JPEG, 0 for none.
    """

    perspective: tuple[float, float]
    light: Light
    noise: float
    blur: float
    quality: int


def draw_camera(rng: RandomStream, photographed: bool) -> Camera:
    """Draws a camera for a photograph; for a picture from a program, only what scaling and saving do to it."""
    if not photographed:
        blur = rng.uniform(0.002, 0.008) if rng.chance(0.1) else 0.0
        quality = rng.integer(40, 92) if rng.chance(0.08) else 0
        noise = rng.uniform(1.0, 6.0) if rng.chance(0.05) else 0.0
        return Camera((0.0, 0.0), EVEN_LIGHT, noise, blur, quality)
    shadow = rng.uniform(0.1, 0.5) if rng.chance(0.45) else 0.0
    edge = rng.uniform(-math.pi, math.pi)
    light = Light(
        brightness=rng.uniform(0.75, 1.02),
        slope_x=rng.triangular(0.2),
        slope_y=rng.triangular(0.2),
        vignetting=rng.uniform(0.0, 0.12),
        shadow=shadow,
        edge=edge,
        offset=rng.triangular(0.8),
        sharpness=rng.log_uniform(1.0, 20.0),
    )
    return Camera(
        perspective=(rng.triangular(0.22), rng.triangular(0.22)),
        light=light,
        noise=rng.uniform(0.0, 10.0),
        blur=rng.uniform(0.003, 0.011) if rng.chance(0.6) else 0.0,
        quality=rng.integer(35, 92) if rng.chance(0.5) else 0,
    )


def add_rules(sketch: Sketch, width: float) -> None:
    """Draws the lines of ruled or squared paper; blank paper has none.

    They are thin whatever the tool, whose line has this `width`, as a part of the picture's side.
    """
    rng = sketch.rng
    style = rng.random()
    if style < 0.36:
        return
    spacing, angle = rng.uniform(0.12, 0.34), rng.triangular(0.12)
    line = rng.uniform(0.004, 0.011) / width
    directions = (angle,) if style < 0.7 else (angle, angle + math.pi / 2)
    for direction in directions:
        across = (-math.sin(direction), math.cos(direction))
        offset = rng.uniform(-1.5, -1.5 + spacing)
        while offset < 1.5:
            _ruled_line(sketch, offset * across[0], offset * across[1], direction, line)
            offset += spacing
    if style < 0.7 and rng.chance(0.3):  # the margin
        _ruled_line(sketch, rng.uniform(-0.9, -0.6), 0.0, angle + math.pi / 2, line)


def _ruled_line(sketch: Sketch, x: float, y: float, angle: float, line: float) -> None:
    sketch.add(Shape.LINE, x, y, 2.0, 0.0, angle, line=line, wobble=0.0, ink=Ink.RULE, frame=Frame.PAGE)
