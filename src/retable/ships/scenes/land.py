"""The land: ground, vegetation, quay aprons, piers, roads, buildings, yards, tanks and trees."""

from __future__ import annotations

import math

import cv2
import numpy as np

from retable.ships.scenes.decks import CONTAINERS
from retable.ships.scenes.dice import Dice
from retable.ships.scenes.geometry import SHIFT, Image, Points, fixed, place, rectangles
from retable.ships.scenes.layout import SceneLayout
from retable.ships.scenes.noise import noise_banks
from retable.ships.scenes.sprites import Colour, Sun, cast_shadow, shade, vary
from retable.ships.scenes.water import ramp

_GROUNDS: tuple[Colour, ...] = ((134, 130, 120), (152, 140, 118), (112, 112, 104), (126, 112, 92), (164, 156, 140), (96, 104, 82))
_GREENS: tuple[Colour, ...] = ((66, 84, 52), (52, 70, 46), (88, 96, 62), (44, 58, 40), (104, 104, 72))
_CONCRETE: tuple[Colour, ...] = ((164, 162, 154), (140, 140, 136), (182, 178, 166), (118, 118, 116), (150, 142, 128))
_ROOFS: tuple[Colour, ...] = ((150, 82, 62), (128, 128, 130), (176, 174, 168), (96, 110, 128), (120, 70, 56), (206, 204, 198), (84, 84, 88), (160, 120, 92))


def _textured(image: Image, mask: Image, colour: Colour, dice: Dice, amount: float, fine: bool) -> None:
    """Fill the masked part of an image with a noisy colour, in place."""
    banks, size = noise_banks(), image.shape[0]
    noise = banks.window(banks.ground, dice, size, size)
    if fine:
        noise = cv2.addWeighted(noise, 0.6, banks.window(banks.ripple, dice, size, size), 0.6, -26.0)
    low, high = shade(colour, 1 - amount), shade(colour, 1 + amount)
    cv2.copyTo(cv2.applyColorMap(noise, ramp(low, colour, high)), mask, image)


def paint_ground(image: Image, layout: SceneLayout, dice: Dice) -> Image:
    """Draw the ground of land and piers, in place.

    Returns:
        uint8 (size, size) mask of the inland, where buildings may stand.
    """
    shore, size = layout.shore, layout.size
    land = np.zeros((size, size), np.uint8)
    for polygon in shore.lands:
        cv2.fillPoly(land, [fixed(polygon)], (255,), cv2.LINE_8, SHIFT)
    banks = noise_banks()
    ground = vary(dice, dice.pick(_GROUNDS))
    _textured(image, land, ground, dice, dice.uniform(0.25, 0.6), fine=True)
    green = cv2.inRange(banks.window(banks.clouds, dice, size, size), dice.integer(90, 170) if shore.built else dice.integer(40, 130), 255)
    cv2.bitwise_and(green, land, green)
    _textured(image, green, vary(dice, dice.pick(_GREENS)), dice, dice.uniform(0.4, 0.9), fine=True)
    inland = land.copy()
    margin = (dice.uniform(12.0, 45.0) if shore.built else dice.uniform(6.0, 30.0)) / layout.resolution
    edge = np.zeros_like(land)
    lines = [fixed(polygon) for polygon in shore.lands]
    cv2.polylines(edge, lines, True, (255,), max(int(2 * margin), 2), cv2.LINE_8, SHIFT)
    inland[edge > 0] = 0
    concrete = vary(dice, dice.pick(_CONCRETE))
    if shore.built:
        cv2.bitwise_and(edge, land, edge)
        _textured(image, edge, concrete, dice, dice.uniform(0.1, 0.3), fine=False)
    elif dice.chance(0.6):  # a beach
        sand = np.zeros_like(land)
        cv2.polylines(sand, lines, True, (255,), max(int(margin), 2), cv2.LINE_8, SHIFT)
        cv2.bitwise_and(sand, land, sand)
        _textured(image, sand, vary(dice, dice.pick(((186, 170, 136), (150, 140, 118), (110, 104, 92)))), dice, 0.25, fine=False)
    _paint_roads(image, layout, inland, dice)
    line = (60, 60, 60) if dice.chance(0.5) else shade(concrete, 1.2)
    thickness = max(int(1.2 / layout.resolution), 1)
    if shore.built:
        cv2.polylines(image, lines, True, line, thickness, cv2.LINE_AA, SHIFT)
    if shore.decks:
        piers = np.zeros_like(land)
        for points, _ in shore.decks:
            cv2.fillPoly(piers, [fixed(points)], (255,), cv2.LINE_8, SHIFT)
        deck = concrete if dice.chance(0.6) else vary(dice, dice.pick(((186, 182, 170), (112, 92, 74), (130, 126, 118))))
        _textured(image, piers, deck, dice, dice.uniform(0.1, 0.35), fine=False)
        outlines = [fixed(points) for points, _ in shore.decks]
        cv2.polylines(image, outlines, True, shade(deck, dice.pick((0.6, 1.2))), thickness, cv2.LINE_AA, SHIFT)
    return inland


