"""What stands where in a scene: drawn from the seed before anything is rendered."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import cv2
import numpy as np

from retable.papers.larsd.scenes.clutter import Clutter
from retable.papers.larsd.scenes.geometry import (
    SHIFT,
    Image,
    Rectangle,
    fixed,
    probe_points,
    rectangles_touch,
    visible_fraction,
)
from retable.papers.larsd.scenes.profiles import Place, Profile
from retable.papers.larsd.scenes.rng import Dice
from retable.papers.larsd.scenes.shore import Berth, Shore, draw_shore
from retable.papers.larsd.scenes.vessels import Kind, Vessel, draw_hull, draw_size, find_kind

LEAST_VISIBLE = 0.6  # hulls that the image's edge cuts more are not placed
CLEARLY_VISIBLE = 0.75  # hulls that are cut more are labelled difficult
_ATTEMPTS = 40


@dataclass
class SceneLayout:
    """A scene before rendering.

    Attributes:
        size: Image side in pixels.
        resolution: Metres per pixel.
        place: Kind of place.
        shore: Land, piers and berths.
        vessels: The ships, none overlapping another.
        clutter: What is not a ship.
        solid: uint8 (size, size), 255 on land and piers.
        seed: Seed of the rendering.
    """

    size: int
    resolution: float
    place: str
    shore: Shore
    seed: int
    solid: Image
    vessels: list[Vessel] = field(default_factory=list)
    clutter: list[Clutter] = field(default_factory=list)

    def difficult(self, vessel: Vessel) -> bool:
        """Tell whether the image's edge cuts off more than a quarter of the ship."""
        return visible_fraction(vessel.rectangle, self.size) < CLEARLY_VISIBLE


