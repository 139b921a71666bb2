"""The land: ground, vegetation, quay aprons, piers, roads, buildings, yards, tanks and trees."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from retable.papers.larsd.scenes.decks import CONTAINERS
from retable.papers.larsd.scenes.geometry import rectangles
from retable.papers.larsd.scenes.layout import SceneLayout
from retable.papers.larsd.scenes.sprites import Colour, Sun, shade, vary
from retable.papers.larsd.scenes.textures import clouds, ground, ripple
from retable.papers.larsd.scenes.water import ramp
from retable.synthetic.noise import window
from retable.synthetic.raster import SHIFT, Image, Points, fill, fixed, outline, place
from retable.synthetic.rng import RandomStream

_GROUNDS: tuple[Colour, ...] = (
    (134, 130, 120), (152, 140, 118), (112, 112, 104), (126, 112, 92), (164, 156, 140), (96, 104, 82),
)  # fmt: skip
_GREENS: tuple[Colour, ...] = ((66, 84, 52), (52, 70, 46), (88, 96, 62), (44, 58, 40), (104, 104, 72))
_CONCRETE: tuple[Colour, ...] = ((164, 162, 154), (140, 140, 136), (182, 178, 166), (118, 118, 116), (150, 142, 128))
_ROOFS: tuple[Colour, ...] = (
    (150, 82, 62), (128, 128, 130), (176, 174, 168), (96, 110, 128), (120, 70, 56), (206, 204, 198),
    (84, 84, 88), (160, 120, 92),
)  # fmt: skip


def _textured(image: Image, mask: Image, colour: Colour, rng: RandomStream, amount: float, fine: bool) -> None:
    """Fills the masked part of an image with a noisy colour, in place."""
    left, top, width, height = cv2.boundingRect(mask)
    if width == 0:
        return
    noise = window(ground(), rng, height, width)
    if fine:
        noise = cv2.addWeighted(noise, 0.85, window(ripple(), rng, height, width), 0.22, -9.0)
    colours = ramp(shade(colour, 1 - amount), colour, shade(colour, 1 + amount))
    part = (slice(top, top + height), slice(left, left + width))
    cv2.copyTo(cv2.applyColorMap(noise, colours), mask[part], image[part])


def render_ground(image: Image, layout: SceneLayout, rng: RandomStream) -> Image:
    """Draws the ground of land and piers, in place.

    Returns:
        uint8 (size, size) mask of the inland, where buildings may stand.
    """
    shore, size = layout.shore, layout.size
    land = np.zeros((size, size), np.uint8)
    fill(land, shore.lands, 255, smooth=False)
    soil = vary(rng, rng.choice(_GROUNDS), 9)
    _textured(image, land, soil, rng, rng.uniform(0.25, 0.6), fine=True)
    floor = rng.integer(90, 170) if shore.built else rng.integer(40, 130)
    green = cv2.inRange(window(clouds(), rng, size, size), (floor,), (255,))
    cv2.bitwise_and(green, land, green)
    _textured(image, green, vary(rng, rng.choice(_GREENS)), rng, rng.uniform(0.4, 0.9), fine=True)
    inland = land.copy()
    margin = (rng.uniform(12.0, 45.0) if shore.built else rng.uniform(6.0, 30.0)) / layout.resolution
    edge = np.zeros_like(land)
    outline(edge, shore.lands, 255, max(int(2 * margin), 2), smooth=False)
    inland[edge > 0] = 0
    concrete = vary(rng, rng.choice(_CONCRETE), 8)
    if shore.built:
        cv2.bitwise_and(edge, land, edge)
        _textured(image, edge, concrete, rng, rng.uniform(0.1, 0.3), fine=False)
    elif rng.chance(0.45):  # a beach
        sand = np.zeros_like(land)
        outline(sand, shore.lands, 255, max(int(margin * rng.uniform(0.4, 1.0)), 2), smooth=False)
        cv2.bitwise_and(sand, land, sand)
        colour = vary(rng, rng.choice(((168, 156, 130), (142, 134, 114), (110, 104, 92))))
        _textured(image, sand, colour, rng, 0.25, fine=False)
    _paint_roads(image, layout, inland, rng)
    line = (60, 60, 60) if rng.chance(0.5) else shade(concrete, 1.2)
    thickness = max(int(1.2 / layout.resolution), 1)
    if shore.built:
        outline(image, shore.lands, line, thickness)
    if shore.decks:
        piers = np.zeros_like(land)
        fill(piers, shore.decks, 255, smooth=False)
        deck = concrete if rng.chance(0.6) else vary(rng, rng.choice(((186, 182, 170), (112, 92, 74), (130, 126, 118))))
        _textured(image, piers, deck, rng, rng.uniform(0.1, 0.35), fine=False)
        outline(image, shore.decks, shade(deck, rng.choice((0.6, 1.2))), thickness)
    return inland


def _paint_roads(image: Image, layout: SceneLayout, inland: Image, rng: RandomStream) -> None:
    """Draws roads along and across the shore, and bare lots, on the inland only."""
    size, shore = layout.size, layout.shore
    roads = np.zeros((size, size), np.uint8)
    reach = 1.5 * size
    width = max(int(rng.uniform(7.0, 14.0) / layout.resolution), 1)
    across = max(rng.uniform(70.0, 220.0) / layout.resolution, 24.0)
    spread = int(min(reach / across, 24))
    for number in range(-spread, spread + 1):
        if rng.chance(0.7):
            at = (number + rng.uniform(-0.2, 0.2)) * across
            ends = [(at, -reach), (at, reach)]
            if not rng.chance(0.5):
                ends = [(-reach, at), (reach, at + rng.normal(0.0, 0.04) * size)]
            line = fixed(place(np.array(ends), *shore.origin, shore.angle))
            cv2.line(roads, line[0].tolist(), line[1].tolist(), (255,), width, cv2.LINE_8, SHIFT)
    cv2.bitwise_and(roads, inland, roads)
    plain = np.empty_like(image)
    colour = vary(rng, rng.choice(((104, 104, 104), (88, 88, 90), (150, 146, 138), (128, 116, 100))))
    cv2.rectangle(plain, (0, 0), (size, size), colour, cv2.FILLED)
    cv2.copyTo(plain, roads, image)


def _cells(layout: SceneLayout, inland: Image, rng: RandomStream, pitch_u: float, pitch_v: float) -> Points:
    """Returns the centres (N, 2), in the shore's frame, of a grid of cells that covers the inland."""
    shore = layout.shore
    left, top, width, height = cv2.boundingRect(inland)
    frame = np.array([[0, 0], [width, 0], [width, height], [0, height]], float)
    corners = frame + np.array([left, top]) - np.array(shore.origin)
    local = place(corners, 0.0, 0.0, -shore.angle)
    u = np.arange(local[:, 0].min() + rng.random() * pitch_u, local[:, 0].max(), pitch_u)
    v = np.arange(local[:, 1].min() + rng.random() * pitch_v, local[:, 1].max(), pitch_v)
    return np.stack(np.meshgrid(u, v), -1).reshape(-1, 2)


