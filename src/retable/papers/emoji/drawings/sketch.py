"""What is drawn: a list of strokes, each a shape at its place."""

from __future__ import annotations

import math
from enum import IntEnum

from retable.papers.emoji.drawings.shapes import Shape
from retable.synthetic.rng import RandomStream


class Column(IntEnum):
    """The numbers that make a stroke, as columns of the table that `raster.render_strokes` takes."""

    SHAPE = 0
    OTHER = 1  # a second shape
    MIX = 2  # its part, 0 to 1
    X = 3  # centre
    Y = 4
    WIDTH = 5  # half sizes; negative ones mirror the shape
    HEIGHT = 6
    ANGLE = 7  # radians, clockwise on screen
    SHEAR = 8  # x grows by this part of y
    TAPER = 9  # the shape widens towards its bottom by this part
    BEND = 10  # how far the middle lies below the ends, in half heights
    START = 11  # where on the shape the stroke begins, 0 to 1
    SWEEP = 12  # the part of the shape that is drawn; above 1 a closed shape's end runs over its beginning
    LINE = 13  # thickness relative to the tool's; 0 for no line
    WOBBLE = 14  # unsteadiness relative to the hand's
    INK = 15  # colour of the line, a row of the palette
    FILL = 16  # colour inside, or Ink.NONE
    FRAME = 17


class Frame(IntEnum):
    """Systems of coordinates, x right and y down."""

    PAGE = 0  # the picture is [-1, 1]²
    HEAD = 1  # the head's outline is about the unit circle
    FACE = 2  # eyes and mouth: as HEAD, but for the hand's error in placing them


class Ink(IntEnum):
    """Colours, as rows of a palette."""

    NONE = -1
    PAPER = 0
    LINE = 1
    DETAIL = 2  # lines of eyes and mouth, mostly of the same colour as LINE
    SKIN = 3
    WHITE = 4  # of eyes and teeth
    MOUTH = 5
    TONGUE = 6
    TEAR = 7
    HEART = 8
    CLOTH = 9
    CHEEK = 10
    RULE = 11  # of the paper


class Sketch:
    """The strokes of one drawing, in the order in which they are drawn.

    Args:
        rng: Random numbers.
        coloured: Whether areas are filled with colours.
        neat: Whether shapes are set by a shape tool: nothing is hatched or scribbled.
    """

    def __init__(self, rng: RandomStream, coloured: bool = False, neat: bool = False) -> None:
        self.rng = rng
        self.coloured = coloured
        self.neat = neat
        self.rows: list[tuple[float, ...]] = []

    def add(
        self,
        shape: Shape,
        x: float,
        y: float,
        width: float,
        height: float,
        angle: float = 0.0,
        *,
        other: Shape | None = None,
        mix: float = 0.0,
        shear: float = 0.0,
        taper: float = 0.0,
        bend: float = 0.0,
        start: float = 0.0,
        sweep: float = 1.0,
        line: float = 1.0,
        wobble: float = 1.0,
        ink: Ink = Ink.DETAIL,
        fill: Ink = Ink.NONE,
        frame: Frame = Frame.FACE,
    ) -> None:
        """Adds a stroke; the parameters are those of `Column`."""
        second = shape if other is None else other
        place = (shape, second, mix, x, y, width, height, angle)
        self.rows.append((*place, shear, taper, bend, start, sweep, line, wobble, ink, fill, frame))

    def line(
        self, x0: float, y0: float, x1: float, y1: float, ink: Ink = Ink.DETAIL, frame: Frame = Frame.FACE
    ) -> None:
        """Adds a straight line between two points."""
        dx, dy = (x1 - x0) / 2, (y1 - y0) / 2
        angle = math.atan2(dy, dx)
        self.add(Shape.LINE, x0 + dx, y0 + dy, math.hypot(dx, dy), 0.0, angle, ink=ink, frame=frame)

    def shade(self, x: float, y: float, width: float, height: float, angle: float = 0.0) -> None:
        """Darkens an area as hands do, by a scribble instead of a filling."""
        scribble = self.rng.choice((Shape.HATCHING, Shape.HATCHING, Shape.SPIRAL, Shape.ZIGZAG))
        self.add(scribble, x, y, 0.75 * width, 0.75 * height, angle + self.rng.triangular(0.8))

    def tint(self, ink: Ink) -> Ink:
        """Returns a colour for filling, or none where this drawing has no colours."""
        return ink if self.coloured else Ink.NONE

    def slip(self, reach: float) -> float:
        """Returns by how much, below `reach`, a hand goes astray; a shape tool does not."""
        return 0.0 if self.neat else self.rng.triangular(reach)
