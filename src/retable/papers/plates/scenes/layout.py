"""What stands where in a scene, drawn before anything is rendered."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from retable.papers.plates.camera import draw_view, perspective
from retable.papers.plates.countries import COUNTRIES
from retable.papers.plates.scenes.surroundings import SIGNS
from retable.papers.plates.scenes.vehicles import STOCK, vehicle
from retable.synthetic.raster import Points
from retable.synthetic.rng import RandomStream, Weighted

Matrix = NDArray[np.float64]

_TWO_LINES: Final = {"us": 0.0, "eu": 0.12, "tr": 0.15, "in": 0.3, "uae": 0.45, "ksa": 0.65, "br": 0.12}
_WIDTHS: Final = {"us": 305.0, "ksa": 310.0, "uae": 335.0, "br": 400.0}  # mm, about; of others 520 or 280
_COUNTS: Weighted[int] = Weighted((0, 0.7), (1, 6.0), (2, 2.0), (3, 0.8))
_TRIES: Final = 8


@dataclass(frozen=True)
class PlacedVehicle:
    """A vehicle of the stock.

    Attributes:
        number: Which one.
        matrix: Maps its pixels to those of the scene, (3, 3), pixel centres at whole numbers.
        corners: Of its picture in the scene, (4, 2).
        flank: How far its side reaches to the right (negative: left), as a part of its width.
    """

    number: int
    matrix: Matrix
    corners: Points
    flank: float


@dataclass(frozen=True)
class PlacedPlate:
    """A plate.

    Attributes:
        seed: Of its appearance.
        country: Its code.
        lines: 1 or 2.
        centre: In the scene, pixels.
        axes: Maps a place in mm about the plate's centre, y down, to the scene: (3, 3), pixel centres at +0.5.
        scale: Pixels of the scene for each mm, about.
    """

    seed: int
    country: str
    lines: int
    centre: tuple[float, float]
    axes: Matrix
    scale: float


@dataclass(frozen=True)
class PlacedSign:
    """A sign with letters that is no plate: its number and its box in whole pixels."""

    number: int
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class SceneLayout:
    """A scene.

    Attributes:
        size: Side in pixels.
        seed: Of what is not placed: surroundings, light, camera.
        country: Of all plates.
        vehicles: The far ones first.
        plates: One for each vehicle, or without any; not all vehicles have one.
        signs: Behind the vehicles.
    """

    size: int
    seed: int
    country: str
    vehicles: tuple[PlacedVehicle, ...]
    plates: tuple[PlacedPlate, ...]
    signs: tuple[PlacedSign, ...]


def draw_layout(rng: RandomStream, size: int) -> SceneLayout:
    """Draws what stands where."""
    country = rng.choice(tuple(COUNTRIES))
    loose = rng.chance(0.1)  # plates without vehicles: on walls, in shops, close up
    vehicles: list[PlacedVehicle] = []
    plates: list[PlacedPlate] = []
    count = rng.integer(1, 3) if loose else _COUNTS.draw(rng)
    shares = sorted(rng.log_uniform(0.045, 0.5 if number else 0.62) for number in range(count))
    for share in shares:
        for _ in range(_TRIES):
            placed = _loose(rng, size, country, share) if loose else _mounted(rng, size, country, share)
            found, plate = placed
            if _is_free(found, plate, plates, size):
                if found is not None:
                    vehicles.append(found)
                if found is None or not rng.chance(0.06):
                    plates.append(plate)
                break
    signs = tuple(_sign(rng, size) for _ in range(rng.choice((0, 0, 1, 2, 3, 5))))
    return SceneLayout(size, rng.seed(), country, tuple(vehicles), tuple(plates), signs)


def _mounted(rng: RandomStream, size: int, country: str, share: float) -> tuple[PlacedVehicle, PlacedPlate]:
    number = rng.integer(0, STOCK - 1)
    drawn = vehicle(number)
    lines = _lines(rng, country, drawn.lines)
    scale = share * size / _width(country, lines)  # pixels of the scene for each mm
    high, wide = drawn.image.shape[:2]
    zoom = scale / drawn.scale
    seen = draw_view(rng, wide * zoom, high * zoom, 0.7)
    own = np.array([(0.0, 0.0), (wide, 0.0), (wide, high), (0.0, high)])
    # pixel centres at +0.5 on both sides: the shifts of `perspective` are undone by those of its arguments
    matrix = perspective(own + 0.5, seen + 0.5)
    mount = project(matrix, np.array([drawn.mount]))[0]
    centre = rng.uniform(0.08, 0.92) * size, rng.uniform(0.25, 0.95) * size
    shift = np.array(centre) - mount
    moved = np.array([[1.0, 0.0, shift[0]], [0.0, 1.0, shift[1]], [0.0, 0.0, 1.0]]) @ matrix
    # from mm about the mount to pixels of the sprite
    mm = np.array([[drawn.scale, 0.0, drawn.mount[0]], [0.0, drawn.scale, drawn.mount[1]], [0.0, 0.0, 1.0]])
    turn = 0.0 if rng.chance(0.85) else rng.triangular(0.08)
    plate = PlacedPlate(rng.seed(), country, lines, centre, moved @ mm @ _turned(turn), scale)
    half = np.array([[1.0, 0.0, -0.5], [0.0, 1.0, -0.5], [0.0, 0.0, 1.0]])
    for_opencv = half @ moved @ np.linalg.inv(half)
    flank = rng.sign() * rng.uniform(0.2, 1.0) if rng.chance(0.7) and drawn.lines == 0 else 0.0
    return PlacedVehicle(number, for_opencv, seen + shift, flank), plate


def _loose(rng: RandomStream, size: int, country: str, share: float) -> tuple[None, PlacedPlate]:
    lines = _lines(rng, country, 0)
    scale = share * size / _width(country, lines)
    centre = rng.uniform(0.08, 0.92) * size, rng.uniform(0.08, 0.92) * size
    own = np.array([(-250.0, -100.0), (250.0, -100.0), (250.0, 100.0), (-250.0, 100.0)])
    seen = draw_view(rng, 500 * scale, 200 * scale) + centre
    return None, PlacedPlate(rng.seed(), country, lines, centre, perspective(own + 0.5, seen + 0.5), scale)


def _lines(rng: RandomStream, country: str, wanted: int) -> int:
    two = rng.chance(_TWO_LINES[country])
    return 1 if country == "us" else wanted or 1 + two


def _width(country: str, lines: int) -> float:
    if country == "us":
        return _WIDTHS[country]
    if lines == 1:
        return 400.0 if country == "br" else 515.0
    return _WIDTHS.get(country, 280.0) if country != "br" else 200.0


def _is_free(found: PlacedVehicle | None, plate: PlacedPlate, others: list[PlacedPlate], size: int) -> bool:
    """Whether no other plate is covered."""
    low, high = _bounds(plate, 1.15)
    if found is not None:
        low, high = found.corners.min(axis=0), found.corners.max(axis=0)
        reach = abs(found.flank) * (high[0] - low[0])
        if found.flank < 0:
            low[0] -= reach
        else:
            high[0] += reach
    for other in others:
        first, last = _bounds(other, 1.1)
        if (low < last).all() and (high > first).all():
            return False
    return True


def _bounds(plate: PlacedPlate, factor: float) -> tuple[Points, Points]:
    """The box of a plate of the largest size."""
    half = factor * 0.55 * _width(plate.country, plate.lines)
    tall = half * (0.35 if plate.lines == 1 and plate.country != "us" else 0.95)
    places = project(plate.axes, np.array([(-half, -tall), (half, -tall), (half, tall), (-half, tall)]))
    return places.min(axis=0), places.max(axis=0)


def _sign(rng: RandomStream, size: int) -> PlacedSign:
    width = rng.log_uniform(0.04, 0.6) * size
    height = min(width / rng.log_uniform(0.7, 5.0), 0.5 * size)
    x, y = rng.uniform(-0.2, 1.0) * size, rng.uniform(-0.1, 0.75) * size
    return PlacedSign(rng.integer(0, SIGNS - 1), round(x), round(y), max(8, round(width)), max(6, round(height)))


def _turned(angle: float) -> Matrix:
    cosine, sine = math.cos(angle), math.sin(angle)
    return np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])


def project(matrix: Matrix, points: Points) -> Points:
    """Maps places (N, 2)."""
    places = np.concatenate([points, np.ones((len(points), 1))], 1) @ matrix.T
    return np.asarray(places[:, :2] / places[:, 2:], np.float64)
