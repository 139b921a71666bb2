"""From a layout to pixels and boxes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from retable.papers.plates.artwork import Plate, draw_plate
from retable.papers.plates.camera import perspective
from retable.papers.plates.scenes.layout import PlacedPlate, PlacedVehicle, SceneLayout, project
from retable.papers.plates.scenes.surroundings import draw_street, sign
from retable.papers.plates.scenes.vehicles import Vehicle, vehicle
from retable.synthetic.camera import add_noise, blur, compress, smear, tint
from retable.synthetic.raster import SHIFT, Image, Points, fixed
from retable.synthetic.rng import RandomStream

Target = dict[str, NDArray[Any]]
_VISIBLE: Final = 0.5  # part of a plate's box that must be in the image; less is difficult


def plate_corners(placed: PlacedPlate, plate: Plate) -> Points:
    """Returns the corners (4, 2) of a plate in the scene, clockwise from its upper left."""
    return project(placed.axes, _millimetres(plate, plate.corners))


def draw_plates(layout: SceneLayout, scale: float | None = None) -> list[Plate]:
    """Draws the plates of a scene; the scale, pixels for each mm, is by default what the scene shows of each."""
    return [
        # the stream does not depend on the scale: the same plate is drawn at any
        draw_plate(RandomStream(item.seed), item.country, item.lines, scale or min(max(1.1 * item.scale, 0.1), 1.0))
        for item in layout.plates
    ]


def labels(layout: SceneLayout, plates: Sequence[Plate]) -> Target:
    """Returns what a detector is to find.

    Args:
        layout: The scene.
        plates: What `draw_plates` made, at any scale.

    Returns:
        boxes float32 (N, 4), the axis-aligned x1, y1, x2, y2 around the plates' corners, within the image; labels
        int64 (N,), all 0; difficult bool (N,), for plates of which the image's edge hides half and more; corners
        float32 (N, 4, 2), also outside of the image.
    """
    boxes, difficult, known = [], [], []
    for placed, plate in zip(layout.plates, plates, strict=True):
        corners = plate_corners(placed, plate)
        low, high = corners.min(axis=0), corners.max(axis=0)
        inside = np.clip(low, 0, layout.size), np.clip(high, 0, layout.size)
        boxes.append((*inside[0], *inside[1]))
        known.append(corners)
        difficult.append(np.prod(inside[1] - inside[0]) < _VISIBLE * np.prod(high - low))
    return {
        "boxes": np.array(boxes, np.float32).reshape(-1, 4),
        "labels": np.zeros(len(boxes), np.int64),
        "difficult": np.array(difficult, np.bool_),
        "corners": np.array(known, np.float32).reshape(-1, 4, 2),
    }


def render(layout: SceneLayout, plates: Sequence[Plate]) -> Image:
    """Renders a scene as uint8 RGB (size, size, 3)."""
    rng = RandomStream(layout.seed)
    image = draw_street(rng, layout.size)
    for board in layout.signs:
        _paste(image, sign(board.number), board.x, board.y, board.width, board.height)
    for item in layout.vehicles:
        _draw_vehicle(image, item, rng)
    night = rng.chance(0.16)
    if night:
        image = _darkened(image, rng)
    for placed, plate in zip(layout.plates, plates, strict=True):
        _draw_plate(image, placed, plate, rng, night)
    if night or rng.chance(0.06):
        for item in layout.vehicles:
            _light_lamps(image, item, rng)
    if rng.chance(0.12):
        _print_time(image, rng)
    return _develop(image, rng, night)


def _millimetres(plate: Plate, places: Points) -> Points:
    """Turns pixels of a texture into mm about the plate's centre."""
    low, high = plate.corners[0], plate.corners[2]
    moved: Points = (places - (low + high) / 2) / plate.scale
    return moved


