"""What a scene shows, drawn before it is rendered: packages with their labels, and the photo's faults."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from retable.papers.barcodes.artwork.labels import Label, draw_label
from retable.papers.barcodes.artwork.packages import PACKAGES, package
from retable.papers.barcodes.artwork.symbols import ADD_ON, EAN13, draw_ean13, draw_other
from retable.papers.barcodes.scenes.surfaces import Surface, draw_surface, scaled, turned_plane
from retable.synthetic.raster import Points
from retable.synthetic.rng import RandomStream, Weighted

_COUNTS: Final[Weighted[int]] = Weighted((0, 0.09), (1, 0.75), (2, 0.13), (3, 0.03))  # packages with a label
_EMPTY: Final = 0.3  # how often a scene without labels has no package at all
_SHARES: Final = (0.1, 0.95)  # of the frame's width
_MARGIN: Final = 3.0  # pixels between a symbol and the frame's edge
_TRIES: Final = 6
_QUARTERS: Final = (0.0, 0.5 * math.pi, math.pi, 1.5 * math.pi)


@dataclass
class PlacedLabel:
    """A label on a package.

    Attributes:
        label: What is printed.
        x: Of its upper left corner on the package's side, whole pixels of the side.
        y: Likewise.
        quarters: Quarter turns clockwise.
    """

    label: Label
    x: int
    y: int
    quarters: int

    def on_side(self, points: Points) -> Points:
        """Returns where points (N, 2) of the label are on the side."""
        height, width = self.label.image.shape[:2]
        x, y = points[:, 0], points[:, 1]
        turned = ((x, y), (height - y, x), (width - x, height - y), (y, width - x))[self.quarters]
        moved: Points = np.stack(turned, 1) + np.array([self.x, self.y])
        return moved

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width on the side."""
        height, width = self.label.image.shape[:2]
        return (width, height) if self.quarters % 2 else (height, width)


@dataclass
class PlacedPackage:
    """A package's side in the photo.

    Attributes:
        number: Of what is printed on it.
        crop: The part of the print that is seen: left, top, right, bottom as parts of it.
        width: Of the side, pixels of its own, in which its labels are drawn.
        height: Likewise.
        surface: Maps the side, from the middle of its first label on, to the photo.
        origin: The middle of the first label, pixels of the side.
        labels: Barcodes on it.
    """

    number: int
    crop: tuple[float, float, float, float]
    width: int
    height: int
    surface: Surface
    origin: NDArray[np.float64]
    labels: list[PlacedLabel] = field(default_factory=list)

    def seen(self, points: Points) -> Points:
        """Returns where points (N, 2) of the side are in the photo."""
        return self.surface.seen(points - self.origin)

    @property
    def outline(self) -> Points:
        """The side's border in the photo, (N, 2)."""
        corners = np.array([(0, 0), (self.width, 0), (self.width, self.height), (0, self.height)], np.float64)
        return self.seen(_border(corners))


@dataclass(frozen=True)
class KnownSymbol:
    """A symbol in a photo.

    Attributes:
        kind: As of `retable.papers.barcodes.artwork.symbols.Symbol`, or `add_on`.
        code: Its digits or letters.
        corners: (4, 2) in continuous pixels, in reading order.
    """

    kind: str
    code: str
    corners: Points


@dataclass(frozen=True)
class SceneLayout:
    """A scene.

    Attributes:
        width: Of the photo, pixels.
        height: Likewise.
        seed: Of what is not placed: surroundings, light, camera.
        packages: The ones behind first.
        module: Width of a module of the last package's first label, pixels of the photo; 0 where there is none.
        blur: Radius of the disc that each point becomes, pixels.
    """

    width: int
    height: int
    seed: int
    packages: tuple[PlacedPackage, ...]
    module: float
    blur: float

    @cached_property
    def symbols(self) -> list[KnownSymbol]:
        """All symbols, the largest EAN-13 first."""
        found = []
        for side in self.packages:
            for placed in side.labels:
                symbol = placed.label.symbol
                found.append(KnownSymbol(symbol.kind, symbol.code, side.seen(placed.on_side(placed.label.corners))))
                if placed.label.add_on is not None:
                    corners = side.seen(placed.on_side(placed.label.add_on))
                    found.append(KnownSymbol(ADD_ON, symbol.add_on, corners))
        return sorted(found, key=lambda symbol: (symbol.kind != EAN13, -area(symbol.corners)))