def _paint_roads(image: Image, layout: SceneLayout, inland: Image, dice: Dice) -> None:
    """Draw roads along and across the shore, and bare lots, on the inland only."""
    size, shore = layout.size, layout.shore
    roads = np.zeros((size, size), np.uint8)
    reach = 1.5 * size
    width = max(int(dice.uniform(7.0, 14.0) / layout.resolution), 1)
    across = max(dice.uniform(70.0, 220.0) / layout.resolution, 24.0)
    spread = int(min(reach / across, 24))
    for number in range(-spread, spread + 1):
        if dice.chance(0.7):
            at = (number + dice.uniform(-0.2, 0.2)) * across
            ends = ((at, -reach), (at, reach)) if dice.chance(0.5) else ((-reach, at), (reach, at + dice.normal(0.0, 0.04) * size))
            line = fixed(place(np.array(ends), *shore.origin, shore.angle))
            cv2.line(roads, line[0].tolist(), line[1].tolist(), (255,), width, cv2.LINE_8, SHIFT)
    cv2.bitwise_and(roads, inland, roads)
    image[roads > 0] = vary(dice, dice.pick(((104, 104, 104), (88, 88, 90), (150, 146, 138), (128, 116, 100))))


def _cells(layout: SceneLayout, dice: Dice, pitch_u: float, pitch_v: float) -> Points:
    """Return the centres (N, 2), in the shore's frame, of a grid of cells that covers the image."""
    size, shore = layout.size, layout.shore
    corners = np.array([[0, 0], [size, 0], [size, size], [0, size]], float) - shore.origin
    local = place(corners, 0.0, 0.0, -shore.angle)
    u = np.arange(local[:, 0].min() + dice.unit() * pitch_u, local[:, 0].max(), pitch_u)
    v = np.arange(local[:, 1].min() + dice.unit() * pitch_v, local[:, 1].max(), pitch_v)
    return np.stack(np.meshgrid(u, v), -1).reshape(-1, 2)


