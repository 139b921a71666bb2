import io

import cv2
import numpy as np
import pytest
from tests.data.faulty import multiband_tiff

from retable.data.images import image_header, read_image, read_shown_image
from retable.data.tiff import Directory
from retable.errors import DataError


def numbers(kind, bands, height=6, width=7):
    return (np.random.default_rng(bands).random((height, width, bands)) * 200).astype(kind)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.int16, np.int32, np.float32, np.float64])
def test_bands_of_every_number_type_and_layout_come_back(kind):
    for bands in (1, 2, 3, 4, 5, 8):
        image = numbers(kind, bands)
        for deflate in (False, True):
            for separate in (False, True):
                decoded = Directory(io.BytesIO(multiband_tiff(image, deflate, separate))).decode()
                assert decoded.dtype == kind
                np.testing.assert_array_equal(decoded, image)


def test_differences_are_summed_up():
    image = numbers(np.uint8, 3, 40, 30)
    data = cv2.imencode(".tif", image[..., ::-1], [cv2.IMWRITE_TIFF_PREDICTOR, 2])[1].tobytes()
    np.testing.assert_array_equal(Directory(io.BytesIO(data)).decode(), image)


def test_bands_and_range_say_how_numbers_become_colours(tmp_path):
    image = numbers(np.float32, 5)
    path = tmp_path / "a.tif"
    path.write_bytes(multiband_tiff(image))
    assert image_header(path) == ("TIFF", 6, 7, 32)
    expected = np.rint(image[..., [4, 1, 0]] * (255 / 200))
    np.testing.assert_allclose(read_image(path, [5, 2, 1], [0, 200]), expected, atol=1)
    grey = read_image(path, [3], [50, 100])
    np.testing.assert_array_equal(grey[..., 0], grey[..., 2])
    assert (grey[..., 0][image[..., 2] <= 50] == 0).all()
    assert (grey[..., 0][image[..., 2] >= 100] == 255).all()
    path.write_bytes(multiband_tiff(numbers(np.uint8, 4)))  # infrared comes fourth
    np.testing.assert_array_equal(read_image(path, [4, 1, 2]), numbers(np.uint8, 4)[..., [3, 0, 1]])


def test_a_range_holds_for_whole_numbers_too(tmp_path):
    image = (np.arange(256, dtype=np.uint16) * 16).reshape(16, 16)
    for suffix in ("png", "tif"):
        cv2.imwrite(str(tmp_path / f"a.{suffix}"), image)
        read = read_image(tmp_path / f"a.{suffix}", value_range=[0, 4080])
        np.testing.assert_array_equal(read, np.repeat(image[..., None] // 16, 3, axis=2))


@pytest.mark.parametrize(
    ("image", "bands", "value_range", "message"),
    [
        (numbers(np.uint8, 2), None, None, r"2 bands; say which .* data\.bands="),
        (numbers(np.uint16, 5), None, None, r"5 bands; say which .* data\.bands="),
        (numbers(np.uint8, 8), [9], None, r"data\.bands=\[9\]: must be one or three numbers from 1 to 8"),
        (numbers(np.uint8, 8), [1, 2], None, "one or three"),
        (numbers(np.float32, 1), None, None, r"type float32; say .* data\.range="),
        (numbers(np.float32, 3), None, None, r"type float32; say .* data\.range="),
        (numbers(np.int16, 5), [1, 2, 3], None, r"type int16; say .* data\.range="),
        (np.full((2, 2, 1), np.nan, np.float32), None, [0, 1], "no numbers"),
    ],
)  # fmt: skip
def test_what_has_no_colours_is_refused_with_the_key(tmp_path, image, bands, value_range, message):
    path = tmp_path / "a.tif"
    path.write_bytes(multiband_tiff(image))
    with pytest.raises(DataError, match=message) as caught:
        read_image(path, bands, value_range)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
    if bands is None:
        with pytest.raises(DataError, match=r"convert the image"):
            read_shown_image(path)
