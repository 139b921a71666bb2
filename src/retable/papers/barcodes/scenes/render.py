"""From a layout to pixels."""

from __future__ import annotations

import math

import cv2
import numpy as np

from retable.papers.barcodes.artwork.colours import vary
from retable.papers.barcodes.artwork.packages import package
from retable.papers.barcodes.scenes.layout import PlacedPackage, SceneLayout
from retable.papers.barcodes.scenes.surfaces import Surface, scaled
from retable.papers.barcodes.scenes.surroundings import draw_surroundings
from retable.synthetic.camera import add_noise, blur, compress, defocus, smear, tint
from retable.synthetic.raster import Image, Points
from retable.synthetic.rng import RandomStream

_COARSE = 1.3  # radius of the blur, pixels, from which on half of the pixels a side tell as much
_CELLS = 16  # pixels between the places where light is computed


def render(layout: SceneLayout) -> Image:
    """Renders a scene as uint8 RGB (height, width, 3)."""
    rng = RandomStream(layout.seed)
    factor = 0.5 if layout.blur > _COARSE else 1.0
    width, height = round(layout.width * factor), round(layout.height * factor)
    image = draw_surroundings(rng, width, height)
    for placed in layout.packages:
        _draw_package(image, placed, factor)
    for _ in range(rng.choice((0, 0, 0, 1, 2, 4))):
        _draw_finger(image, rng, layout, factor)
    image = _lit(image, rng, layout, factor)
    image = tint(image, rng, 0.7)
    image = defocus(image, layout.blur * factor if layout.blur > 0.5 else 0.0)
    if rng.chance(0.12):
        image = smear(image, max(rng.uniform(0.4, 1.8) * (layout.module or 3.0) * factor, 1.5), rng.uniform(0, math.pi))
    if factor != 1.0:
        image = np.asarray(cv2.resize(image, (layout.width, layout.height), interpolation=cv2.INTER_CUBIC), np.uint8)
    return _developed(image, rng, layout)


