"""Where land ends: natural coasts, quays with basins and moles, finger piers, pontoons, river banks, islands.

Shores are laid out in a frame of their own: u runs along the shore and v points to the water.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from retable.papers.larsd.scenes.geometry import Rectangle, rectangles_touch
from retable.synthetic.raster import Points, place
from retable.synthetic.rng import RandomStream


@dataclass(frozen=True)
class Berth:
    """A straight edge that ships moor at.

    Attributes:
        x: Start of the edge, pixels.
        y: Likewise.
        angle: Direction of the edge; the water lies at angle + pi/2.
        length: Length in pixels.
        surface: `quay`, `pier` or `pontoon`.
    """

    x: float
    y: float
    angle: float
    length: float
    surface: str

    def point(self, along: float, out: float) -> tuple[float, float]:
        """Returns the point at `along` pixels of the edge and `out` pixels from it, over the water."""
        cosine, sine = math.cos(self.angle), math.sin(self.angle)
        return self.x + along * cosine - out * sine, self.y + along * sine + out * cosine


@dataclass(frozen=True)
class Shore:
    """The solid parts of a scene, in image coordinates.

    Attributes:
        angle: Direction of the u axis.
        origin: Image coordinates of u = v = 0.
        built: True for a harbour with quays, False for a natural coast.
        lands: Polygons (K, 2) of land.
        decks: Polygons (K, 2) of piers and pontoons.
        berths: Edges to moor at.
    """

    angle: float
    origin: tuple[float, float]
    built: bool
    lands: tuple[Points, ...]
    decks: tuple[Points, ...]
    berths: tuple[Berth, ...]


def _berths(points: list[tuple[float, float]], surface: str, shortest: float) -> list[Berth]:
    """Returns the edges of a chain of points that are long enough."""
    found = []
    for (u0, v0), (u1, v1) in pairwise(points):
        length = math.hypot(u1 - u0, v1 - v0)
        if length >= shortest:
            found.append(Berth(u0, v0, math.atan2(v1 - v0, u1 - u0), length, surface))
    return found


def _quay_line(rng: RandomStream, reach: float, unit: float, basins: float) -> list[tuple[float, float]]:
    """Walks along a quay from u = -reach to reach; `unit` is a typical length of features in pixels."""
    points = [(-reach, 0.0)]
    u, v = -reach, 0.0
    while u < reach:
        u += rng.uniform(0.5, 2.2) * unit
        points.append((u, v))
        if rng.chance(basins):
            step = rng.sign() * rng.uniform(0.35, 1.2) * unit
            width = rng.uniform(0.35, 1.3) * unit
            slant = rng.uniform(-0.3, 0.3) * abs(step) if rng.chance(0.3) else 0.0
            points += [(u + slant, v + step), (u + slant + width, v + step), (u + 2 * slant + width, v)]
            u += 2 * slant + width
        elif rng.chance(0.35):
            v += rng.uniform(-0.25, 0.25) * unit
            points.append((u, v))
    return points


def _piers(
    rng: RandomStream, edges: list[Berth], unit: float, resolution: float, surface: str
) -> tuple[list[Points], list[Berth]]:
    """Sets piers at right angles to some edges; returns decks and berths in the shore's frame."""
    decks: list[Points] = []
    berths: list[Berth] = []
    small = surface == "pontoon"
    width = max((rng.uniform(2.0, 4.0) if small else rng.uniform(8.0, 26.0)) / resolution, 2.0)
    length = rng.uniform(0.5, 1.2) * unit
    spacing = rng.uniform(0.45, 0.8) * unit if small else rng.uniform(0.55, 1.5) * unit
    slant = rng.uniform(-0.35, 0.35) if rng.chance(0.25) else 0.0
    taken: list[Rectangle] = []
    for edge in edges:
        if edge.length < 0.6 * unit or not rng.chance(0.8):
            continue
        at = rng.uniform(0.2, 0.5) * spacing
        while at + width < edge.length:
            own = length * rng.uniform(0.8, 1.1)
            frame = edge.angle + slant
            x, y = edge.point(at, 0.0)
            cx, cy = x - 0.5 * own * math.sin(frame), y + 0.5 * own * math.cos(frame)
            footprint = (cx, cy, own, width, frame + math.pi / 2)
            at += spacing * rng.uniform(0.85, 1.3)
            if any(rectangles_touch(footprint, other, 0.1 * unit) for other in taken):
                continue
            taken.append(footprint)
            outline = [(-width / 2, -width), (-width / 2, own), (width / 2, own), (width / 2, -width)]
            if not small and rng.chance(0.15):  # T head
                head = rng.uniform(0.1, 0.25) * unit
                crossbar = [(-head, own), (-head, own + width), (head, own + width), (head, own)]
                outline[2:2] = crossbar
            points = place(np.array(outline), x, y, frame)
            decks.append(points)
            berths += _berths([tuple(p) for p in points.tolist()], surface, 0.12 * unit)
    return decks, berths