class _Planner:
    """Places ships and clutter one after the other, checking each against all that stands already."""

    def __init__(self, layout: SceneLayout, place: Place, dice: Dice, shortest: float, longest: float) -> None:
        self.layout = layout
        self.place = place
        self.dice = dice
        self.shortest, self.longest = shortest, longest
        self.berths = [berth for berth in layout.shore.berths if _in_view(berth, layout.size)]

    def free(self, item: Rectangle, margin: float, on_land: bool = False) -> bool:
        """Tell whether a rectangle grown by `margin` lies on water (or on land) and touches no ship or clutter."""
        size = self.layout.size
        gap = max(margin, 0.4)
        if any(rectangles_touch(item, other.rectangle, gap) for other in self.layout.vessels):
            return False
        if any(rectangles_touch(item, other.rectangle, gap) for other in self.layout.clutter):
            return False
        # points outside the image say nothing
        points = np.floor(probe_points(item, margin)).astype(np.intp)
        inside = points[((points >= 0) & (points < size)).all(1)]
        ground = self.layout.solid[inside[:, 1], inside[:, 0]]
        return inside.size > 0 and bool(ground.all() if on_land else not ground.any())

    def admits(self, item: Rectangle, margin: float) -> bool:
        """Tell whether a ship may be placed: enough of it visible, and free."""
        size = self.layout.size
        if not (0.0 < item[0] < size and 0.0 < item[1] < size) or visible_fraction(item, size) < LEAST_VISIBLE:
            return False
        return self.free(item, margin)

    def draw_kind(self) -> tuple[Kind, float, float] | None:
        """Draw a kind of ship with length and width in pixels."""
        for _ in range(6):
            kind = find_kind(self.dice.weighted(self.place.kinds))
            size = draw_size(self.dice, kind, self.layout.resolution, self.shortest, self.longest)
            if size is not None:
                return kind, *size
        return None

    def add(self, kind: Kind, item: Rectangle, speed: float = 0.0) -> None:
        """Append a ship."""
        cx, cy, length, width, heading = item
        hull = draw_hull(self.dice, kind)
        self.layout.vessels.append(Vessel(kind.name, cx, cy, length, width, heading, speed, hull, self.dice.seed()))

    def at_sea(self, room: int) -> int:
        """Place one ship away from land, or a raft of ships side by side; returns how many were placed."""
        dice, size = self.dice, self.layout.size
        drawn = self.draw_kind()
        if drawn is None:
            return 0
        kind, length, width = drawn
        moving = self.place.name in ("sea", "coast", "river") and dice.chance(0.55)
        wind = self.layout.shore.angle
        if self.place.name == "river":
            heading = wind + (math.pi if dice.chance(0.5) else 0.0) + dice.normal(0.0, 0.12)
        elif self.place.name == "anchorage":
            heading = wind + dice.normal(0.0, 0.15)  # ships at anchor swing to the wind
        else:
            heading = dice.uniform(-math.pi, math.pi)
        item = (dice.uniform(0.02, 0.98) * size, dice.uniform(0.02, 0.98) * size, length, width, heading)
        if not self.admits(item, max(0.25 * width, 2.0)):
            return 0
        moving = moving and self.open_water(item)
        self.add(kind, item, dice.uniform(0.3, 1.0) if moving else 0.0)
        placed = 1
        if not moving and room > 1 and dice.chance(0.12):
            placed += self.raft(item, kind, dice.sign(), min(room - 1, dice.integer(1, 3)), dice.sign())
        return placed

    def open_water(self, item: Rectangle) -> bool:
        """Tell whether a ship has water ahead and astern: no ship sails off a beach or into a quay."""
        cx, cy, length, _, heading = item
        size = self.layout.size
        for lengths in (-1.5, -1.0, -0.7, 0.7, 1.0):
            x, y = cx + lengths * length * math.cos(heading), cy + lengths * length * math.sin(heading)
            if 0 <= x < size and 0 <= y < size and self.layout.solid[int(y), int(x)]:
                return False
        return True

    def raft(self, first: Rectangle, kind: Kind, side: float, number: int, direction: float) -> int:
        """Moor ships side by side to a ship that lies there already, outward; returns how many found room."""
        dice = self.dice
        cx, cy, length, width, heading = first
        alike = dice.chance(0.6)
        placed = 0
        for _ in range(number):
            if alike:
                own_length, own_width = length * dice.uniform(0.96, 1.03), width * dice.uniform(0.96, 1.03)
            else:
                size = draw_size(
                    dice,
                    kind,
                    self.layout.resolution,
                    max(0.5 * length, self.shortest),
                    min(1.4 * length, self.longest),
                )
                if size is None:
                    break
                own_length, own_width = size
            own_length = min(max(own_length, self.shortest), self.longest)
            own_width = min(max(own_width, own_length / 9.0), own_length / 3.0)
            step = 0.5 * (width + own_width) + dice.uniform(0.5, max(1.0, 0.12 * width))
            along = dice.normal(0.0, 0.05) * length
            normal = heading + side * math.pi / 2
            cx += step * math.cos(normal) + along * math.cos(heading)
            cy += step * math.sin(normal) + along * math.sin(heading)
            own_heading = heading + (0.0 if dice.chance(0.75) else math.pi)
            item = (cx, cy, own_length, own_width, own_heading)
            if not self.admits(item, 0.0):
                break
            self.add(kind, item)
            width = own_width
            placed += 1
        return placed

    def at_berth(self, room: int) -> int:
        """Moor one ship, a raft of ships, or a row of ships with the stern to the quay."""
        dice, layout = self.dice, self.layout
        drawn = self.draw_kind()
        if drawn is None:
            return 0
        kind, length, width = drawn
        berth = dice.pick(self.berths)
        if length > 1.15 * berth.length and berth.surface != "quay":
            return 0
        gap = dice.uniform(0.6, max(1.2, 2.0 / layout.resolution))
        stern_to = berth.surface == "pontoon" or (kind.lengths[0] < 70 and room > 2 and dice.chance(0.3))
        along = dice.uniform(0.0, berth.length)
        if stern_to:
            return self.row(berth, kind, (length, width), along, gap, room)
        item = self.beside(berth, along, 0.5 * width + gap, length, width, dice.normal(0.0, 0.006), dice.chance(0.5))
        if not self.admits(item, 0.0):
            return 0
        self.add(kind, item)
        if room > 1 and dice.chance(0.4):
            # the berth's water side is the ship's right (+90 degrees) when it heads along the edge, else its left
            side = 1.0 if math.cos(item[4] - berth.angle) > 0 else -1.0
            return 1 + self.raft(item, kind, side, min(room - 1, dice.integer(1, 5)), 1.0)
        return 1

    @staticmethod
    def beside(
        berth: Berth, along: float, out: float, length: float, width: float, turn: float, reverse: bool
    ) -> Rectangle:
        """Return a ship's rectangle at `along` pixels of a berth, its centre `out` pixels from the edge."""
        x = berth.x + along * math.cos(berth.angle) - out * math.sin(berth.angle)
        y = berth.y + along * math.sin(berth.angle) + out * math.cos(berth.angle)
        return (x, y, length, width, berth.angle + turn + (math.pi if reverse else 0.0))

    def row(self, berth: Berth, kind: Kind, size: tuple[float, float], along: float, gap: float, room: int) -> int:
        """Moor a row of similar ships at right angles to a berth."""
        dice = self.dice
        length, width = size
        bow_out = dice.chance(0.5)
        spread = dice.uniform(0.03, 0.25)
        limit = self.longest
        placed = 0
        for _ in range(min(room, dice.integer(3, 16))):
            own = min(max(length * dice.uniform(1 - spread, 1 + spread), self.shortest), limit)
            own_width = own * width / length
            x = berth.x + along * math.cos(berth.angle) - (0.5 * own + gap) * math.sin(berth.angle)
            y = berth.y + along * math.sin(berth.angle) + (0.5 * own + gap) * math.cos(berth.angle)
            heading = berth.angle + (0.5 if bow_out else -0.5) * math.pi + dice.normal(0.0, 0.012)
            item = (x, y, own, own_width, heading)
            if along > berth.length:
                break
            if dice.chance(0.9) and self.admits(item, 0.0):
                self.add(kind, item)
                placed += 1
            along += own_width * dice.uniform(1.06, 1.3) + dice.uniform(0.6, 1.6)
        return placed

    def scatter(
        self,
        kind: str,
        number: int,
        lengths: tuple[float, float],
        aspects: tuple[float, float],
        height: float,
        on_land: bool,
    ) -> None:
        """Place clutter freely on water or on land; lengths and height in metres."""
        dice, layout = self.dice, self.layout
        for _ in range(number):
            length = max(dice.log_uniform(*lengths) / layout.resolution, 2.5)
            length = min(length, 0.6 * layout.size)
            width = max(length / dice.uniform(*aspects), 2.0)
            at = (dice.unit() * layout.size, dice.unit() * layout.size)
            turn = (
                layout.shore.angle + dice.pick((0.0, 0.0, math.pi / 2)) if on_land else dice.uniform(-math.pi, math.pi)
            )
            item = (*at, length, width, turn)
            if self.free(item, 2.0, on_land):
                layout.clutter.append(Clutter(kind, *item, height / layout.resolution, dice.seed()))

    def raise_cranes(self, number: int) -> None:
        """Set gantry cranes at a quay; they may reach over large ships, never over small ones."""
        dice, layout = self.dice, self.layout
        berth = dice.pick(self.berths)
        length = dice.uniform(45.0, 75.0) / layout.resolution
        width = max(dice.uniform(8.0, 16.0) / layout.resolution, 2.0)
        if berth.surface == "pontoon" or width > 0.12 * berth.length:
            return
        for _ in range(number):
            item = self.beside(berth, dice.unit() * berth.length, 0.1 * length, length, width, math.pi / 2, False)
            small = (vessel.rectangle for vessel in layout.vessels if vessel.length < 8.0 * width)
            cranes = (other.rectangle for other in layout.clutter if other.kind == "crane")
            if not any(rectangles_touch(item, other, 1.0) for other in (*small, *cranes)):
                layout.clutter.append(Clutter("crane", *item, 20.0 / layout.resolution, dice.seed()))

    def line_quays(self, number: int) -> None:
        """Place look-alikes along quay edges: on land beside the berth, or afloat in it."""
        dice, layout = self.dice, self.layout
        for _ in range(number):
            berth = dice.pick(self.berths)
            length = dice.log_uniform(25.0, 160.0) / layout.resolution
            if length > 1.1 * berth.length:
                continue
            width = length / dice.uniform(3.5, 9.0)
            on_land = berth.surface == "quay" and dice.chance(0.75)
            out = 0.5 * width + dice.uniform(2.0, 14.0) / layout.resolution
            item = self.beside(
                berth, dice.uniform(0.1, 0.9) * berth.length, -out if on_land else out, length, width, 0.0, False
            )
            if self.free(item, 1.0, on_land):
                kind = dice.pick(("containers", "containers", "shed")) if on_land else "pontoon"
                height = dice.uniform(3.0, 12.0) if on_land else 1.0
                layout.clutter.append(Clutter(kind, *item, height / layout.resolution, dice.seed()))


