"""Bodies of cars: five kinds, their proportions and the outline of their side view, in metres.

A car looks along +x, its left side lies at +y, and z points up from the ground. The origin lies half way between nose
and tail.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from retable.synthetic.rng import RandomStream, Weighted

Point = tuple[float, float]

OUTLINE_POINTS: Final = 12


class Body(NamedTuple):
    """Sizes of a car."""

    length: float  # from nose to tail
    width: float  # without mirrors
    height: float  # from the ground to the roof
    clearance: float  # from the ground to the sill
    belt: float  # height of the windows' lower edge
    tumblehome: float  # how much narrower the roof is than the belt, as a share of the width
    front_taper: float  # how much narrower the nose is than the middle, as a share of the width
    rear_taper: float  # the same of the tail
    bow: float  # how far nose and tail bow out in the middle
    front_axle: float  # its x
    rear_axle: float  # its x
    wheel_radius: float  # of the tyres
    arch_radius: float  # of the wheel arches
    front_pillar: float  # x of the pillar behind the front doors
    rear_pillar: float  # x of the pillar behind the rear doors; equal to `front_pillar` for two doors
    window_end: float  # x of the rear end of the side windows, at the belt
    roof_bars: float  # 1 with rails along the roof, else 0


_Range = tuple[float, float]


class _Kind(NamedTuple):
    """Ranges of one kind of body; `screen` and `back` are the horizontal runs of windscreen and rear window."""

    share: float
    length: _Range
    width: _Range
    height: _Range
    clearance: _Range
    belt: _Range  # as a share of the height
    tumblehome: _Range
    bonnet: _Range
    screen: _Range
    back: _Range
    deck: _Range  # from the rear window's lower edge to the tail
    wheel: _Range
    bars: float  # how often there are rails on the roof
    doors: float  # how often there are rear doors
    closed: float  # how often the sides are closed behind the front doors


_KINDS: Final[dict[str, _Kind]] = {
    "hatchback": _Kind(
        0.32, (3.55, 4.3), (1.64, 1.8), (1.4, 1.56), (0.17, 0.24), (0.61, 0.66),
        (0.14, 0.22), (0.8, 1.1), (0.6, 0.9), (0.3, 0.65), (0.06, 0.18),
        (0.28, 0.32), 0.05, 0.7, 0.0,
    ),
    "saloon": _Kind(
        0.22, (4.3, 5.0), (1.7, 1.9), (1.36, 1.5), (0.15, 0.22), (0.63, 0.67),
        (0.18, 0.28), (1.05, 1.4), (0.7, 1.0), (0.5, 0.85), (0.5, 0.95),
        (0.29, 0.34), 0.0, 0.85, 0.0,
    ),
    "estate": _Kind(
        0.18, (4.3, 4.95), (1.7, 1.88), (1.42, 1.54), (0.16, 0.23), (0.61, 0.66),
        (0.14, 0.22), (1.0, 1.3), (0.7, 0.9), (0.22, 0.5), (0.05, 0.14),
        (0.29, 0.34), 0.6, 1.0, 0.0,
    ),
    "van": _Kind(
        0.12, (4.0, 5.2), (1.75, 2.0), (1.75, 2.2), (0.18, 0.26), (0.54, 0.6),
        (0.06, 0.13), (0.55, 0.9), (0.5, 0.8), (0.06, 0.2), (0.03, 0.07),
        (0.3, 0.35), 0.15, 0.8, 0.4,
    ),
    "suv": _Kind(
        0.16, (4.1, 4.85), (1.78, 1.98), (1.6, 1.82), (0.24, 0.34), (0.61, 0.66),
        (0.1, 0.18), (0.95, 1.25), (0.5, 0.8), (0.15, 0.45), (0.05, 0.14),
        (0.34, 0.4), 0.6, 0.95, 0.0,
    ),
}  # fmt: skip

BODIES: Final = tuple(_KINDS)
"""Names of the kinds of bodies."""


draw_kind: Final = Weighted(*((name, kind.share) for name, kind in _KINDS.items())).draw
"""Draws the name of a kind of body."""


def draw_body(rng: RandomStream, name: str) -> tuple[Body, list[Point]]:
    """Draws sizes and outline of one of `BODIES`.

    Returns:
        The sizes, and the corners (x, z) of the side view from the nose's lower edge over the roof to the tail's: 0
        nose below, 1 bumper, 2 grille, 3 bonnet's front edge, 4 and 5 windscreen below and above, 6 roof, 7 and 8 rear
        window above and below, 9 boot's edge, 10 rear bumper, 11 tail below.
    """
    kind = _KINDS[name]

    def within(span: _Range) -> float:
        return rng.uniform(*span)

    length, height, clearance = within(kind.length), within(kind.height), within(kind.clearance)
    belt = height * within(kind.belt)
    bonnet, screen, back, deck, wheel = map(within, (kind.bonnet, kind.screen, kind.back, kind.deck, kind.wheel))
    nose, tail = length / 2, -length / 2
    nose_top = belt - rng.uniform(0.1, 0.22)
    boot = 0.05 if name == "saloon" else -0.03
    bumper = clearance + rng.uniform(0.24, 0.34)
    roof_rear = tail + deck + back
    outline = [
        (nose - rng.uniform(0.06, 0.16), clearance),
        (nose, bumper),
        (nose - rng.uniform(0.01, 0.06), nose_top - rng.uniform(0.1, 0.18)),
        (nose - rng.uniform(0.1, 0.24), nose_top),
        (nose - bonnet, belt + rng.uniform(0.0, 0.06)),
        (nose - bonnet - screen, height - rng.uniform(0.03, 0.08)),
        (0.5 * (nose - bonnet - screen + roof_rear), height),
        (roof_rear, height - rng.uniform(0.02, 0.1)),
        (tail + deck, belt + rng.uniform(0.0, 0.06) + boot),
        (tail + rng.uniform(0.01, 0.05), belt - rng.uniform(0.02, 0.08) + boot),
        (tail, bumper),
        (tail + rng.uniform(0.06, 0.18), clearance + rng.uniform(0.0, 0.06)),
    ]
    front_axle = nose - wheel - rng.uniform(0.4, 0.55)
    rear_axle = tail + wheel + rng.uniform(0.35, 0.5) + 0.25 * deck
    front_pillar = nose - bonnet - screen - rng.uniform(0.15, 0.4)
    four_doors = rng.chance(kind.doors)
    closed = rng.chance(kind.closed)
    window_end = front_pillar if closed else tail + deck + back * rng.uniform(0.15, 0.4) + rng.uniform(0.05, 0.3)
    body = Body(
        length=length,
        width=within(kind.width),
        height=height,
        clearance=clearance,
        belt=belt,
        tumblehome=within(kind.tumblehome),
        front_taper=rng.uniform(0.06, 0.16),
        rear_taper=rng.uniform(0.03, 0.1) * (0.3 if name == "van" else 1.0),
        bow=rng.uniform(0.06, 0.2) if name != "van" else rng.uniform(0.03, 0.1),
        front_axle=front_axle,
        rear_axle=rear_axle,
        wheel_radius=wheel,
        arch_radius=wheel + rng.uniform(0.03, 0.07),
        front_pillar=front_pillar,
        rear_pillar=0.5 * (front_pillar + rear_axle) - 0.15 if four_doors else front_pillar,
        window_end=window_end,
        roof_bars=float(rng.chance(kind.bars)),
    )
    return body, outline
