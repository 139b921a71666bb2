"""From layout to picture and labels."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from retable.detection.visibility import visible_fractions
from retable.papers.larsd.scenes.atmosphere import apply_atmosphere
from retable.papers.larsd.scenes.clutter import IRREGULAR, OVERHEAD, render_clutter
from retable.papers.larsd.scenes.decks import render_deck
from retable.papers.larsd.scenes.land import Buildings, draw_buildings, plan_buildings, render_ground
from retable.papers.larsd.scenes.layout import CLEARLY_VISIBLE, SceneLayout
from retable.papers.larsd.scenes.sprites import Stamp, Sun, cast_shadow, local_shadow, set_stamp
from retable.papers.larsd.scenes.vessels import KINDS, hull_outline
from retable.papers.larsd.scenes.water import render_wakes, render_water
from retable.synthetic.raster import Image
from retable.synthetic.rng import RandomStream

Target = dict[str, NDArray[np.generic]]


def render(layout: SceneLayout) -> Image:
    """Renders a layout; returns uint8 RGB (size, size, 3)."""
    rng = RandomStream(layout.seed)
    sun = Sun(rng.uniform(-math.pi, math.pi), rng.uniform(0.15, 1.1), rng.uniform(0.35, 0.65))
    image = render_water(layout, rng)
    render_wakes(image, layout, rng)
    shadows = np.zeros((layout.size, layout.size), np.uint8)
    buildings: list[Buildings] = []
    if layout.shore.lands:
        inland = render_ground(image, layout, rng)
        buildings = plan_buildings(shadows, layout, inland, sun, rng)
    stamps: list[tuple[Stamp, Image]] = []
    above: list[tuple[Stamp, Image]] = []
    for item in layout.clutter:
        texture, outline = render_clutter(item, local_shadow(sun, item.angle))
        stamp = Stamp(*item.rectangle, outline, item.height, item.kind not in IRREGULAR)
        (above if item.kind in OVERHEAD else stamps).append((stamp, texture))
    for vessel in layout.vessels:
        outline = hull_outline(vessel.hull)
        texture = render_deck(vessel, outline, local_shadow(sun, vessel.angle))
        height = KINDS[vessel.kind].depth * vessel.width
        stamps.append((Stamp(*vessel.rectangle, outline, height), texture))
    stamps += above
    for stamp, _ in stamps:
        if stamp.height > 0.0:
            cast_shadow(shadows, stamp.polygon(), stamp.height, sun)
    light = cv2.convertScaleAbs(cv2.GaussianBlur(shadows, (3, 3), 0.8), alpha=-sun.strength, beta=0)
    image = np.asarray(
        cv2.multiply(image, cv2.cvtColor(cv2.bitwise_not(light), cv2.COLOR_GRAY2BGR), scale=1 / 255), np.uint8
    )
    draw_buildings(image, buildings)
    for stamp, texture in stamps:
        set_stamp(image, stamp, texture)
    return apply_atmosphere(image, rng)


def labels(layout: SceneLayout) -> Target:
    """Returns a layout's target: boxes float32 (N, 5) canonical, labels int64 (N,), difficult bool (N,)."""
    boxes = np.array([vessel.box for vessel in layout.vessels]).reshape(-1, 5)
    return {
        "boxes": boxes.astype(np.float32),
        "labels": np.zeros(len(boxes), np.int64),
        "difficult": visible_fractions(boxes, layout.size, layout.size) < CLEARLY_VISIBLE,
    }
