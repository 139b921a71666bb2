"""A car as a small photograph: rendered, masked, cropped to its box and brought to a square."""

from __future__ import annotations

import math
from random import Random
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from retable.kernels import helper, kernel
from retable.papers.cars.scenes.bodies import Body
from retable.papers.cars.scenes.kernels import record
from retable.papers.cars.scenes.materials import Light, Look
from retable.papers.cars.scenes.mesh import PARTS, TRIANGLES, VERTICES, build
from retable.papers.cars.scenes.raster import find_visible, project
from retable.papers.cars.scenes.shading import shade
from retable.papers.cars.scenes.views import Camera, Occlusion

Floats = NDArray[np.float64]
Pixels = NDArray[np.float32]

GREEN: Final = (51, 255, 51)
"""What is not car: red, green and blue (section 2)."""

_UPSCALED: Final = 0.3  # share of the cars that were smaller in the photograph than they are shown
_BLURRED: Final = 0.4  # share of the cars that are out of focus or moved
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
    sizes, materials = record(body), record(look)
    build(sizes, outline, TRIANGLES, positions, normals, traits)
    project(record(camera), positions, projected)
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
    shade(
        sizes,
        outline,
        materials,
        record(light),
        place,
        TRIANGLES,
        PARTS,
        positions,
        normals,
        traits,
        seen,
        weights,
        picture,
    )
    noise = 0.003 + 0.016 * random.random() ** 2
    small = np.empty((native, native, 4), np.float32)
    average(picture, small)
    # light of the car only: the mask was cut out of the photograph after the blur
    blur = random.uniform(0.35, 0.9) * native / 64
    soft = cv2.GaussianBlur(small, (0, 0), blur) if random.random() < _BLURRED else small
    image = np.empty((native, native, 3), np.uint8)
    develop(soft, small[..., 3], native < size, noise, random.randrange(1 << 31), image)
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
    """Take away what shapes cover or lies outside the window; see `retable.papers.cars.scenes.views.Occlusion`."""
    for row in range(seen.shape[0]):
        y = (row + 0.5 - box[1]) / box[3]
        for column in range(seen.shape[1]):
            if seen[row, column] < 0:
                continue
            x = (column + 0.5 - box[0]) / box[2]
            hidden = x < window[0] or x > window[2] or y < window[1] or y > window[3]
            for shape in range(len(shapes)):
                middle_x, middle_y, half_x, half_y = (
                    shapes[shape, 0],
                    shapes[shape, 1],
                    shapes[shape, 2],
                    shapes[shape, 3],
                )
                lean, power = shapes[shape, 4], shapes[shape, 5]
                across = abs(x - middle_x - lean * (y - middle_y)) / half_x
                down = abs(y - middle_y) / half_y
                if across < 1.0 and down < 1.0:
                    hidden = hidden or across**power + down**power < 1.0
            if hidden:
                seen[row, column] = -1


@helper
def _grain(state: int) -> tuple[int, float]:
    """Draw a number of mean 0 and variance 1 (a linear congruential generator, two draws of triangular shape)."""
    state = (state * 1103515245 + 12345) & 0x7FFFFFFF
    one = state >> 7
    state = (state * 1103515245 + 12345) & 0x7FFFFFFF
    return state, (one - (state >> 7)) * (2.449489742783178 / 2**24)


@helper
def _mixed(value: float, share: float, background: float) -> float:
    return 255.0 * min(1.0, max(0.0, value)) * share + background * (1.0 - share)


@kernel
def average(picture: Pixels, small: Pixels) -> None:
    """Average blocks of rendered pixels: (D S, D S, 4) into (S, S, 4)."""
    size = len(small)
    detail = len(picture) // size
    each = 1.0 / (detail * detail)
    for row in range(size):
        for column in range(size):
            for channel in range(4):
                total = 0.0
                for down in range(row * detail, (row + 1) * detail):
                    for right in range(column * detail, (column + 1) * detail):
                        total += picture[down, right, channel]
                small[row, column, channel] = total * each


@kernel
def develop(picture: Pixels, shares: Pixels, hard: bool, noise: float, seed: int, image: NDArray[np.uint8]) -> None:
    """Put the car onto green, with noise on the car alone.

    Args:
        picture: (S, S, 4) red, green and blue, each times the share of car in the fourth channel.
        shares: (S, S) of each pixel that is car.
        hard: Whether a pixel is car or green but no mixture, as pixels of a mask are.
        noise: Standard deviation, of 1.
        seed: Of the noise.
        image: (S, S, 3) is overwritten.
    """
    size = len(image)
    state = seed
    for row in range(size):
        for column in range(size):
            share = float(shares[row, column])
            if hard:
                share = 1.0 if share >= 0.5 else 0.0
            red, green, blue = float(GREEN[0]), float(GREEN[1]), float(GREEN[2])
            if share > 0.0:
                state, grain = _grain(state)
                state, tint = _grain(state)
                each = 1.0 / picture[row, column, 3]
                grain *= noise
                tint *= 0.4 * noise
                red = _mixed(picture[row, column, 0] * each + grain + tint, share, red)
                green = _mixed(picture[row, column, 1] * each + grain - 0.5 * tint, share, green)
                blue = _mixed(picture[row, column, 2] * each + grain + 0.6 * tint, share, blue)
            image[row, column, 0] = int(red + 0.5)
            image[row, column, 1] = int(green + 0.5)
            image[row, column, 2] = int(blue + 0.5)