def _in_view(berth: Berth, size: int) -> bool:
    """Tell whether a tenth of a berth or more lies in the image."""
    step_x, step_y = 0.1 * berth.length * math.cos(berth.angle), 0.1 * berth.length * math.sin(berth.angle)
    seen = 0
    for number in range(11):
        seen += 0.0 < berth.x + number * step_x < size and 0.0 < berth.y + number * step_y < size
    return seen >= 2


def _solid(shore: Shore, size: int) -> Image:
    """Draw land and piers into a mask (size, size)."""
    mask = np.zeros((size, size), np.uint8)
    for polygon in (*shore.lands, *(points for points, _ in shore.decks)):
        cv2.fillPoly(mask, [fixed(polygon)], 255, cv2.LINE_8, SHIFT)
    return mask


def draw_layout(profile: Profile, size: int, scale: float, entropy: list[int]) -> SceneLayout:
    """Draw a scene's layout.

    Args:
        profile: Statistics to draw from.
        size: Image side in pixels.
        scale: Pixels of this image for each pixel of the profile's reference: 0.5 shows ships at half the size.
        entropy: Integers that determine the scene.

    Returns:
        The layout; rendering it is a separate step.
    """
    dice = Dice(entropy)
    place = dice.weighted([(candidate, candidate.weight) for candidate in profile.places])
    shortest = max(profile.lengths[0] * scale, 10.0)
    longest = max(min(profile.lengths[1] * scale, 0.8 * size), 1.5 * shortest)
    resolution = dice.log_uniform(*place.resolutions) / scale
    wanted = dice.weighted(place.counts)
    if wanted > 6 and place.name in ("harbour", "river"):
        resolution *= dice.uniform(1.0, 1.8)  # many ships in one image are small ones
    probe = find_kind(dice.weighted(place.kinds))
    typical = draw_size(dice, probe, resolution, shortest, longest)
    shore = draw_shore(dice, place.name, size, resolution, typical[0] if typical else 0.15 * size)
    layout = SceneLayout(size, resolution, place.name, shore, dice.seed(), _solid(shore, size))
    planner = _Planner(layout, place, dice, shortest, longest)
    afloat = {"harbour": 0.12, "marina": 0.04, "river": 0.6, "coast": 0.7}.get(place.name, 1.0)
    for _ in range(_ATTEMPTS + 6 * wanted):
        room = wanted - len(layout.vessels)
        if room <= 0:
            break
        if planner.berths and not dice.chance(afloat):
            # most places at a quay are taken or too short: several tries, or only ships afloat would remain
            for _ in range(6):
                if planner.at_berth(room):
                    break
        else:
            planner.at_sea(room)
    _add_clutter(planner)
    return layout