def _border(corners: Points) -> Points:
    """Returns points along the sides of a quadrangle (4, 2)."""
    share = np.arange(0.0, 1.0, 0.125)[:, None, None]
    return np.asarray(((1.0 - share) * corners + share * np.roll(corners, -1, 0)).reshape(-1, 2), np.float64)


def area(corners: Points) -> float:
    """Returns the area of a polygon (N, 2)."""
    return float(abs(cv2.contourArea(corners.astype(np.float32))))


def draw_layout(rng: RandomStream, width: int, height: int) -> SceneLayout:
    """Draws what a scene shows."""
    count = _COUNTS.draw(rng)
    packages: list[PlacedPackage] = []
    if count == 0 and not rng.chance(_EMPTY):
        packages.append(_draw_package(rng, width, height, rng.uniform(0.2, 0.6)))
        _fit_into_frame(rng, packages[0], width, height)
        packages[0].labels.clear()
    largest = _SHARES[1] if count == 1 else 0.45
    for _ in range(count):
        share = rng.uniform(0.2, 0.6) if rng.chance(0.6) else rng.log_uniform(*_SHARES)
        side = _draw_package(rng, width, height, min(share, largest))
        for _ in range(_TRIES):
            _fit_into_frame(rng, side, width, height)
            if _is_free(side, packages):
                side.labels[1:] = [placed for placed in side.labels[1:] if _is_seen(side, placed, width, height)]
                packages.append(side)
                break
    module = _module(packages[-1]) if packages and packages[-1].labels else 0.0
    return SceneLayout(width, height, rng.seed(), tuple(packages), module, _draw_blur(rng, module or 3.0))


def _draw_blur(rng: RandomStream, module: float) -> float:
    """In focus, nearly so, or far from it: in modules, for that is what counts."""
    kind = rng.random()
    if kind < 0.3:
        return rng.uniform(0.0, 0.3) * module
    if kind < 0.5:
        return rng.uniform(0.3, 0.8) * module
    return min(rng.uniform(0.7, 1.9) * module, 14.0)


def _module(side: PlacedPackage) -> float:
    placed = side.labels[0]
    corners = side.seen(placed.on_side(placed.label.corners))
    top, bottom = corners[1] - corners[0], corners[2] - corners[3]
    return float(np.linalg.norm(top) + np.linalg.norm(bottom)) / 2 / len(placed.label.symbol.modules)


def _draw_package(rng: RandomStream, width: int, height: int, share: float) -> PlacedPackage:
    symbol = draw_ean13(rng) if rng.chance(0.82) else draw_other(rng)
    module = share * width / len(symbol.modules)
    number = rng.integer(0, PACKAGES - 1)
    paper = package(number)[1] if rng.chance(0.3) else None  # printed on the package itself, or on white
    first = draw_label(rng, symbol, module, paper)
    rows, columns = first.image.shape[:2]
    # how far the side reaches beyond the label: from a narrow box to more than the frame shows
    left, top, right, bottom = (2 * round(rng.log_uniform(0.005, 0.4) * width) for _ in range(4))
    side_width, side_height = left + columns + right, top + rows + bottom
    placed = PlacedLabel(first, left, top, 0)
    origin = placed.on_side(first.corners).mean(0)
    labels = [placed]
    if rng.chance(0.14):
        _add_label(rng, labels, side_width, side_height, module)
    roll = _draw_roll(rng)
    yaw, pitch = rng.triangular(0.75) * rng.choice((0.2, 0.6, 1.0)), rng.triangular(0.75) * rng.choice((0.2, 0.6, 1.0))
    size = float(np.linalg.norm(first.corners[1] - first.corners[0]))
    distance = rng.log_uniform(1.6, 6.0) * max(size, 0.3 * width)
    plane = turned_plane(yaw, pitch, roll, distance, 1.0)
    surface = draw_surface(rng, plane, size)
    zoom = rng.uniform(0.3, 1.0)
    x, y = rng.uniform(0.0, 1.0 - zoom), rng.uniform(0.0, 1.0 - zoom)
    return PlacedPackage(number, (x, y, x + zoom, y + zoom), side_width, side_height, surface, origin, labels)


