"""A car as a small photograph: rendered, masked, cropped to its box and brought to a square."""

from __future__ import annotations

import math
from random import Random
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from retable.cars.scenes.bodies import Body
from retable.cars.scenes.kernels import kernel
from retable.cars.scenes.looks import Light, Look
from retable.cars.scenes.mesh import PARTS, TRIANGLES, VERTICES, build
from retable.cars.scenes.paint import shade
from retable.cars.scenes.raster import find_visible, project
from retable.cars.scenes.views import Camera, Occlusion

Floats = NDArray[np.float64]

GREEN: Final = (51, 255, 51)
"""What is not car: red, green and blue (section 2)."""

_UPSCALED: Final = 0.3  # share of the cars that were smaller in the photograph than they are shown
_DETAIL: Final = 2  # rendered pixels along a side of each pixel


def photograph(
    random: Random,
    size: int,
    body: Body,
    outline: Floats,
    look: Look,
    light: Light,
    camera: Camera,
    occlusion: Occlusion,
) -> NDArray[np.uint8]:
    """Render a car, uint8 RGB (size, size, 3); the arguments are what was drawn of it."""
    native = round(size * random.uniform(0.45, 0.95)) if random.random() < _UPSCALED else size
    positions, normals, traits, projected = (np.empty((VERTICES, 3)) for _ in range(4))
    build(body, outline, TRIANGLES, positions, normals, traits)
    project(camera, positions, projected)
    left, top = projected[:, 0].min(), projected[:, 1].min()
    width, height = projected[:, 0].max() - left, projected[:, 1].max() - top
    side = native * _DETAIL
    window = occlusion.window
    shown = ((window[2] - window[0]) * width, (window[3] - window[1]) * height)
    scale = (side - 2.0 * random.uniform(0.0, 0.04) * side) / max(shown)
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
    shade(body, outline, look, light, place, TRIANGLES, PARTS, positions, normals, traits, seen, weights, picture)
    noise = 0.002 + 0.03 * random.random() ** 3
    blur = random.uniform(0.3, 0.9) * native / 64 if random.random() < 0.4 else 0.0
    if blur > 0.0:  # light of the car only: the mask was cut out of the photograph afterwards
        soft = cv2.GaussianBlur(picture, (0, 0), blur * _DETAIL)
        np.divide(soft[..., :3], soft[..., 3:], out=picture[..., :3], where=picture[..., 3:] > 0)
    image = np.empty((native, native, 3), np.uint8)
    develop(picture, native < size, noise, random.randrange(1 << 31), image)
    if native < size:
        image = np.asarray(cv2.resize(image, (size, size), interpolation=cv2.INTER_LINEAR), np.uint8)
    return image


@kernel
def hide(
    seen: NDArray[np.int32],
    box: tuple[float, float, float, float],
    window: tuple[float, float, float, float],
    shapes: Floats,
) -> None:
    """Take away what is covered by shapes or lies outside the window; see `retable.cars.scenes.views.Occlusion`."""
    for row in range(seen.shape[0]):
        y = (row + 0.5 - box[1]) / box[3]
        for column in range(seen.shape[1]):
            if seen[row, column] < 0:
                continue
            x = (column + 0.5 - box[0]) / box[2]
            hidden = x < window[0] or x > window[2] or y < window[1] or y > window[3]
            for shape in range(len(shapes)):
                middle_x, middle_y, half_x, half_y, lean, power = shapes[shape]
                across = abs(x - middle_x - lean * (y - middle_y)) / half_x
                down = abs(y - middle_y) / half_y
                if across < 1.0 and down < 1.0:
                    hidden = hidden or across**power + down**power < 1.0
            if hidden:
                seen[row, column] = -1


@kernel
def develop(picture: NDArray[np.float32], hard: bool, noise: float, seed: int, image: NDArray[np.uint8]) -> None:
    """Average the rendered pixels of each pixel onto green, with noise on the car alone.

    Args:
        picture: (D S, D S, 4) as of `retable.cars.scenes.paint.shade`.
        hard: Whether a pixel is car or green but no mixture, as pixels of a mask are.
        noise: Standard deviation, of 1.
        seed: Of the noise.
        image: (S, S, 3) is overwritten.
    """
    np.random.seed(seed)
    size = len(image)
    detail = len(picture) // size
    for row in range(size):
        for column in range(size):
            total = np.zeros(4)
            for down in range(detail):
                for right in range(detail):
                    for channel in range(4):
                        total[channel] += picture[row * detail + down, column * detail + right, channel]
            share = total[3] / (detail * detail)
            if hard:
                share = 1.0 if share >= 0.5 else 0.0
            if share > 0.0:
                grain = noise * np.random.normal()
                for channel in range(3):
                    value = total[channel] / total[3] + grain + 0.5 * noise * np.random.normal()
                    value = 255.0 * min(1.0, max(0.0, value)) * share + GREEN[channel] * (1.0 - share)
                    image[row, column, channel] = int(value + 0.5)
            else:
                for channel in range(3):
                    image[row, column, channel] = GREEN[channel]
