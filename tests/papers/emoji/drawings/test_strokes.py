import math

import numpy as np
import pytest

from retable.papers.emoji.drawings.layout import PAGE
from retable.papers.emoji.drawings.raster import render_strokes
from retable.papers.emoji.drawings.shapes import CLOSED, SHAPES, STEPS, Shape
from retable.papers.emoji.drawings.sketch import Frame, Ink, Sketch
from retable.papers.emoji.drawings.tools import Trait
from retable.synthetic.rng import RandomStream

_SIZE = 60
_BLACK_ON_WHITE = np.array([[255.0] * 3, [0.0] * 3, [0.0] * 3])


def _tool(width: float = 0.05, **traits: float) -> np.ndarray:
    tool = np.zeros(len(Trait))
    tool[Trait.WIDTH] = width
    tool[Trait.OPACITY] = tool[Trait.COVERAGE] = 1.0
    for name, value in traits.items():
        tool[Trait[name.upper()]] = value
    return tool


def _painted(sketch: Sketch, tool: np.ndarray, seed: int = 1, size: int = _SIZE) -> np.ndarray:
    """How dark each pixel is, 0 to 1."""
    canvas = np.full((size, size, 3), 255.0, np.float32)
    render_strokes(
        canvas, np.array(sketch.rows, np.float64), _BLACK_ON_WHITE, np.array([PAGE] * 3), np.zeros(2), tool, seed
    )
    return 1.0 - canvas[:, :, 0] / 255.0


def test_shapes_fill_their_square_and_closed_ones_close() -> None:
    assert SHAPES.shape == (len(Shape), STEPS + 1, 2)
    assert np.abs(SHAPES).max() <= 1.0 + 1e-9
    for shape in Shape:
        ends_meet = np.allclose(SHAPES[shape, 0], SHAPES[shape, -1], atol=1e-9)
        assert ends_meet == CLOSED[shape]


@pytest.mark.parametrize("centre", [(0.0, 0.0), (0.013, -0.21), (0.9, 0.0), (-1.0, 1.0)])
def test_a_filled_circle_covers_its_area(centre: tuple[float, float]) -> None:
    sketch = Sketch(RandomStream(0))
    sketch.add(Shape.CIRCLE, *centre, 0.5, 0.5, line=0.0, fill=Ink.LINE, frame=Frame.PAGE)
    dark = _painted(sketch, _tool())
    offset = (np.arange(_SIZE * 8) + 0.5) / (_SIZE * 4) - 1.0
    inside = (offset[None, :] - centre[0]) ** 2 + (offset[:, None] - centre[1]) ** 2 < 0.25
    expected = inside.reshape(_SIZE, 8, _SIZE, 8).mean(axis=(1, 3))
    assert dark.sum() == pytest.approx(inside.mean() * _SIZE**2, rel=0.01)
    assert np.abs(dark - expected).max() < 0.2


@pytest.mark.parametrize("angle", [0.0, 0.3, math.pi / 2, 2.0])
@pytest.mark.parametrize("width", [0.005, 0.03, 0.1])
def test_a_line_has_its_width_and_round_ends(width: float, angle: float) -> None:
    sketch = Sketch(RandomStream(0))
    sketch.add(Shape.LINE, 0.0, 0.0, 0.6, 0.0, angle, ink=Ink.LINE, frame=Frame.PAGE)
    dark = _painted(sketch, _tool(width))
    pixels = width * _SIZE
    length = 0.6 * _SIZE
    # lines under a pixel are painted one pixel wide and paler
    expected = pixels * length + math.pi / 4 * pixels * max(pixels, 1.0)
    assert dark.sum() == pytest.approx(expected, rel=0.06)
    assert dark.max() <= 1.0


def test_strokes_outside_the_picture_leave_no_ink() -> None:
    sketch = Sketch(RandomStream(0))
    for x, y in ((2.5, 0.0), (-2.5, 0.3), (0.0, 3.0), (0.1, -3.0), (50.0, -70.0)):
        sketch.add(Shape.HEART, x, y, 0.5, 0.5, ink=Ink.LINE, fill=Ink.LINE, frame=Frame.PAGE)
    assert _painted(sketch, _tool()).sum() == 0.0


def test_shapes_larger_than_the_picture_fill_it() -> None:
    sketch = Sketch(RandomStream(0))
    sketch.add(Shape.CIRCLE, 0.2, -0.4, 3.0, 4.0, fill=Ink.LINE, frame=Frame.PAGE)
    assert _painted(sketch, _tool()) == pytest.approx(np.ones((_SIZE, _SIZE)), abs=1e-6)


def test_the_order_of_points_does_not_matter_to_fillings() -> None:
    clockwise, mirrored = Sketch(RandomStream(0)), Sketch(RandomStream(0))
    clockwise.add(Shape.CIRCLE, 0.1, 0.0, 0.4, 0.3, line=0.0, fill=Ink.LINE)
    mirrored.add(Shape.CIRCLE, 0.1, 0.0, -0.4, 0.3, line=0.0, fill=Ink.LINE)
    assert _painted(clockwise, _tool()) == pytest.approx(_painted(mirrored, _tool()), abs=1e-5)


def test_a_steady_hand_ignores_the_seed_and_an_unsteady_one_does_not() -> None:
    sketch = Sketch(RandomStream(0))
    sketch.add(Shape.CIRCLE, 0.0, 0.0, 0.7, 0.7, frame=Frame.HEAD)
    steady, unsteady = _tool(), _tool(wobble=0.05, smoothness=0.2, jitter=0.03, tremor=0.01, pressure=0.3)
    assert np.array_equal(_painted(sketch, steady, 1), _painted(sketch, steady, 2))
    first, second = _painted(sketch, unsteady, 1), _painted(sketch, unsteady, 2)
    assert not np.array_equal(first, second)
    assert np.array_equal(first, _painted(sketch, unsteady, 1))
    # it still draws a circle: nearly all ink lies near the rim
    offset = (np.arange(_SIZE) + 0.5) / (_SIZE / 2) - 1.0
    radius = np.hypot(offset[None, :], offset[:, None])
    assert first[(radius > 0.4) & (radius < 1.0)].sum() > 0.97 * first.sum()