def _draw_roll(rng: RandomStream) -> float:
    kind = rng.random()
    if kind < 0.5:
        return rng.triangular(0.35)
    if kind < 0.65:
        return rng.choice(_QUARTERS) + rng.triangular(0.2)
    return rng.uniform(0.0, math.tau)


def _add_label(rng: RandomStream, labels: list[PlacedLabel], width: int, height: int, module: float) -> None:
    """Puts another barcode beside the first one, mostly of another kind, where there is room."""
    symbol = draw_ean13(rng) if rng.chance(0.3) else draw_other(rng)
    label = draw_label(rng, symbol, module * rng.uniform(0.6, 1.1))
    for _ in range(_TRIES):
        other = PlacedLabel(label, 0, 0, rng.integer(0, 3))
        rows, columns = other.shape
        if rows > height or columns > width:
            return
        other.x, other.y = 2 * rng.integer(0, (width - columns) // 2), 2 * rng.integer(0, (height - rows) // 2)
        if all(
            other.x + columns < placed.x
            or placed.x + placed.shape[1] < other.x
            or other.y + rows < placed.y
            or placed.y + placed.shape[0] < other.y
            for placed in labels
        ):
            labels.append(other)
            return


def _fit_into_frame(rng: RandomStream, side: PlacedPackage, width: int, height: int) -> None:
    """Moves a package, and shrinks it where it must be, until all of its first symbol is within the frame."""
    placed = side.labels[0]
    corners = placed.on_side(placed.label.corners)
    seen = side.seen(_border(corners))
    low, high = seen.min(0), seen.max(0)
    room = np.array([width, height]) - 2 * _MARGIN
    factor = min(1.0, float((room / (high - low)).min()))
    free = room - factor * (high - low)
    shift = _MARGIN + free * (rng.random(), rng.random()) - factor * low
    moved = np.array([(1.0, 0.0, shift[0]), (0.0, 1.0, shift[1]), (0.0, 0.0, 1.0)]) @ scaled(side.surface.plane, factor)
    side.surface = Surface(moved, side.surface.bend, side.surface.creases)


def _is_seen(side: PlacedPackage, placed: PlacedLabel, width: int, height: int) -> bool:
    """Whether all of a label's symbol is turned to the camera and in the frame."""
    corners = placed.on_side(placed.label.corners)
    seen = side.seen(corners)
    return side.surface.shows(corners - side.origin) and bool((seen >= 0).all() and (seen <= (width, height)).all())


def _is_free(side: PlacedPackage, others: list[PlacedPackage]) -> bool:
    """Whether a package covers no label of others."""
    if not others:
        return True
    outline = side.outline.astype(np.float32)
    hull = cv2.convexHull(outline)
    for other in others:
        for placed in other.labels:
            height, width = placed.label.image.shape[:2]
            corners = np.array([(0.0, 0.0), (width, 0.0), (width, height), (0.0, height)])
            label = other.seen(placed.on_side(corners)).astype(np.float32)
            if cv2.intersectConvexConvex(hull, cv2.convexHull(label))[0] > 0:
                return False
    return True
