"""Materials of a car (paint, glass, lights, plates, wheels), and the light around it."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from retable.synthetic.rng import RandomStream, Weighted

Colour = tuple[float, float, float]


class Materials(NamedTuple):
    """Materials of a car; colours are linear reflectances."""

    red: float  # of the paint
    green: float  # as red
    blue: float  # as red
    gloss: float  # strength of the paint's reflections
    plastic: float  # up to which height bumpers and sills are of bare plastic
    strip: float  # 1 with a dark strip along the doors, else 0
    crease: float  # height of the crease along the sides
    glass: float  # how bright the inside is behind the windows
    through: float  # how much light is seen through opposite windows
    tint: float  # share of the paint's hue in the glass
    rim: float  # brightness of the rims
    spokes: float  # their number
    spoke_width: float  # from 0, narrow, to 1
    spoke_phase: float  # where they stand, in radians
    lamp_inner: float  # where headlights end towards the middle, as a share of half the width
    lamp_height: float  # of the headlights
    lamps_on: float  # 1 with lit headlights, else 0
    grille: float  # half its width as a share of half the width
    chrome: float  # brightness of the grille's frame
    tail_inner: float  # where tail lights end towards the middle
    tail_height: float  # of the tail lights
    tail_tall: float  # 1 with tail lights beside the rear window too, else 0
    brakes_on: float  # 1 with lit brake lights, else 0
    plate_height: float  # of the rear plate's middle
    plate_yellow: float  # 1 for yellow plates, else 0
    handles: float  # brightness of the door handles against the paint: 1 is the paint itself
    dirt: float  # strength of the dirt above the sills
    seed: float  # of plates' characters and other small things


class Light(NamedTuple):
    """The light around a car."""

    sun_x: float  # towards the sun, a unit vector in the car's axes
    sun_y: float  # as above
    sun_z: float  # as above
    sun: float  # strength of the sun
    sky: float  # strength of the sky
    blue: float  # how blue the sky's zenith is
    warm: float  # how yellow the sun is
    ground: float  # reflectance of the street
    houses: float  # height of what hides the sky at the horizon, as a sine
    house_tone: float  # its brightness
    exposure: float  # of the photograph
    haze: float  # grey that lies over everything
    seed: float  # of the houses


# share on the street; linear red, green and blue from a dark to a light tone
_PAINTS: Final[dict[str, tuple[float, Colour, Colour]]] = {
    "black": (0.21, (0.004, 0.004, 0.005), (0.022, 0.022, 0.026)),
    "grey": (0.15, (0.035, 0.037, 0.042), (0.12, 0.12, 0.13)),
    "silver": (0.18, (0.24, 0.25, 0.26), (0.46, 0.47, 0.48)),
    "white": (0.15, (0.62, 0.62, 0.61), (0.86, 0.86, 0.85)),
    "blue": (0.12, (0.006, 0.014, 0.07), (0.06, 0.16, 0.48)),
    "red": (0.10, (0.14, 0.006, 0.008), (0.55, 0.03, 0.025)),
    "green": (0.03, (0.006, 0.035, 0.018), (0.05, 0.16, 0.07)),
    "beige": (0.03, (0.2, 0.15, 0.09), (0.5, 0.42, 0.3)),
    "yellow": (0.03, (0.5, 0.26, 0.01), (0.8, 0.55, 0.03)),
}

COLOURS: Final = tuple(_PAINTS)
"""Names of the paints."""


draw_colour: Final = Weighted(*((name, paint[0]) for name, paint in _PAINTS.items())).draw
"""Draws the name of a paint."""


def draw_materials(rng: RandomStream, colour: str, body: str) -> Materials:
    """Draws the materials of a car: of one of `COLOURS` and of `retable.papers.cars.scenes.bodies.BODIES`."""
    _, dark, light = _PAINTS[colour]
    tone = rng.random()
    red, green, blue = (
        (low * (high / low) ** tone) * rng.uniform(0.93, 1.07) for low, high in zip(dark, light, strict=True)
    )
    bare = rng.chance(0.45 if body in ("van", "suv") else 0.2)
    return Materials(
        red=red,
        green=green,
        blue=blue,
        gloss=rng.uniform(0.6, 1.2),
        plastic=rng.uniform(0.42, 0.58) if bare else rng.uniform(0.22, 0.32),
        strip=float(rng.chance(0.3)),
        crease=rng.uniform(0.62, 0.8),
        glass=rng.uniform(0.008, 0.05),
        through=rng.uniform(0.0, 0.4) if rng.chance(0.7) else 0.0,
        tint=rng.random(),
        rim=rng.uniform(0.2, 0.65) if rng.chance(0.85) else 0.04,
        spokes=float(rng.choice((5, 5, 6, 7, 8, 10, 12))),
        spoke_width=rng.uniform(0.25, 0.85),
        spoke_phase=rng.uniform(0.0, math.tau),
        lamp_inner=rng.uniform(0.5, 0.72),
        lamp_height=rng.uniform(0.0, 0.08),
        lamps_on=float(rng.chance(0.12)),
        grille=rng.uniform(0.25, 0.5),
        chrome=rng.choice((0.04, 0.04, 0.5)),
        tail_inner=rng.uniform(0.58, 0.78),
        tail_height=rng.uniform(0.14, 0.3),
        tail_tall=float(rng.random() < {"van": 0.6, "estate": 0.35, "suv": 0.3, "hatchback": 0.3}.get(body, 0.0)),
        brakes_on=float(rng.chance(0.25)),
        plate_height=rng.choice((rng.uniform(0.45, 0.55), rng.uniform(0.66, 0.8))),
        plate_yellow=float(rng.chance(0.06)),
        handles=rng.choice((0.25, 1.3)),
        dirt=rng.uniform(0.0, 0.5) * rng.random(),
        seed=float(rng.integer(0, (1 << 20) - 1)),
    )


def draw_light(rng: RandomStream) -> Light:
    """Draws the light: sunny, cloudy or in the shade of houses."""
    around, height = rng.uniform(0.0, math.tau), rng.uniform(0.3, 1.1)
    sunny = rng.chance(0.5)
    sun = rng.uniform(0.8, 2.2) if sunny else rng.uniform(0.0, 0.25)
    sky = rng.uniform(0.35, 0.7) if sunny else rng.uniform(0.6, 1.0)
    return Light(
        sun_x=math.cos(around) * math.cos(height),
        sun_y=math.sin(around) * math.cos(height),
        sun_z=math.sin(height),
        sun=sun,
        sky=sky,
        blue=rng.uniform(0.2, 0.8) if sunny else rng.uniform(0.0, 0.25),
        warm=rng.uniform(0.0, 0.3),
        ground=rng.uniform(0.06, 0.2),
        houses=rng.uniform(0.0, 0.6),
        house_tone=rng.uniform(0.05, 0.35),
        exposure=rng.uniform(0.75, 1.45) / (0.45 + 0.35 * sun + 0.45 * sky),
        haze=rng.uniform(0.0, 0.03) if rng.chance(0.7) else rng.uniform(0.03, 0.09),
        seed=float(rng.integer(0, (1 << 20) - 1)),
    )
