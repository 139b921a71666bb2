"""The noise textures of the scenes; the first use makes them."""

from __future__ import annotations

from functools import partial

from retable.synthetic.noise import fractal_noise, wave_noise

clouds = partial(fractal_noise, 1.9, longest=680.0)  # very smooth: patches, wisps
ground = partial(fractal_noise, 1.15)  # rougher: soil, foam, weathering
swell = partial(wave_noise, 12.0, spread=0.5, alignment=6)  # a wind sea: long crests, waves that run along x
ripple = partial(wave_noise, 4.5, spread=0.4)  # short waves of 3 to 7 pixels
