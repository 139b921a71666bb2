"""What a camera does to a picture."""

import numpy as np
import pytest

from retable.synthetic.camera import EVEN_LIGHT, Light, add_noise, blur, compress, defocus, illuminate
from retable.synthetic.raster import Image
from retable.synthetic.rng import RandomStream

_SIZE = 60


@pytest.fixture
def image() -> Image:
    return np.random.default_rng(0).integers(60, 200, (_SIZE, _SIZE, 3), np.uint8)


def test_light() -> None:
    canvas = np.full((_SIZE, _SIZE, 3), 200.0, np.float32)
    assert (illuminate(canvas, EVEN_LIGHT) == 200).all()
    shadowed = illuminate(canvas, Light(shadow=0.5, sharpness=50.0))  # a hard shadow on the right half
    assert (shadowed[:, : _SIZE // 2 - 1] == 200).all()
    assert (shadowed[:, _SIZE // 2 + 1 :] == 100).all()
    dark = illuminate(canvas, Light(brightness=0.8, slope_y=0.4)).astype(int)
    assert dark[_SIZE // 2, 0, 0] == pytest.approx(160, abs=2)
    assert dark[0, 0, 0] == pytest.approx(80, abs=2)
    assert (dark == dark[:, :1]).all()
    corners = illuminate(canvas, Light(vignetting=0.2)).astype(int)
    assert corners[0, 0, 0] == pytest.approx(120, abs=4)
    assert corners[_SIZE // 2, _SIZE // 2, 0] == 200
    assert (illuminate(canvas, Light(shadow=-2.0, sharpness=50.0))[:, _SIZE // 2 + 1 :] == 255).all()  # a glare


def test_light_falls_on_wide_pictures_too() -> None:
    wide = illuminate(np.full((20, 60, 3), 100.0, np.float32), Light(slope_x=0.5, slope_y=0.2))
    assert wide.shape == (20, 60, 3)
    assert wide[10, 0, 0] < wide[10, 59, 0]
    assert wide[0, 30, 0] < wide[19, 30, 0]


@pytest.mark.parametrize("deviation", [1.0, 4.0, 9.0])
def test_noise_has_its_deviation(deviation: float) -> None:
    grey = np.full((256, 256, 3), 128, np.uint8)
    noise = add_noise(grey, deviation, RandomStream(2)).astype(float) - 128
    assert noise.mean() == pytest.approx(0.0, abs=0.2)
    assert noise.std(axis=(0, 1)) == pytest.approx(deviation, rel=0.06)
    assert 0.6 < np.corrcoef(noise[..., 0].ravel(), noise[..., 1].ravel())[0, 1] < 0.9  # channels share most of it


def test_blur_has_its_deviation_and_keeps_the_brightness() -> None:
    point = np.zeros((41, 41), np.float32)
    point[20, 20] = 1.0
    for deviation in (0.6, 1.0, 3.0):
        blurred = blur(point, deviation)
        assert blurred.sum() == pytest.approx(1.0, abs=1e-5)
        variance = (blurred.sum(axis=0) * (np.arange(41) - 20.0) ** 2).sum()
        assert variance**0.5 == pytest.approx(deviation, rel=0.05)


def test_a_point_out_of_focus_is_a_disc() -> None:
    canvas = np.zeros((_SIZE, _SIZE), np.float32)
    canvas[30, 30] = 1.0
    for radius in (0.8, 2.0, 4.6):
        seen = defocus(canvas, radius)
        y, x = np.mgrid[:_SIZE, :_SIZE] - 30
        assert seen.sum() == pytest.approx(1.0, abs=1e-5)
        assert (seen * (x * x + y * y)).sum() == pytest.approx(radius * radius / 2 + 1 / 6, rel=0.12)  # and the pixel
        assert seen[30, 30] == pytest.approx(1 / (np.pi * radius * radius), rel=0.02)


def test_compression_leaves_the_picture_and_its_colours() -> None:
    red = np.full((32, 32, 3), (200, 40, 30), np.uint8)
    assert np.abs(compress(red, 80).astype(int) - red).max() <= 3


def test_better_qualities_change_less(image: Image) -> None:
    changes = [np.abs(compress(image, quality).astype(int) - image).mean() for quality in (20, 60, 95)]
    assert changes[0] > changes[1] > changes[2] > 0


def test_nothing_is_done_for_zeros(image: Image) -> None:
    assert defocus(image, 0.0) is image
    assert blur(image, 0.0) is add_noise(image, 0.0, RandomStream(1)) is compress(image, 0) is image