def _on(mask: Image, corners: Points) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Tell for each rectangle (N, 4, 2) whether its visible corners lie on the mask, at least one being visible."""
    size = mask.shape[0]
    index = np.floor(corners).astype(np.intp)
    visible = ((index >= 0) & (index < size)).all(-1)
    index = index.clip(0, size - 1)
    good = (mask[index[..., 1], index[..., 0]] > 0) | ~visible
    return np.asarray(good.all(1) & visible.any(1))


_ZONES = ("houses", "sheds", "yard", "tanks", "trees", "empty")


def paint_buildings(image: Image, shadows: Image, layout: SceneLayout, inland: Image, sun: Sun, dice: Dice) -> list[tuple[Points, Colour, int]]:
    """Choose buildings, cast their shadows, and return what to draw once the shadows lie: (corners (4, 2), colour, 0 flat, 1 ridged, 2 round)."""
    shore = layout.shore
    menu = ("houses", "sheds", "yard", "tanks", "trees") if shore.built else ("houses", "trees", "trees", "houses", "sheds")
    table = [dice.pick((*menu, "empty")) for _ in range(16)]
    if not shore.built and dice.chance(0.6):
        table = ["trees" if dice.chance(0.4) else "empty" for _ in range(16)]
    zone_size = dice.uniform(90.0, 220.0) / layout.resolution
    palette = [vary(dice, dice.pick(_ROOFS), 16) for _ in range(6)]
    found: list[tuple[Points, Colour, int]] = []
    for kind, pitch, size_range, height, density in (
        ("houses", (17.0, 15.0), (0.45, 0.85), 7.0, 0.75),
        ("sheds", (58.0, 34.0), (0.6, 0.9), 10.0, 0.8),
        ("yard", (27.0, 9.0), (0.55, 0.95), 6.0, 0.8),
        ("tanks", (40.0, 40.0), (0.5, 0.8), 14.0, 0.7),
        ("trees", (11.0, 11.0), (0.5, 1.1), 6.0, 0.55),
    ):
        if kind not in table:
            continue
        stretch = dice.uniform(0.8, 1.5)
        pu, pv = (max(p * stretch / layout.resolution, 7.0 if kind != "yard" else 3.5) for p in pitch)
        cells = _cells(layout, dice, pu, pv)
        zone = np.floor(cells / zone_size).astype(np.int64)
        number = (zone[:, 0] * 5 + zone[:, 1] * 3 + (zone[:, 0] * zone[:, 1]) % 7) % 16
        chosen = np.array([name == kind for name in table])[number]
        chosen &= dice.generator.random(len(cells)) < density
        cells = cells[chosen]
        sizes = dice.generator.uniform(*size_range, (len(cells), 2)) * (pu, pv)
        if kind in ("tanks", "trees"):
            sizes[:, 1] = sizes[:, 0]
            cells = cells + dice.generator.uniform(-0.25, 0.25, cells.shape) * (pu, pv)
        centres = place(cells, *shore.origin, shore.angle)
        corners = rectangles(centres, sizes, shore.angle)
        corners = corners[_on(inland, corners)][:260]
        tones = dice.generator.integers(0, 1000, len(corners)).tolist()
        tall = height * dice.uniform(0.6, 1.5) / layout.resolution
        for points, tone in zip(corners, tones, strict=True):
            if kind == "yard":
                colour = CONTAINERS[tone % len(CONTAINERS)]
            elif kind == "trees":
                colour = shade(_GREENS[1], 0.7 + tone / 1500)
            elif kind == "tanks":
                colour = shade((214, 212, 206), 0.8 + tone / 5000)
            else:
                colour = shade(palette[tone % 6], 0.85 + tone / 3500)
            found.append((points, colour, 2 if kind in ("tanks", "trees") else 1 if kind in ("houses", "sheds") else 0))
            if kind != "trees":
                cast_shadow(shadows, points, tall, sun)
    return found


def draw_buildings(image: Image, buildings: list[tuple[Points, Colour, int]], sun: Sun) -> None:
    """Draw what `paint_buildings` chose, in place."""
    for points, colour, form in buildings:
        if form == 2:
            centre = fixed(points.mean(0))
            radius = int(0.5 * math.dist(points[0], points[1]) * (1 << SHIFT))
            cv2.circle(image, centre.tolist(), radius, colour, cv2.FILLED, cv2.LINE_AA, SHIFT)
            continue
        cv2.fillConvexPoly(image, fixed(points), colour, cv2.LINE_AA, SHIFT)
        if form == 1:  # the roof's far side, away from the sun
            half = points.copy()
            edge = points[1] - points[0]
            away = -edge[1] * math.cos(sun.angle) + edge[0] * math.sin(sun.angle) > 0
            if away:
                half[0], half[1] = (points[0] + points[3]) / 2, (points[1] + points[2]) / 2
            else:
                half[3], half[2] = (points[0] + points[3]) / 2, (points[1] + points[2]) / 2
            cv2.fillConvexPoly(image, fixed(half), shade(colour, 0.8), cv2.LINE_AA, SHIFT)