def _add_clutter(planner: _Planner) -> None:
    """Place what is not a ship, after the ships."""
    dice, layout = planner.dice, planner.layout
    if layout.shore.built and planner.berths:
        planner.line_quays(dice.integer(1, 9))
        if dice.chance(0.3):
            planner.raise_cranes(dice.integer(1, 6))
        planner.scatter("containers", dice.integer(0, 4), (20.0, 120.0), (3.0, 9.0), 8.0, on_land=True)
        planner.scatter("shed", dice.integer(0, 4), (20.0, 120.0), (2.0, 6.0), 10.0, on_land=True)
        planner.scatter("pontoon", dice.integer(0, 3), (10.0, 70.0), (3.0, 8.0), 1.0, on_land=False)
    near_land = bool(layout.shore.lands)
    if near_land and dice.chance(0.4):
        planner.scatter("breakwater", dice.integer(1, 3), (50.0, 300.0), (5.0, 12.0), 3.0, on_land=False)
    if dice.chance(0.35 if near_land else 0.12):
        planner.scatter("raft", dice.integer(1, 10), (12.0, 80.0), (1.2, 7.0), 0.5, on_land=False)
    if dice.chance(0.3 if near_land else 0.1):
        planner.scatter("rock", dice.integer(1, 6), (6.0, 60.0), (1.0, 2.2), 3.0, on_land=False)
    if dice.chance(0.35):
        planner.scatter("buoy", dice.integer(1, 6), (2.0, 5.0), (1.0, 1.2), 1.0, on_land=False)