def _natural_line(rng: RandomStream, reach: float, unit: float) -> Points:
    """Returns a coast line (K, 2) of smooth bays with rough edges."""
    u = np.linspace(-reach, reach, 90)
    v = np.zeros_like(u)
    amplitude = rng.uniform(0.05, 0.4) * unit
    wave = rng.uniform(2.5, 6.0) * unit
    for _ in range(6):
        v += amplitude * np.sin(2 * math.pi * (u / wave + rng.random()))
        amplitude *= rng.uniform(0.35, 0.65)
        wave *= 0.48
    v += rng.generator.normal(0.0, 0.006 * unit, u.size)
    return np.stack([u, v], 1)


def _island(rng: RandomStream, size: int) -> Points:
    """Returns the outline of an island somewhere in the image."""
    angles = np.linspace(0.0, 2 * math.pi, 40, endpoint=False)
    radius = np.ones_like(angles)
    for harmonic in (1, 2, 3, 5, 8):
        radius += rng.uniform(0.0, 0.5) / harmonic * np.sin(harmonic * angles + rng.uniform(0.0, 6.28))
    radius = np.maximum(radius, 0.25) * rng.log_uniform(0.03, 0.2) * size
    points = np.stack([radius * np.cos(angles) * rng.uniform(1.0, 2.2), radius * np.sin(angles)], 1)
    return place(points, rng.uniform(0.0, size), rng.uniform(0.0, size), rng.uniform(0.0, 3.14))


def draw_shore(rng: RandomStream, place_name: str, size: int, resolution: float, vessel_length: float) -> Shore:
    """Draws the land of a scene.

    Args:
        rng: Random numbers.
        place_name: Kind of place (see `profiles.Place`).
        size: Image side in pixels.
        resolution: Metres per pixel.
        vessel_length: Typical length of the ships in pixels: quays are built for them.
    """
    angle = rng.uniform(-math.pi, math.pi)
    reach = 0.95 * size
    away = 3.0 * size
    offset = rng.uniform(-0.22, 0.42) * size  # how far from the shore, to the water, the image's centre lies
    middle = 0.5 * size
    origin = (middle + math.sin(angle) * offset, middle - math.cos(angle) * offset)
    lands: list[Points] = []
    decks: list[Points] = []
    edges: list[Berth] = []
    built = place_name in ("harbour", "marina")
    if place_name in ("sea", "anchorage"):
        if rng.chance(0.12):
            lands = [_island(rng, size) for _ in range(rng.integer(1, 3))]
        return Shore(angle, origin, False, tuple(lands), (), ())
    unit = min(max(rng.uniform(1.1, 2.2) * vessel_length, 0.16 * size), 0.6 * size)
    if place_name == "marina":
        unit = rng.uniform(0.3, 0.5) * size
    if place_name == "river":
        built = rng.chance(0.5)
        channel = rng.uniform(0.3, 0.7) * size
        for sign in (-1.0, 1.0):
            line = (
                np.array(_quay_line(rng, reach, 1.5 * unit, 0.05)) if built else _natural_line(rng, reach, 0.4 * unit)
            )
            if sign > 0 and not built:
                line = line * (1.0, 0.6)
            turned = line if sign < 0 else -line
            turned += np.array([0.0, sign * 0.5 * channel])
            if built:
                edges += _berths([tuple(p) for p in turned.tolist()], "quay", 0.3 * unit)
            ends = np.array([[turned[-1, 0], sign * away], [turned[0, 0], sign * away]])
            lands.append(np.concatenate([turned, ends]))
    else:
        if built:
            chain = _quay_line(rng, reach, unit, 0.45 if place_name == "harbour" else 0.1)
            line = np.array(chain)
            edges = _berths(chain, "quay", 0.3 * unit)
            wanted = 1.0 if place_name == "marina" else 0.45
        else:
            line = _natural_line(rng, reach, rng.uniform(0.2, 0.6) * size)
            edges, wanted = [], 0.0
            if rng.chance(0.45):  # one jetty on an open coast
                index = rng.integer(25, 65)
                u, v = line[index]
                edges = [Berth(float(u) - 0.4 * unit, float(v), 0.0, 0.8 * unit, "none")]
                wanted = 1.0
        lands.append(np.concatenate([line, [[line[-1, 0], -away], [line[0, 0], -away]]]))
        if rng.chance(wanted):
            surface = "pontoon" if place_name == "marina" else "pier"
            found, berths = _piers(rng, edges, unit, resolution, surface)
            if not built:
                found, berths = found[:1], berths[:2]
            decks += found
            edges = [edge for edge in edges if not (found and rng.chance(0.7))] + berths if built else berths
    starts = place(np.array([(edge.x, edge.y) for edge in edges]).reshape(-1, 2), *origin, angle).tolist()
    return Shore(
        angle,
        origin,
        built,
        lands=tuple(place(land, *origin, angle) for land in lands),
        decks=tuple(place(points, *origin, angle) for points in decks),
        berths=tuple(
            replace(edge, x=x, y=y, angle=edge.angle + angle) for edge, (x, y) in zip(edges, starts, strict=True)
        ),
    )