def _draw_plate(image: Image, placed: PlacedPlate, plate: Plate, rng: RandomStream, night: bool) -> None:
    rows, columns = plate.texture.shape[:2]
    outer = np.array([(0.0, 0.0), (columns, 0.0), (columns, rows), (0.0, rows)])
    if rng.chance(0.35):  # no holder: the plate alone
        outer = plate.corners
    places = project(placed.axes, _millimetres(plate, outer))
    region = _region(places, image)
    if region is None:
        return
    left, top, right, bottom = region
    bright = rng.uniform(0.35, 1.3) if night else rng.uniform(0.72, 1.12)
    texture = cv2.convertScaleAbs(plate.texture, alpha=bright)
    if rng.chance(0.12):
        _cover(texture, rng)
    local = places - (left, top)
    size = (right - left, bottom - top)
    seen = cv2.warpPerspective(
        texture, perspective(outer, local), size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    mask = np.zeros(size[::-1], np.uint8)
    cv2.fillConvexPoly(mask, fixed(local), 255, cv2.LINE_AA, SHIFT)
    weight = mask.astype(np.float32) * np.float32(1 / 255)
    part = image[top:bottom, left:right]
    part[:] = cv2.blendLinear(seen, part, weight, 1.0 - weight)


def _cover(texture: Image, rng: RandomStream) -> None:
    """Puts something before a plate: a tow ball, a bar, a leaf, a shadow's edge."""
    rows, columns = texture.shape[:2]
    kind = rng.random()
    dark = rng.choice(((30, 30, 32), (120, 120, 122), (60, 80, 40)))
    if kind < 0.4:
        cv2.circle(texture, (round(rng.uniform(0.3, 0.7) * columns), rows), max(2, rows // 4), dark, cv2.FILLED)
    elif kind < 0.6:
        x = round(rng.uniform(0.05, 0.95) * columns)
        cv2.line(texture, (x, 0), (round(x + rng.triangular(0.2) * columns), rows), dark, max(1, columns // 30))
    else:
        cut = rng.uniform(0.2, 0.8) * columns
        slant = rng.triangular(0.6) * columns
        shadow = np.array([(cut, 0), (columns, 0), (columns, rows), (cut + slant, rows)]).round().astype(np.int32)
        mask = np.zeros(texture.shape[:2], np.uint8)
        cv2.fillPoly(mask, [shadow], 255)
        cv2.copyTo(cv2.convertScaleAbs(texture, alpha=rng.uniform(0.35, 0.75)), mask, texture)


def _draw_vehicle(image: Image, placed: PlacedVehicle, rng: RandomStream) -> None:
    drawn = vehicle(placed.number)
    corners = placed.corners
    _cast_shadow(image, corners, rng)
    if placed.flank:
        _draw_flank(image, drawn, corners, placed.flank, rng)
    region = _region(corners, image)
    if region is None:
        return
    left, top, right, bottom = region
    matrix = np.array([[1.0, 0.0, -left], [0.0, 1.0, -top], [0.0, 0.0, 1.0]]) @ placed.matrix
    picture = drawn.image
    across = float(np.linalg.norm(corners[1] - corners[0]))
    step = 1
    while step < 4 and across * step * 2 < picture.shape[1]:  # several pixels of the stock's fall on one
        step *= 2
    if step > 1:
        picture = _shrunk(placed.number, step)
        half = (step - 1) / 2
        matrix = matrix @ np.array([[step, 0.0, half], [0.0, step, half], [0.0, 0.0, 1.0]])
    size = (right - left, bottom - top)
    if (
        across > 1.8 * picture.shape[1]
    ):  # the stock has no more to show: at half the size it takes a quarter of the time
        halved = np.array([[0.5, 0.0, -0.25], [0.0, 0.5, -0.25], [0.0, 0.0, 1.0]])
        small = ((size[0] + 1) // 2, (size[1] + 1) // 2)
        seen = cv2.warpPerspective(picture, halved @ matrix, small, flags=cv2.INTER_LINEAR)
        seen = cv2.resize(seen, (2 * small[0], 2 * small[1]), interpolation=cv2.INTER_LINEAR)[: size[1], : size[0]]
    else:
        seen = cv2.warpPerspective(picture, matrix, size, flags=cv2.INTER_LINEAR)
    colours, covered = cv2.cvtColor(seen, cv2.COLOR_RGBA2RGB), cv2.extractChannel(seen, 3)
    cv2.copyTo(colours, cv2.threshold(covered, 127, 255, cv2.THRESH_BINARY)[1], image[top:bottom, left:right])


@cache
def _shrunk(number: int, step: int) -> Image:
    picture = vehicle(number).image
    rows, columns = (side // step * step for side in picture.shape[:2])
    size = columns // step, rows // step
    return np.asarray(cv2.resize(picture[:rows, :columns], size, interpolation=cv2.INTER_AREA), np.uint8)


def _cast_shadow(image: Image, corners: Points, rng: RandomStream) -> None:
    across = corners[2] - corners[3]
    reach = 0.06 * np.linalg.norm(across) * rng.uniform(0.6, 2.5)
    base = [corners[3] - 0.04 * across, corners[2] + 0.04 * across]
    places = np.array([base[0] - (0, reach), base[1] - (0, reach), base[1] + (0, reach), base[0] + (0, reach)])
    region = _region(places, image)
    if region is None:
        return
    left, top, right, bottom = region
    part = image[top:bottom, left:right]
    mask = np.zeros(part.shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, fixed(places - (left, top)), 255, cv2.LINE_8, SHIFT)
    cv2.copyTo(cv2.convertScaleAbs(part, alpha=rng.uniform(0.3, 0.7)), mask, part)


def _draw_flank(image: Image, drawn: Vehicle, corners: Points, flank: float, rng: RandomStream) -> None:
    """Draws the side of a vehicle that is turned away: a body, windows, wheels, in the colour of its front."""
    upper, lower = (corners[1], corners[2]) if flank > 0 else (corners[0], corners[3])
    wide, tall = abs(flank) * np.linalg.norm(corners[1] - corners[0]), np.linalg.norm(lower - upper)
    inward = -0.16 * wide if flank > 0 else 0.16 * wide
    way = math.copysign(wide, flank)
    rise = rng.uniform(0.02, 0.16) * wide
    rows, columns = drawn.image.shape[:2]
    paint = [int(value * 0.8) for value in drawn.image[round(0.52 * rows), round(0.14 * columns), :3]]

    def at(along: float, up: float) -> tuple[float, float]:
        shrink = 1 - 0.25 * along * abs(flank)
        return lower[0] + inward + way * along, lower[1] - rise * along - up * tall * shrink

    body = [at(0, 0.16), at(0, 0.56), at(0.25, 0.9), at(0.8, 0.88), at(1, 0.56), at(1, 0.18)]
    glass = [at(0.16, 0.6), at(0.32, 0.84), at(0.76, 0.82), at(0.9, 0.6)]
    for places, colour in ((body, paint), (glass, (44, 50, 56))):
        cv2.fillPoly(image, [fixed(np.array(places))], colour, cv2.LINE_AA, SHIFT)
    for along in (0.2, 0.85):
        x, y = at(along, 0.16)
        radius = max(2, round(0.15 * tall))
        centre, axes = (round(x), round(y)), (max(1, round(0.6 * radius)), radius)
        cv2.ellipse(image, centre, axes, 0, 0, 360, (22, 22, 24), cv2.FILLED, cv2.LINE_AA)
        cv2.ellipse(
            image, centre, (axes[0] // 2 + 1, radius // 2 + 1), 0, 0, 360, (120, 122, 126), cv2.FILLED, cv2.LINE_AA
        )


def _light_lamps(image: Image, placed: PlacedVehicle, rng: RandomStream) -> None:
    drawn = vehicle(placed.number)
    on = np.array(drawn.lamps) - 0.5
    size = np.linalg.norm(placed.corners[1] - placed.corners[0]) * rng.log_uniform(0.1, 0.6)
    colour = (255, 50, 40) if drawn.red else rng.choice(((255, 246, 220), (255, 226, 160)))
    strength = rng.uniform(0.3, 1.0)
    for x, y in project(placed.matrix, on):
        left, top = round(x - size / 2), round(y - size / 2)
        blob = cv2.resize(_blob(), (max(3, round(size)),) * 2, interpolation=cv2.INTER_LINEAR)
        rows = slice(max(top, 0), max(0, min(top + len(blob), image.shape[0])))
        columns = slice(max(left, 0), max(0, min(left + len(blob), image.shape[1])))
        part = image[rows, columns]
        if part.size:
            shown = blob[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
            glow = shown[..., None] * (np.array(colour, np.float32) * strength)
            part[:] = cv2.add(part, glow.astype(np.uint8))


@cache
def _blob() -> NDArray[np.float32]:
    axis = np.linspace(-1.0, 1.0, 96, dtype=np.float32)
    square = axis[:, None] ** 2 + axis**2
    return np.asarray(np.clip(1.6 * np.exp(-7.0 * square) - 0.02, 0.0, 1.0) * (square < 1.0), np.float32)


def _darkened(image: Image, rng: RandomStream) -> Image:
    warm = rng.choice(((1.0, 1.0, 1.0), (1.1, 0.85, 0.6), (0.8, 0.95, 1.1)))
    gains = rng.uniform(0.2, 0.55) * np.diag(warm)
    return np.asarray(cv2.transform(image, gains.astype(np.float32)), np.uint8)


def _print_time(image: Image, rng: RandomStream) -> None:
    """Prints what a surveillance camera does into a corner."""
    text = f"{rng.integer(2008, 2024)}-{rng.integer(1, 12):02d}-{rng.integer(1, 28):02d} {rng.integer(0, 23):02d}:00:14"
    size = image.shape[0]
    place = (round(rng.choice((0.01, 0.6)) * size), round(rng.choice((0.03, 0.985)) * size))
    colour = rng.choice(((240, 240, 240), (240, 220, 60)))
    cv2.putText(image, text, place, cv2.FONT_HERSHEY_PLAIN, size / 640, colour, 1, cv2.LINE_AA)


def _paste(image: Image, picture: Image, x: int, y: int, width: int, height: int) -> None:
    left, top = max(x, 0), max(y, 0)
    right, bottom = min(x + width, image.shape[1]), min(y + height, image.shape[0])
    if right <= left or bottom <= top:
        return
    method = cv2.INTER_AREA if 1.5 * width < picture.shape[1] else cv2.INTER_LINEAR
    shown = cv2.resize(picture, (width, height), interpolation=method)
    image[top:bottom, left:right] = shown[top - y : bottom - y, left - x : right - x]


def _develop(image: Image, rng: RandomStream, night: bool) -> Image:
    """Sends a scene through a camera; the kinds of loss take turns, which costs less than all of them at once."""
    size = image.shape[0]
    image = tint(image, rng, 0.8)
    kind = rng.random()
    if kind < 0.12:
        image = blur(image, rng.log_uniform(0.5, 1.6) * size / 672)
    elif kind < 0.18:
        image = smear(image, rng.uniform(3, 9) * size / 672, rng.triangular(0.6))
    elif kind < 0.4:  # few pixels, as of a small photo or a part of a large one
        few = round(size * rng.uniform(0.5, 0.85))
        image = np.asarray(cv2.resize(image, (few, few), interpolation=cv2.INTER_LINEAR), np.uint8)
    if rng.chance(0.8 if night else 0.35):
        image = add_noise(image, rng.log_uniform(1.0, 12.0 if night else 7.0), rng)
    if image.shape[0] < size or rng.chance(0.08):
        image = compress(image, rng.integer(35, 92))
    if image.shape[0] < size:
        image = np.asarray(cv2.resize(image, (size, size), interpolation=cv2.INTER_LINEAR), np.uint8)
    return image


def _region(places: Points, image: Image) -> tuple[int, int, int, int] | None:
    """Returns left, top, right, bottom in whole pixels of what is seen of places; None where nothing is."""
    low, high = np.floor(places.min(axis=0)) - 1, np.ceil(places.max(axis=0)) + 1
    left, top = max(int(low[0]), 0), max(int(low[1]), 0)
    right, bottom = min(int(high[0]), image.shape[1]), min(int(high[1]), image.shape[0])
    return (left, top, right, bottom) if right > left and bottom > top else None
