"""What stands where in a scene: drawn from the seed before anything is rendered."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from retable.detection.visibility import visible_fractions
from retable.papers.larsd.scenes.clutter import Clutter
from retable.papers.larsd.scenes.geometry import Rectangle, probe_points, rectangles_touch
from retable.papers.larsd.scenes.profiles import Place, Profile
from retable.papers.larsd.scenes.shore import Berth, Shore, draw_shore
from retable.papers.larsd.scenes.vessels import KINDS, Kind, Vessel, draw_hull, draw_size
from retable.synthetic.raster import Image, fill
from retable.synthetic.rng import RandomStream, Weighted

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


class _Planner:
    """Places ships and clutter one after the other, checking each against all that stands already."""

    def __init__(self, layout: SceneLayout, place: Place, rng: RandomStream, shortest: float, longest: float) -> None:
        self.layout = layout
        self.kinds = Weighted(*place.kinds)
        self.rng = rng
        self.shortest, self.longest = shortest, longest
        self.berths = [berth for berth in layout.shore.berths if _in_view(berth, layout.size)]

    def free(self, item: Rectangle, margin: float, on_land: bool = False) -> bool:
        """Tells whether a rectangle grown by `margin` lies on water (or on land) and touches no ship or clutter."""
        size = self.layout.size
        gap = max(margin, 0.4)
        others = (*self.layout.vessels, *self.layout.clutter)
        if any(rectangles_touch(item, other.rectangle, gap) for other in others):
            return False
        # points outside the image say nothing
        points = np.floor(probe_points(item, margin)).astype(np.intp)
        inside = points[((points >= 0) & (points < size)).all(1)]
        ground = self.layout.solid[inside[:, 1], inside[:, 0]]
        return inside.size > 0 and bool(ground.all() if on_land else not ground.any())

    def admits(self, item: Rectangle, margin: float) -> bool:
        """Tells whether a ship may be placed: enough of it visible, and free."""
        (cx, cy, length, width, _), size = item, self.layout.size
        room = min(cx, cy, size - cx, size - cy)
        if room <= 0.0:
            return False
        # most ships lie well within the image: their visible part costs more than all else here
        whole = math.hypot(length, width) <= 2 * room
        if not whole and visible_fractions(np.array([item]), size, size)[0] < LEAST_VISIBLE:
            return False
        return self.free(item, margin)

    def draw_kind(self) -> tuple[Kind, float, float] | None:
        """Draws a kind of ship with length and width in pixels."""
        for _ in range(6):
            kind = KINDS[self.kinds.draw(self.rng)]
            size = draw_size(self.rng, kind, self.layout.resolution, self.shortest, self.longest)
            if size is not None:
                return kind, *size
        return None

    def add(self, kind: Kind, item: Rectangle, speed: float = 0.0) -> None:
        """Appends a ship."""
        hull = draw_hull(self.rng, kind)
        self.layout.vessels.append(Vessel(*item, kind.name, speed, hull, self.rng.seed()))

    def at_sea(self, room: int) -> int:
        """Places one ship away from land, or a raft of ships side by side; returns how many were placed."""
        rng, size = self.rng, self.layout.size
        drawn = self.draw_kind()
        if drawn is None:
            return 0
        kind, length, width = drawn
        moving = self.layout.place in ("sea", "coast", "river") and rng.chance(0.55)
        wind = self.layout.shore.angle
        if self.layout.place == "river":
            heading = wind + (math.pi if rng.chance(0.5) else 0.0) + rng.normal(0.0, 0.12)
        elif self.layout.place == "anchorage":
            heading = wind + rng.normal(0.0, 0.15)  # ships at anchor swing to the wind
        else:
            heading = rng.uniform(-math.pi, math.pi)
        item = (rng.uniform(0.02, 0.98) * size, rng.uniform(0.02, 0.98) * size, length, width, heading)
        if not self.admits(item, max(0.25 * width, 2.0)):
            return 0
        moving = moving and self.open_water(item)
        self.add(kind, item, rng.uniform(0.3, 1.0) if moving else 0.0)
        placed = 1
        if not moving and room > 1 and rng.chance(0.12):
            side, number, _ = rng.sign(), rng.integer(1, 3), rng.sign()  # the last keeps scenes as they are
            placed += self.raft(item, kind, side, min(room - 1, number))
        return placed

    def open_water(self, item: Rectangle) -> bool:
        """Tells whether a ship has water ahead and astern: no ship sails off a beach or into a quay."""
        cx, cy, length, _, heading = item
        size = self.layout.size
        for lengths in (-1.5, -1.0, -0.7, 0.7, 1.0):
            x, y = cx + lengths * length * math.cos(heading), cy + lengths * length * math.sin(heading)
            if 0 <= x < size and 0 <= y < size and self.layout.solid[int(y), int(x)]:
                return False
        return True

    def raft(self, first: Rectangle, kind: Kind, side: float, number: int) -> int:
        """Moors ships side by side to a ship that lies there already, outward; returns how many found room."""
        rng = self.rng
        cx, cy, length, width, heading = first
        alike = rng.chance(0.6)
        placed = 0
        for _ in range(number):
            if alike:
                own_length, own_width = length * rng.uniform(0.96, 1.03), width * rng.uniform(0.96, 1.03)
            else:
                limits = max(0.5 * length, self.shortest), min(1.4 * length, self.longest)
                size = draw_size(rng, kind, self.layout.resolution, *limits)
                if size is None:
                    break
                own_length, own_width = size
            own_length = min(max(own_length, self.shortest), self.longest)
            own_width = min(max(own_width, own_length / 9.0), own_length / 3.0)
            step = 0.5 * (width + own_width) + rng.uniform(0.5, max(1.0, 0.12 * width))
            along = rng.normal(0.0, 0.05) * length
            normal = heading + side * math.pi / 2
            cx += step * math.cos(normal) + along * math.cos(heading)
            cy += step * math.sin(normal) + along * math.sin(heading)
            own_heading = heading + (0.0 if rng.chance(0.75) else math.pi)
            item = (cx, cy, own_length, own_width, own_heading)
            if not self.admits(item, 0.0):
                break
            self.add(kind, item)
            width = own_width
            placed += 1
        return placed

    def at_berth(self, room: int) -> int:
        """Moors one ship, a raft of ships, or a row of ships with the stern to the quay."""
        rng, layout = self.rng, self.layout
        drawn = self.draw_kind()
        if drawn is None:
            return 0
        kind, length, width = drawn
        berth = rng.choice(self.berths)
        if length > 1.15 * berth.length and berth.surface != "quay":
            return 0
        gap = rng.uniform(0.6, max(1.2, 2.0 / layout.resolution))
        stern_to = berth.surface == "pontoon" or (kind.lengths[0] < 70 and room > 2 and rng.chance(0.3))
        along = rng.uniform(0.0, berth.length)
        if stern_to:
            return self.row(berth, kind, (length, width), along, gap, room)
        heading = berth.angle + rng.normal(0.0, 0.006) + (math.pi if rng.chance(0.5) else 0.0)
        item = (*berth.point(along, 0.5 * width + gap), length, width, heading)
        if not self.admits(item, 0.0):
            return 0
        self.add(kind, item)
        if room > 1 and rng.chance(0.4):
            # the berth's water side is the ship's right (+90 degrees) when it heads along the edge, else its left
            side = 1.0 if math.cos(item[4] - berth.angle) > 0 else -1.0
            return 1 + self.raft(item, kind, side, min(room - 1, rng.integer(1, 5)))
        return 1

    def row(self, berth: Berth, kind: Kind, size: tuple[float, float], along: float, gap: float, room: int) -> int:
        """Moors a row of similar ships at right angles to a berth."""
        rng = self.rng
        length, width = size
        bow_out = rng.chance(0.5)
        spread = rng.uniform(0.03, 0.25)
        placed = 0
        for _ in range(min(room, rng.integer(3, 16))):
            own = min(max(length * rng.uniform(1 - spread, 1 + spread), self.shortest), self.longest)
            own_width = own * width / length
            heading = berth.angle + (0.5 if bow_out else -0.5) * math.pi + rng.normal(0.0, 0.012)
            item = (*berth.point(along, 0.5 * own + gap), own, own_width, heading)
            if along > berth.length:
                break
            if rng.chance(0.9) and self.admits(item, 0.0):
                self.add(kind, item)
                placed += 1
            along += own_width * rng.uniform(1.06, 1.3) + rng.uniform(0.6, 1.6)
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
        """Places clutter freely on water or on land; lengths and height in metres."""
        rng, layout = self.rng, self.layout
        for _ in range(number):
            length = min(max(rng.log_uniform(*lengths) / layout.resolution, 2.5), 0.6 * layout.size)
            width = max(length / rng.uniform(*aspects), 2.0)
            at = (rng.random() * layout.size, rng.random() * layout.size)
            turn = (
                layout.shore.angle + rng.choice((0.0, 0.0, math.pi / 2)) if on_land else rng.uniform(-math.pi, math.pi)
            )
            item = (*at, length, width, turn)
            if self.free(item, 2.0, on_land):
                layout.clutter.append(Clutter(*item, kind, height / layout.resolution, rng.seed()))

    def raise_cranes(self, number: int) -> None:
        """Sets gantry cranes at a quay; they may reach over large ships, never over small ones."""
        rng, layout = self.rng, self.layout
        berth = rng.choice(self.berths)
        length = rng.uniform(45.0, 75.0) / layout.resolution
        width = max(rng.uniform(8.0, 16.0) / layout.resolution, 2.0)
        if berth.surface == "pontoon" or width > 0.12 * berth.length:
            return
        for _ in range(number):
            at = berth.point(rng.random() * berth.length, 0.1 * length)
            item = (*at, length, width, berth.angle + math.pi / 2)
            small = (vessel.rectangle for vessel in layout.vessels if vessel.length < 8.0 * width)
            cranes = (other.rectangle for other in layout.clutter if other.kind == "crane")
            if not any(rectangles_touch(item, other, 1.0) for other in (*small, *cranes)):
                layout.clutter.append(Clutter(*item, "crane", 20.0 / layout.resolution, rng.seed()))

    def line_quays(self, number: int) -> None:
        """Places look-alikes along quay edges: on land beside the berth, or afloat in it."""
        rng, layout = self.rng, self.layout
        for _ in range(number):
            berth = rng.choice(self.berths)
            length = rng.log_uniform(25.0, 160.0) / layout.resolution
            if length > 1.1 * berth.length:
                continue
            width = length / rng.uniform(3.5, 9.0)
            on_land = berth.surface == "quay" and rng.chance(0.75)
            out = 0.5 * width + rng.uniform(2.0, 14.0) / layout.resolution
            at = berth.point(rng.uniform(0.1, 0.9) * berth.length, -out if on_land else out)
            item = (*at, length, width, berth.angle)
            if self.free(item, 1.0, on_land):
                kind = rng.choice(("containers", "containers", "shed")) if on_land else "pontoon"
                height = rng.uniform(3.0, 12.0) if on_land else 1.0
                layout.clutter.append(Clutter(*item, kind, height / layout.resolution, rng.seed()))


def _in_view(berth: Berth, size: int) -> bool:
    """Tells whether a tenth of a berth or more lies in the image."""
    points = (berth.point(0.1 * number * berth.length, 0.0) for number in range(11))
    return sum(0.0 < x < size and 0.0 < y < size for x, y in points) >= 2


def draw_layout(rng: RandomStream, profile: Profile, size: int, scale: float) -> SceneLayout:
    """Draws the layout of a scene of this side in pixels; rendering it is a separate step.

    `scale` is the pixels of this image for each pixel of the profile's reference: 0.5 shows ships at half the size.
    """
    place = Weighted(*((candidate, candidate.weight) for candidate in profile.places)).draw(rng)
    shortest = max(profile.lengths[0] * scale, 10.0)
    longest = max(min(profile.lengths[1] * scale, 0.8 * size), 1.5 * shortest)
    resolution = rng.log_uniform(*place.resolutions) / scale
    wanted = Weighted(*place.counts).draw(rng)
    if wanted > 6 and place.name in ("harbour", "river"):
        resolution *= rng.uniform(1.0, 1.8)  # many ships in one image are small ones
    probe = KINDS[Weighted(*place.kinds).draw(rng)]
    typical = draw_size(rng, probe, resolution, shortest, longest)
    shore = draw_shore(rng, place.name, size, resolution, typical[0] if typical else 0.15 * size)
    solid = np.zeros((size, size), np.uint8)
    fill(solid, (*shore.lands, *shore.decks), 255, smooth=False)
    layout = SceneLayout(size, resolution, place.name, shore, rng.seed(), solid)
    planner = _Planner(layout, place, rng, shortest, longest)
    afloat = {"harbour": 0.12, "marina": 0.04, "river": 0.6, "coast": 0.7}.get(place.name, 1.0)
    for _ in range(_ATTEMPTS + 6 * wanted):
        room = wanted - len(layout.vessels)
        if room <= 0:
            break
        if planner.berths and not rng.chance(afloat):
            # most places at a quay are taken or too short: several tries, or only ships afloat would remain
            for _ in range(6):
                if planner.at_berth(room):
                    break
        else:
            planner.at_sea(room)
    _add_clutter(planner)
    return layout


def _add_clutter(planner: _Planner) -> None:
    """Places what is not a ship, after the ships."""
    rng, layout = planner.rng, planner.layout
    if layout.shore.built and planner.berths:
        planner.line_quays(rng.integer(1, 9))
        if rng.chance(0.3):
            planner.raise_cranes(rng.integer(1, 6))
        planner.scatter("containers", rng.integer(0, 4), (20.0, 120.0), (3.0, 9.0), 8.0, on_land=True)
        planner.scatter("shed", rng.integer(0, 4), (20.0, 120.0), (2.0, 6.0), 10.0, on_land=True)
        planner.scatter("pontoon", rng.integer(0, 3), (10.0, 70.0), (3.0, 8.0), 1.0, on_land=False)
    near_land = bool(layout.shore.lands)
    if near_land and rng.chance(0.4):
        planner.scatter("breakwater", rng.integer(1, 3), (50.0, 300.0), (5.0, 12.0), 3.0, on_land=False)
    if rng.chance(0.35 if near_land else 0.12):
        planner.scatter("raft", rng.integer(1, 10), (12.0, 80.0), (1.2, 7.0), 0.5, on_land=False)
    if rng.chance(0.3 if near_land else 0.1):
        planner.scatter("rock", rng.integer(1, 6), (6.0, 60.0), (1.0, 2.2), 3.0, on_land=False)
    if rng.chance(0.35):
        planner.scatter("buoy", rng.integer(1, 6), (2.0, 5.0), (1.0, 1.2), 1.0, on_land=False)