def _on(mask: Image, corners: Points) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Tells for each rectangle (N, 4, 2) whether its visible corners lie on the mask, at least one being visible."""
    size = mask.shape[0]
    index = np.floor(corners).astype(np.intp)
    visible = ((index >= 0) & (index < size)).all(-1)
    index = index.clip(0, size - 1)
    good = (mask[index[..., 1], index[..., 0]] > 0) | ~visible
    return np.asarray(good.all(1) & visible.any(1))


@dataclass(frozen=True)
class _Fabric:
    """One kind of ground cover: cell pitch and heights in metres, part of a cell that is covered, density, form."""

    name: str
    pitch: tuple[float, float]
    least: float  # pitch in pixels under which the cells would be a blur
    cover: tuple[float, float]
    height: float
    density: float
    form: str  # `flat`, `ridged` or `round`
    most: int


_FABRICS = (
    _Fabric("houses", (17.0, 15.0), 7.0, (0.45, 0.85), 7.0, 0.75, "ridged", 400),
    _Fabric("sheds", (58.0, 34.0), 7.0, (0.6, 0.92), 10.0, 0.8, "ridged", 150),
    _Fabric("yard", (13.5, 4.2), 3.6, (0.75, 0.97), 6.0, 0.8, "flat", 700),
    _Fabric("tanks", (40.0, 40.0), 10.0, (0.5, 0.8), 14.0, 0.7, "round", 50),
    _Fabric("trees", (9.0, 9.0), 6.0, (0.4, 1.1), 6.0, 0.55, "round", 220),
)


@dataclass(frozen=True)
class Buildings:
    """Buildings of one colour: rectangles int32 (N, 4, 2) in fixed point, far roof halves likewise, round or not."""

    corners: NDArray[np.int32]
    far: NDArray[np.int32] | None
    colour: Colour
    round: bool


def _sweep(mask: Image, dx: float, dy: float) -> Image:
    """Returns the union of a mask with itself moved by up to (dx, dy) pixels: the shadow of things of one height."""
    steps = int(max(abs(dx), abs(dy)))
    done = 0
    while done < steps:
        step = min(max(done, 1), steps - done)
        x, y = round(dx * step / steps), round(dy * step / steps)
        height, width = mask.shape
        moved = mask.copy()
        target = moved[max(y, 0) : height + min(y, 0), max(x, 0) : width + min(x, 0)]
        source = mask[max(-y, 0) : height + min(-y, 0), max(-x, 0) : width + min(-x, 0)]
        cv2.max(target, source, target)
        mask = moved
        done += step
    return mask


def _colours(name: str, rng: RandomStream) -> list[Colour]:
    """Returns the few colours that one kind of cover has in one scene."""
    if name == "yard":
        return [shade(rng.choice(CONTAINERS), rng.uniform(0.65, 0.95)) for _ in range(rng.integer(3, 7))]
    if name == "trees":
        return [shade(rng.choice(_GREENS[:4]), rng.uniform(0.6, 1.0)) for _ in range(4)]
    if name == "tanks":
        return [shade(vary(rng, (204, 202, 194)), rng.uniform(0.6, 1.0)) for _ in range(3)]
    return [vary(rng, rng.choice(_ROOFS), 22) for _ in range(rng.integer(3, 7))]


def plan_buildings(shadows: Image, layout: SceneLayout, inland: Image, sun: Sun, rng: RandomStream) -> list[Buildings]:
    """Chooses buildings, containers, tanks and trees, and casts their shadows into the shadow mask, in place.

    Both masks are uint8 (size, size); `inland` tells where they may stand.

    Returns:
        What to draw once the shadows lie.
    """
    shore = layout.shore
    industry = rng.choice(("yard", "yard", "houses", "sheds", "tanks"))
    menu = (
        ("houses", "houses", "sheds", "sheds", industry, industry, "trees", "trees")
        if shore.built
        else ("houses", "trees", "trees", "houses", "sheds")
    )
    table = [rng.choice((*menu, "empty")) for _ in range(16)]
    if not shore.built and rng.chance(0.6):
        table = ["trees" if rng.chance(0.5) else "empty" for _ in range(16)]
    zone_size = rng.uniform(90.0, 220.0) / layout.resolution
    found: list[Buildings] = []
    for fabric in _FABRICS:
        if fabric.name not in table:
            continue
        stretch = rng.uniform(0.8, 1.5) if fabric.name != "yard" else 1.0
        pu, pv = (max(p * stretch / layout.resolution, fabric.least) for p in fabric.pitch)
        cells = _cells(layout, inland, rng, pu, pv)
        zone = np.floor(cells / zone_size).astype(np.int64)
        number = (zone[:, 0] * 5 + zone[:, 1] * 3 + (zone[:, 0] * zone[:, 1]) % 7) % 16
        chosen = np.array([name == fabric.name for name in table])[number]
        chosen &= rng.generator.random(len(cells)) < fabric.density
        cells = cells[chosen]
        sizes = rng.generator.uniform(*fabric.cover, (len(cells), 2)) * (pu, pv)
        if fabric.form == "round":
            sizes[:, 1] = sizes[:, 0]
            cells = cells + rng.generator.uniform(-0.25, 0.25, cells.shape) * (pu, pv)
        corners = rectangles(place(cells, *shore.origin, shore.angle), sizes, shore.angle)
        corners = corners[_on(inland, corners)][: fabric.most]
        if not len(corners):
            continue
        points = fixed(corners)
        far = None
        if fabric.form == "ridged":
            # the half of the roof that the sun does not reach
            edge = corners[0, 1] - corners[0, 0]
            first = -edge[1] * math.cos(sun.angle) + edge[0] * math.sin(sun.angle) <= 0
            middle = np.stack([points[:, 0] + points[:, 3], points[:, 1] + points[:, 2]], 1) // 2
            far = np.concatenate([points[:, :2], middle[:, ::-1]] if first else [middle, points[:, 2:]], 1)
        palette = _colours(fabric.name, rng)
        tones = rng.generator.integers(0, len(palette), len(corners))
        for tone, colour in enumerate(palette):
            mine = tones == tone
            if mine.any():
                found.append(
                    Buildings(points[mine], None if far is None else far[mine], colour, fabric.form == "round")
                )
        if fabric.name != "trees":
            mask = np.zeros_like(shadows)
            cv2.fillPoly(mask, list(points), (255,), cv2.LINE_8, SHIFT)
            tall = fabric.height * rng.uniform(0.6, 1.5) / layout.resolution * sun.slope
            cv2.max(shadows, _sweep(mask, tall * math.cos(sun.angle), tall * math.sin(sun.angle)), shadows)
    return found


def draw_buildings(image: Image, groups: list[Buildings]) -> None:
    """Draws what `plan_buildings` chose, in place."""
    for group in groups:
        if group.round:
            centres = group.corners.mean(1).astype(np.int32).tolist()
            across = group.corners[:, 1] - group.corners[:, 0]
            radii = (0.5 * np.hypot(across[:, 0], across[:, 1])).astype(np.int32).tolist()
            for centre, radius in zip(centres, radii, strict=True):
                cv2.circle(image, centre, radius, group.colour, cv2.FILLED, cv2.LINE_AA, SHIFT)
            continue
        cv2.fillPoly(image, list(group.corners), group.colour, cv2.LINE_AA, SHIFT)
        if group.far is not None:
            cv2.fillPoly(image, list(group.far), shade(group.colour, 0.8), cv2.LINE_AA, SHIFT)
