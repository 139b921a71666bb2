"""Flat, bent and creased sides of packages, and how a camera sees them.

A side has its own pixels, x right and y down. Bending and creasing move its points within a plane, as they are seen
from the front; then the plane is turned in space and seen in perspective.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from retable.synthetic.raster import Points
from retable.synthetic.rng import RandomStream

Matrix = NDArray[np.float64]
_HORIZON = 1.25  # radians from a cylinder's nearest line
CELL = 8  # pixels between the places where a map is computed; between them it is interpolated


@dataclass(frozen=True)
class Bend:
    """A cylinder.

    Attributes:
        radius: In pixels of the side.
        offset: Where its nearest line is, along the bent direction, pixels of the side.
        tilt: How far the circles around it look like arcs.
        down: Whether y is bent, not x: a can that lies.
    """

    radius: float
    offset: float
    tilt: float
    down: bool


@dataclass(frozen=True)
class Crease:
    """A fold along a line.

    Attributes:
        angle: Of the direction across the line, radians.
        place: Distance of the line from the origin, pixels of the side.
        width: Of the fold, pixels of the side.
        depth: How far points move; less than half of the width, so that none change their order.
        shade: How much darker and lighter its two slopes are.
    """

    angle: float
    place: float
    width: float
    depth: float
    shade: float


@dataclass(frozen=True)
class Surface:
    """A side of a package in space.

    Attributes:
        plane: Maps the plane of the bent and creased side to the photo, (3, 3), continuous pixels.
        bend: A cylinder, if it is bent.
        creases: Folds.
    """

    plane: Matrix
    bend: Bend | None = None
    creases: tuple[Crease, ...] = ()

    def seen(self, points: Points) -> Points:
        """Returns where points (N, 2) of the side are in the photo."""
        flat = points.astype(np.float64)
        for _ in range(6 if self.creases else 0):  # what is creased to those places
            flat = points - self._creased(flat)[0]
        if self.bend is not None:
            along, across = (flat[:, 1], flat[:, 0]) if self.bend.down else (flat[:, 0], flat[:, 1])
            angle = np.clip((along - self.bend.offset) / self.bend.radius, -0.5 * math.pi, 0.5 * math.pi)
            along = self.bend.offset + self.bend.radius * np.sin(angle)
            across = across + self.bend.tilt * self.bend.radius * (1 - np.cos(angle))
            flat = np.stack([across, along] if self.bend.down else [along, across], 1)
        return project(self.plane, flat)

    def map(
        self, left: int, top: int, width: int, height: int, scale: float, shift: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        """Returns where on the side the pixels of a box of the photo are.

        Returns:
            (height, width, 2): x and y in the side's continuous pixels, times a scale plus a shift (2,).
        """
        x = left + CELL * (np.arange(-(-width // CELL) + 2) - 0.5)
        y = top + CELL * (np.arange(-(-height // CELL) + 2) - 0.5)
        grid: Points = np.stack(np.broadcast_arrays(x, y[:, None]), -1).reshape(-1, 2).astype(np.float64)
        flat = project(np.linalg.inv(self.plane).astype(np.float64), grid)
        if self.bend is not None:
            along, across = (flat[:, 1], flat[:, 0]) if self.bend.down else (flat[:, 0], flat[:, 1])
            sine = (along - self.bend.offset) / self.bend.radius
            inside = np.clip(sine, -0.995, 0.995)
            # beyond the horizon the side goes on, steeply
            angle = np.arcsin(inside) + 6.0 * (sine - inside)
            across = across - self.bend.tilt * self.bend.radius * (1 - np.sqrt(1 - inside * inside))
            along = self.bend.offset + self.bend.radius * angle
            flat = np.stack([across, along] if self.bend.down else [along, across], 1)
        flat = (flat + self._creased(flat)[0]) * scale + shift
        return _enlarged(flat.reshape(len(y), len(x), 2), width, height)

    def brightness(self, points: Points) -> NDArray[np.float64]:
        """Returns how bright points (N, 2) of the side are, about 1: less where it turns away or is creased."""
        light = 1.0 + self._creased(points)[1]
        if self.bend is not None:
            along = points[:, 1] if self.bend.down else points[:, 0]
            light -= 0.5 * np.sin(np.clip((along - self.bend.offset) / self.bend.radius, -1.5, 1.5)) ** 2
        return light

    def shows(self, points: Points) -> bool:
        """Whether none of the points (N, 2) of the side is turned away from the camera, or nearly so."""
        if self.bend is None:
            return True
        along = points[:, 1] if self.bend.down else points[:, 0]
        return bool((np.abs(along - self.bend.offset) < _HORIZON * self.bend.radius).all())

    @property
    def is_flat(self) -> bool:
        """Whether it is neither bent nor creased, so that the plane is all there is to it."""
        return self.bend is None and not self.creases

    def _creased(self, points: Points) -> tuple[Points, NDArray[np.float64]]:
        """Returns how far points (N, 2) of the flat side are moved, and how much brighter they are."""
        moved, shade = np.zeros_like(points), np.zeros(len(points))
        for crease in self.creases:
            direction = np.array([math.cos(crease.angle), math.sin(crease.angle)])
            across = points[:, 0] * direction[0] + points[:, 1] * direction[1]
            near = (across - crease.place) / crease.width
            bell = np.exp(-near * near)
            moved += crease.depth * bell[:, None] * direction
            shade += crease.shade * near * bell
        return moved, shade


def project(matrix: Matrix, points: Points) -> Points:
    """Maps points (N, 2) by a matrix (3, 3)."""
    places = points @ matrix[:, :2].T + matrix[:, 2]
    return np.asarray(places[:, :2] / places[:, 2:], np.float64)


def scaled(matrix: Matrix, factor: float) -> Matrix:
    """Returns the matrix of a photo that is taken with so many times the pixels a side."""
    return np.diag([factor, factor, 1.0]) @ matrix


def turned_plane(yaw: float, pitch: float, roll: float, distance: float, scale: float) -> Matrix:
    """Returns the matrix that maps a plane about its origin to a photo about its middle.

    Args:
        yaw: Turn about the upright axis, radians.
        pitch: Turn about the level axis.
        roll: Turn in the photo, after the others; positive is clockwise on the screen.
        distance: Of the camera, in units of the plane: the nearer, the stronger the perspective.
        scale: Pixels of the photo for a unit of the plane.
    """
    cos_yaw, sin_yaw, cos_pitch, sin_pitch = math.cos(yaw), math.sin(yaw), math.cos(pitch), math.sin(pitch)
    cos_roll, sin_roll = math.cos(roll), math.sin(roll)
    tilted = np.array([
        (cos_yaw, 0.0, 0.0),
        (sin_yaw * sin_pitch, cos_pitch, 0.0),
        (sin_yaw * cos_pitch / distance, -sin_pitch / distance, 1.0),
    ])  # fmt: skip
    rolled = np.array([(cos_roll, -sin_roll, 0.0), (sin_roll, cos_roll, 0.0), (0.0, 0.0, 1.0)])
    plane: Matrix = np.diag([scale, scale, 1.0]) @ rolled @ tilted
    return plane


def draw_surface(rng: RandomStream, plane: Matrix, width: float) -> Surface:
    """Bends and creases a side, or leaves it flat.

    Args:
        rng: Random numbers.
        plane: As of `Surface`.
        width: Of the symbol about the side's origin, pixels of the side.
    """
    bend = None
    kind = rng.random()
    if kind < 0.3:
        reach = rng.uniform(0.25, 0.95)  # radians from the middle of the symbol to its end
        bend = Bend(0.5 * width / reach, rng.triangular(0.2) * width, rng.triangular(0.5), rng.chance(0.35))
    creases = []
    if rng.chance(0.15):
        for _ in range(rng.integer(1, 4)):
            size = rng.uniform(0.08, 0.4) * width
            creases.append(
                Crease(
                    rng.uniform(0.0, math.pi),
                    rng.triangular(0.7) * width,
                    size,
                    rng.triangular(0.25) * size,
                    rng.triangular(0.5),
                )
            )
    return Surface(plane, bend, tuple(creases))


def _enlarged(field: NDArray[np.float64], width: int, height: int) -> NDArray[np.float32]:
    """Interpolates a field (R, C, 2), of which there is one place a cell and one more on all sides."""
    rows, columns = field.shape[:2]
    whole = cv2.resize(field.astype(np.float32), (columns * CELL, rows * CELL), interpolation=cv2.INTER_LINEAR)
    return np.asarray(whole[CELL : CELL + height, CELL : CELL + width], np.float32)
