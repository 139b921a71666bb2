"""Noise textures."""

import numpy as np
import pytest

from retable.synthetic.noise import (
    GRAIN,
    SPAN,
    TILE,
    fractal_noise,
    sensor_grain,
    turned_window,
    wave_noise,
    window,
)
from retable.synthetic.raster import Image
from retable.synthetic.rng import RandomStream


def _wavelength(texture: Image) -> float:
    """Median wavelength of the energy along x, pixels."""
    rows = texture[:TILE, :TILE].astype(float) - texture.mean()
    energy = (np.abs(np.fft.rfft(rows, axis=1)) ** 2).sum(axis=0)
    return TILE / float(np.searchsorted(np.cumsum(energy), energy.sum() / 2))


@pytest.mark.parametrize("texture", [fractal_noise(1.15), fractal_noise(1.9, 680.0), wave_noise(12.0, 0.5, 6)])
def test_textures_are_tiles_of_one_strength(texture: Image) -> None:
    assert texture.shape == (SPAN, SPAN)
    assert texture.dtype == np.uint8
    assert texture[:TILE, :TILE].mean() == pytest.approx(128, abs=1)
    assert texture[:TILE, :TILE].std() == pytest.approx(40, abs=2)
    assert (texture[: SPAN - TILE] == texture[TILE:]).all()
    assert (texture[:, : SPAN - TILE] == texture[:, TILE:]).all()


def test_steeper_spectra_are_smoother() -> None:
    def roughness(texture: Image) -> float:
        return float(np.abs(np.diff(texture.astype(float), axis=1)).mean())

    assert roughness(fractal_noise(1.15)) > 3 * roughness(fractal_noise(1.9, 680.0))


def test_waves_have_their_length_and_direction() -> None:
    along, all_over = wave_noise(12.0, 0.5, 6), wave_noise(4.5, 0.4)
    assert _wavelength(along) == pytest.approx(12.0, rel=0.25)
    assert _wavelength(along.T) > 24  # crests run along y
    assert _wavelength(all_over) == pytest.approx(_wavelength(all_over.T), rel=0.1)


def test_grain_has_its_deviation() -> None:
    assert sensor_grain().shape == (SPAN, SPAN, 3)
    assert sensor_grain().std() == pytest.approx(GRAIN, rel=0.03)


def test_windows_lie_where_the_numbers_say() -> None:
    texture = fractal_noise(1.15)
    first, same, other = (window(texture, RandomStream(place), 30, 50) for place in (1, 1, 2))
    assert first.shape == (30, 50)
    assert (first == same).all()
    assert (first != other).any()
    turned = turned_window(texture, RandomStream(1), 65, 0.7, 1.5)
    assert turned.shape == (65, 65)
    assert 10 < turned.std() < 50
