"""What drawings are made with: pens and programs, how steady the hand is that leads them, and their colours."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from retable.synthetic.rng import RandomStream, Weighted

Colour = tuple[float, float, float]  # RGB, 0 to 255


class Trait(IntEnum):
    """The numbers that make a tool, in the order that `raster.render_strokes` takes."""

    WIDTH = 0  # of the line, as a part of the picture's side
    WOBBLE = 1  # how far lines stray, in head radii
    SMOOTHNESS = 2  # how long a deviation lasts, relative to the stroke
    TREMOR = 3  # short deviations, in head radii
    JITTER = 4  # how far whole strokes are misplaced
    PRESSURE = 5  # how much the width changes along a stroke
    ENDS = 6  # how much thinner strokes begin and end
    GRAIN = 7  # how much of the paper shines through
    ROUGHNESS = 8  # of the edges, as a part of the radius
    OPACITY = 9  # of lines
    COVERAGE = 10  # opacity of filled areas
    STEPPED = 11  # 1 for pixels without anti-aliasing
    MISPRINT = 12  # how far fillings lie beside their outlines, as a part of the picture's side


@dataclass(frozen=True)
class Medium:
    """A way to draw.

    Attributes:
        name: What `EmojiDrawings.medium` returns.
        share: Part of all drawings.
        widths: Range of the line's width, as a part of the picture's side.
        unsteadiness: Factor on the hand's wobble and jitter.
        coloured: Part of the drawings that have filled areas.
        neat: Whether shapes are set by a shape tool.
        photographed: Whether the picture is a photograph of paper.
    """

    name: str
    share: float
    widths: tuple[float, float]
    unsteadiness: float = 1.0
    coloured: float = 0.0
    neat: bool = False
    photographed: bool = False


MEDIA: Final = (
    Medium("pen", 0.26, (0.012, 0.048), coloured=0.06),
    Medium("marker", 0.14, (0.034, 0.075), coloured=0.15),
    Medium("pencil", 0.09, (0.010, 0.030), 0.9, coloured=0.06),
    Medium("mouse", 0.18, (0.012, 0.070), 1.15, coloured=0.15),
    Medium("shapes", 0.14, (0.008, 0.060), 0.0, coloured=0.55, neat=True),
    Medium("paint", 0.08, (0.012, 0.060), 0.9, coloured=1.0),
    Medium("paper", 0.11, (0.012, 0.040), coloured=0.10, photographed=True),
)
draw_medium: Final = Weighted(*((medium, medium.share) for medium in MEDIA)).draw

# A line may not be thicker than this part of the head's radius: eyes and mouths would run together.
_THICKEST = 0.17


def draw_tool(rng: RandomStream, medium: Medium, radius: float) -> list[float]:
    """Draws a tool and the hand that holds it, for a head of this radius, as a part of half the picture's side.

    Returns:
        One number for each `Trait`.
    """
    tool = [0.0] * len(Trait)
    tool[Trait.WIDTH] = min(rng.log_uniform(*medium.widths), 0.5 * _THICKEST * radius)
    hand = medium.unsteadiness * rng.log_uniform(0.3, 1.5)
    tool[Trait.WOBBLE] = 0.055 * hand
    tool[Trait.JITTER] = 0.05 * hand if medium.unsteadiness > 0.0 else rng.uniform(0.0, 0.02)
    tool[Trait.SMOOTHNESS] = rng.uniform(0.08, 0.35)
    tool[Trait.OPACITY] = tool[Trait.COVERAGE] = 1.0
    name = medium.name
    if name == "paper":
        name = rng.choice(("pen", "pen", "pencil", "marker"))
    if name == "mouse":
        tool[Trait.TREMOR] = rng.uniform(0.0, 0.018)
        tool[Trait.STEPPED] = float(rng.chance(0.15))
    elif name == "pencil":
        tool[Trait.PRESSURE] = rng.uniform(0.1, 0.4)
        tool[Trait.GRAIN] = rng.uniform(0.1, 0.6)
        tool[Trait.OPACITY] = rng.uniform(0.65, 1.0)
        tool[Trait.TREMOR] = rng.uniform(0.0, 0.006)
    elif name == "marker":
        tool[Trait.PRESSURE] = rng.uniform(0.0, 0.25)
        tool[Trait.ROUGHNESS] = rng.uniform(0.3, 0.9) if rng.chance(0.2) else 0.0
        tool[Trait.WIDTH] *= 1.0 - 0.3 * tool[Trait.ROUGHNESS]  # or the edges would close what they surround
        tool[Trait.OPACITY] = rng.uniform(0.75, 1.0) if rng.chance(0.4) else 1.0
    elif name == "pen":
        tool[Trait.PRESSURE] = rng.uniform(0.0, 0.3) if rng.chance(0.5) else 0.0
        tool[Trait.ENDS] = rng.uniform(0.2, 0.8) if rng.chance(0.2) else 0.0
    elif name == "paint":
        tool[Trait.TREMOR] = rng.uniform(0.0, 0.008)
        tool[Trait.COVERAGE] = rng.uniform(0.6, 1.0)
        tool[Trait.MISPRINT] = rng.triangular(0.03)
    return tool


_draw_grey: Final = Weighted((0.0, 6.0), (10.0, 4.0), (30.0, 2.0), (68.0, 3.0), (95.0, 1.0)).draw
_draw_skin: Final = Weighted(  # (hue, saturation, value)
    ((0.14, 0.75, 1.0), 5.0),
    ((0.13, 0.45, 1.0), 2.0),
    ((0.07, 0.35, 1.0), 2.0),
    ((0.06, 0.65, 0.95), 1.0),
    ((0.0, 0.55, 1.0), 0.8),
    ((0.3, 0.45, 0.9), 0.6),
    ((0.55, 0.4, 1.0), 0.6),
    ((0.9, 0.3, 1.0), 0.6),
    ((0.0, 0.0, 1.0), 1.5),
).draw


def _colour(rng: RandomStream, hue: float, saturation: float, value: float) -> Colour:
    """Returns a colour near the given one."""
    red, green, blue = colorsys.hsv_to_rgb(
        (hue + rng.triangular(0.04)) % 1.0,
        min(max(saturation + rng.triangular(0.15), 0.0), 1.0),
        min(max(value + rng.triangular(0.1), 0.0), 1.0),
    )
    return (255 * red, 255 * green, 255 * blue)


def _any(rng: RandomStream) -> Colour:
    return _colour(rng, rng.random(), rng.uniform(0.3, 1.0), rng.uniform(0.6, 1.0))


def _mostly(rng: RandomStream, hue: float, saturation: float, value: float) -> Colour:
    """Returns a colour near the given one, or now and then any other."""
    return _colour(rng, hue, saturation, value) if rng.chance(0.6) else _any(rng)


def _grey(level: float) -> Colour:
    return (level, level, level)


def _ink(rng: RandomStream) -> Colour:
    """Returns a colour dark enough for lines on light paper and bright faces."""
    if rng.chance(0.7):
        return _grey(_draw_grey(rng))
    hue = rng.choice((0.62, 0.62, 0.66, 0.0, 0.05, 0.35, 0.78, rng.random()))
    return _colour(rng, hue, 0.85, 0.45 if 0.1 < hue < 0.55 else 0.6)


def draw_palette(rng: RandomStream, medium: Medium, coloured: bool) -> list[Colour]:
    """Draws a drawing's colours, one for each `Ink` but NONE.

    The colours of parts follow nature only by and large: a heart's is red more often than not.
    """
    line = _ink(rng)
    detail = line if rng.chance(0.88) else _ink(rng)
    paper, white, rule = _grey(255.0), _grey(255.0), _grey(200.0)
    if medium.photographed:
        paper = white = _colour(rng, rng.uniform(0.05, 0.2), rng.uniform(0.0, 0.12), rng.uniform(0.8, 0.97))
        rule = _colour(rng, rng.choice((0.58, 0.6, 0.0, rng.random())), 0.25, 0.75)
    elif rng.chance(0.2):
        paper = _colour(rng, rng.random(), rng.uniform(0.0, 0.25), 0.97)
        if not coloured and rng.chance(0.15):  # chalk
            paper, line = _grey(rng.uniform(0.0, 60.0)), _grey(rng.uniform(215.0, 255.0))
            detail = line
    if not coloured:
        return [paper, line, detail, paper, paper, detail, detail, detail, detail, line, detail, rule]
    return [
        paper,
        line,
        detail,
        _colour(rng, *_draw_skin(rng)),
        white,
        _mostly(rng, 0.0, 0.7, 0.5),
        _mostly(rng, 0.98, 0.6, 0.95),
        _mostly(rng, 0.55, 0.5, 0.95),
        _mostly(rng, 0.98, 0.85, 0.9),
        _any(rng),
        _mostly(rng, 0.98, 0.5, 1.0),
        rule,
    ]
