"""A car as a small photograph: rendered, masked, cropped to its box and brought to a square."""

from __future__ import annotations

import math
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from retable.kernels import kernel
from retable.papers.cars.scenes.bodies import Body
from retable.papers.cars.scenes.materials import Light, Materials
from retable.papers.cars.scenes.mesh import PARTS, TRIANGLES, VERTICES, build
from retable.papers.cars.scenes.raster import find_visible, project
from retable.papers.cars.scenes.shading import shade
from retable.papers.cars.scenes.views import Camera, Occlusion
from retable.synthetic.camera import add_noise, blur
from retable.synthetic.raster import Image
from retable.synthetic.rng import RandomStream

Floats = NDArray[np.float64]
Pixels = NDArray[np.float32]

GREEN: Final = (51, 255, 51)
"""What is not car: red, green and blue (section 2)."""

_UPSCALED: Final = 0.3  # share of the cars that were smaller in the photograph than they are shown
_BLURRED: Final = 0.4  # share of the cars that are out of focus or moved
_DETAIL: Final = 2  # rendered pixels along a side of each pixel


def render(
    rng: RandomStream,
    size: int,
    body: Body,
    outline: Floats,
    materials: Materials,
    light: Light,
    camera: Camera,
    occlusion: Occlusion,
) -> Image:
    """Renders a car, uint8 RGB (size, size, 3); the arguments are what was drawn of it."""
    native = round(size * rng.uniform(0.45, 0.95)) if rng.chance(_UPSCALED) else size
    positions, normals, traits, projected = (np.empty((VERTICES, 3)) for _ in range(4))
    sizes, surfaces = record(body), record(materials)
    build(sizes, outline, TRIANGLES, positions, normals, traits)
    project(record(camera), positions, projected)
    left, top = projected[:, 0].min(), projected[:, 1].min()
    width, height = projected[:, 0].max() - left, projected[:, 1].max() - top
    side = native * _DETAIL
    window = occlusion.window
    shown = ((window[2] - window[0]) * width, (window[3] - window[1]) * height)
    scale = (side - 2.0 * rng.uniform(0.0, 0.04) * side) / max(shown)
    shift_x = 0.5 * side - scale * (left + 0.5 * (window[0] + window[2]) * width)
    shift_y = 0.5 * side - scale * (top + 0.5 * (window[1] + window[3]) * height)
    projected[:, 0] = projected[:, 0] * scale + shift_x
    projected[:, 1] = projected[:, 1] * scale + shift_y
    seen = np.empty((side, side), np.int32)
    weights = np.empty((side, side, 2), np.float32)
    find_visible(TRIANGLES, projected, seen, weights)
    box = (left * scale + shift_x, top * scale + shift_y, width * scale, height * scale)
    hide(seen, box, window, np.array(occlusion.shapes, np.float64).reshape(-1, 6))
    place = (
        camera.distance * math.cos(camera.azimuth), camera.distance * math.sin(camera.azimuth), camera.height,
    )  # fmt: skip
    picture = np.empty((side, side, 4), np.float32)
    surface = positions, normals, traits
    shade(sizes, outline, surfaces, record(light), place, TRIANGLES, PARTS, *surface, seen, weights, picture)
    # means of the light and of the share of car in each pixel, the light times that share
    small = np.asarray(cv2.resize(picture, (native, native), interpolation=cv2.INTER_AREA), np.float32)
    # light of the car only: the mask was cut out of the photograph after the blur
    soft = blur(small, rng.uniform(0.35, 0.9) * native / 64) if rng.chance(_BLURRED) else small
    car = add_noise(_unmixed(soft), 255.0 * (0.003 + 0.016 * rng.random() ** 2), rng)
    share = small[..., 3]
    if native < size:  # pixels of a mask are car or green but no mixture
        share = (share >= 0.5).astype(np.float32)
    green = np.full_like(car, GREEN)
    image = np.asarray(cv2.blendLinear(car, green, share, 1.0 - share), np.uint8)
    if native < size:
        image = np.asarray(cv2.resize(image, (size, size), interpolation=cv2.INTER_LINEAR), np.uint8)
    return image


def record(values: Any) -> Any:
    """Packs a named tuple of floats for compiled functions, which then pass it on by reference instead of by value."""
    return np.array([values], [(name, np.float64) for name in values._fields])[0]


def _unmixed(picture: Pixels) -> Image:
    """Returns the colours, as bytes, of a picture (S, S, 4) whose colours were multiplied by its fourth channel."""
    colours = cv2.cvtColor(picture, cv2.COLOR_RGBA2RGB)
    shares = cv2.cvtColor(picture[..., 3], cv2.COLOR_GRAY2RGB)
    return np.asarray(cv2.divide(colours, shares, scale=255.0, dtype=cv2.CV_8U), np.uint8)


@kernel
def hide(
    seen: NDArray[np.int32],
    box: tuple[float, float, float, float],
    window: tuple[float, float, float, float],
    shapes: Floats,
) -> None:
    """Takes away what shapes cover or lies outside the window; see `retable.papers.cars.scenes.views.Occlusion`."""
    for row in range(seen.shape[0]):
        y = (row + 0.5 - box[1]) / box[3]
        for column in range(seen.shape[1]):
            if seen[row, column] < 0:
                continue
            x = (column + 0.5 - box[0]) / box[2]
            hidden = x < window[0] or x > window[2] or y < window[1] or y > window[3]
            for shape in range(len(shapes)):
                middle_x, middle_y = shapes[shape, 0], shapes[shape, 1]
                half_x, half_y = shapes[shape, 2], shapes[shape, 3]
                lean, power = shapes[shape, 4], shapes[shape, 5]
                across = abs(x - middle_x - lean * (y - middle_y)) / half_x
                down = abs(y - middle_y) / half_y
                if across < 1.0 and down < 1.0:
                    hidden = hidden or across**power + down**power < 1.0
            if hidden:
                seen[row, column] = -1