def _draw_package(image: Image, placed: PlacedPackage, factor: float) -> None:
    """Draws a package's side with its labels."""
    printed, _ = package(placed.number)
    rows, columns = printed.shape[:2]
    x0, y0, x1, y1 = np.rint(np.array(placed.crop) * (columns, rows, columns, rows)).astype(int)
    part = printed[y0:y1, x0:x1]
    size = round(placed.width * factor), round(placed.height * factor)
    side = cv2.resize(part, size, interpolation=cv2.INTER_LINEAR)
    for item in placed.labels:
        label = item.label.image
        if factor != 1.0:
            label = cv2.resize(label, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        label = np.rot90(label, -item.quarters)
        left, top = round(item.x * factor), round(item.y * factor)
        side[top : top + label.shape[0], left : left + label.shape[1]] = label
    surface = Surface(scaled(placed.surface.plane, factor), placed.surface.bend, placed.surface.creases)
    outline = placed.outline * factor
    height, width = image.shape[:2]
    x0, y0 = np.maximum(np.floor(outline.min(0)).astype(int) - 1, 0)
    x1, y1 = np.minimum(np.ceil(outline.max(0)).astype(int) + 1, (width, height))
    if x1 - x0 < 2 or y1 - y0 < 2:
        return
    # from the side's continuous pixels about the origin to indices of the drawn one
    across, down = placed.origin * factor - 0.5
    target = image[y0:y1, x0:x1]
    if surface.is_flat:
        to_side = np.array([(factor, 0.0, across), (0.0, factor, down), (0.0, 0.0, 1.0)])
        to_box = np.array([(1.0, 0.0, -0.5 - x0), (0.0, 1.0, -0.5 - y0), (0.0, 0.0, 1.0)])
        matrix = to_box @ surface.plane @ np.linalg.inv(to_side)
        how = cv2.INTER_LINEAR
        box = (target.shape[1], target.shape[0])
        cv2.warpPerspective(side, matrix, box, target, how, cv2.BORDER_TRANSPARENT)
        return
    places = surface.map(int(x0), int(y0), int(x1 - x0), int(y1 - y0), factor, np.array([across, down]))
    side = _brightened(side, _side_light(placed))
    cv2.remap(side, places, None, cv2.INTER_LINEAR, dst=target, borderMode=cv2.BORDER_TRANSPARENT)


def _side_light(placed: PlacedPackage) -> Points:
    """Returns how bright a side is, at places that are some pixels apart."""
    x = np.linspace(0.0, placed.width, placed.width // _CELLS + 2) - placed.origin[0]
    y = np.linspace(0.0, placed.height, placed.height // _CELLS + 2)[:, None] - placed.origin[1]
    points: Points = np.stack(np.broadcast_arrays(x, y), -1).reshape(-1, 2).astype(np.float64)
    return np.clip(placed.surface.brightness(points), 0.1, 1.9).reshape(len(y), len(x))


def _draw_finger(image: Image, rng: RandomStream, layout: SceneLayout, factor: float) -> None:
    """Draws a finger that reaches in from the frame's edge, but for where it would cover a symbol."""
    height, width = image.shape[:2]
    side = rng.integer(0, 3)
    along = rng.random()
    start = ((along * width, 0.0), (width, along * height), (along * width, height), (0.0, along * height))[side]
    angle = (0.5, 1.0, 1.5, 0.0)[side] * math.pi + rng.triangular(0.7)
    length = rng.uniform(0.1, 0.5) * width
    end = start[0] + length * math.cos(angle), start[1] + length * math.sin(angle)
    thick = rng.uniform(0.05, 0.16) * width
    points = np.linspace(start, end, 6)
    for symbol in layout.symbols:
        corners = (symbol.corners * factor).astype(np.float32)
        if any(cv2.pointPolygonTest(corners, (float(x), float(y)), True) > -0.6 * thick for x, y in points):
            return
    skin = vary(rng, rng.choice(((214, 160, 130), (190, 130, 100), (150, 98, 70), (232, 184, 160), (104, 70, 52))), 18)
    shade = tuple(int(0.75 * value) for value in skin)
    first, last = (round(start[0]), round(start[1])), (round(end[0]), round(end[1]))
    cv2.line(image, first, last, shade, max(3, round(thick)), cv2.LINE_AA)
    cv2.line(image, first, last, skin, max(2, round(0.72 * thick)), cv2.LINE_AA)


def _lit(image: Image, rng: RandomStream, layout: SceneLayout, factor: float) -> Image:
    """Lights a picture unevenly: slopes, shadows with edges, and glare, which may be on a symbol."""
    height, width = image.shape[:2]
    rows, columns = height // _CELLS + 1, width // _CELLS + 1
    x = np.linspace(-1.0, 1.0, columns)
    y = np.linspace(-1.0, 1.0, rows)[:, None]
    gain = (
        rng.uniform(0.75, 1.1)
        + rng.triangular(0.3) * x
        + rng.triangular(0.3) * y
        - rng.uniform(0.0, 0.2) * (x * x + y * y)
    )
    if rng.chance(0.3):
        angle, sharp = rng.uniform(0, math.tau), rng.log_uniform(1.0, 12.0)
        inside = np.clip(sharp * (math.cos(angle) * x + math.sin(angle) * y - rng.triangular(0.7)) + 0.5, 0.0, 1.0)
        gain = gain * (1.0 - rng.uniform(0.2, 0.65) * inside)
    lit = _brightened(image, np.clip(gain, 0.12, 1.9))
    if rng.chance(0.15):
        lit = _glaring(lit, rng, layout, x, y)
    return lit


def _brightened(image: Image, gain: Points) -> Image:
    height, width = image.shape[:2]
    whole = cv2.resize((gain * 128).astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.multiply(image, cv2.merge([whole, whole, whole]), scale=1 / 128), np.uint8)


def _glaring(image: Image, rng: RandomStream, layout: SceneLayout, x: Points, y: Points) -> Image:
    """Adds the reflection of a lamp: a spot, or a streak as on foil and bottles."""
    cx, cy = rng.uniform(-1, 1), rng.uniform(-1, 1)
    if layout.symbols and rng.chance(0.5):
        corners = layout.symbols[0].corners
        px, py = corners[rng.integer(0, 3)] * 0.6 + corners.mean(0) * 0.4
        cx, cy = 2 * px / layout.width - 1, 2 * py / layout.height - 1
    angle = rng.uniform(0, math.pi)
    u = math.cos(angle) * (x - cx) + math.sin(angle) * (y - cy)
    v = math.cos(angle) * (y - cy) - math.sin(angle) * (x - cx)
    across = rng.log_uniform(0.04, 0.2)
    along = across * rng.log_uniform(1.0, 6.0)
    spot = rng.uniform(30, 170) * np.exp(-((u / across) ** 2) - (v / along) ** 2)
    height, width = image.shape[:2]
    whole = cv2.resize(spot.astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.add(image, cv2.merge([whole, whole, whole])), np.uint8)


def _developed(image: Image, rng: RandomStream, layout: SceneLayout) -> Image:
    """What the camera's electronics do: few pixels, noise, sharpening, JPEG."""
    kind = rng.random()
    if kind < 0.1 and layout.module > 2.0:
        few = rng.uniform(1.2, min(2.0, layout.module / 1.3))
        small = cv2.resize(image, None, fx=1 / few, fy=1 / few, interpolation=cv2.INTER_AREA)
        image = np.asarray(cv2.resize(small, (layout.width, layout.height), interpolation=cv2.INTER_LINEAR), np.uint8)
    image = add_noise(image, rng.log_uniform(1.0, 12.0) if rng.chance(0.7) else 0.0, rng)
    if 0.1 <= kind < 0.22:
        image = np.asarray(cv2.addWeighted(image, 1.8, blur(image, 1.2), -0.8, 0.0), np.uint8)
    return compress(image, rng.integer(35, 95)) if rng.chance(0.33) else image
