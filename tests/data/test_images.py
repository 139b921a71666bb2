import struct

import cv2
import numpy as np
import pytest
from PIL import Image

from retable.data.image_files import inspect_image
from retable.data.images import image_size, read_image, read_shown_image
from retable.errors import DataError

FORMATS = [
    ("jpg", []),
    ("jpg", [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]),
    ("png", []),
    ("bmp", []),
    ("tif", []),
    ("tif", [cv2.IMWRITE_TIFF_COMPRESSION, 1]),
    ("webp", []),
]


def picture(height=11, width=17):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(("suffix", "options"), FORMATS)
def test_reads_rgb_and_size_of_each_format(tmp_path, suffix, options):
    image = np.zeros((11, 17, 3), np.uint8)
    image[:, :] = (200, 100, 40)
    path = tmp_path / f"a.{suffix}"
    cv2.imwrite(str(path), image[..., ::-1], options)
    read = read_image(path)
    assert read.dtype == np.uint8
    assert read.flags.c_contiguous
    assert image_size(path) == read.shape[:2] == (11, 17)
    assert np.abs(read.astype(int) - image).max() <= 3  # lossy formats come close


@pytest.mark.parametrize(("suffix", "options"), FORMATS[:6])
def test_every_truncation_is_refused_without_noise(tmp_path, suffix, options, capfd):
    path = tmp_path / f"a.{suffix}"
    cv2.imwrite(str(path), picture(), options)
    data = path.read_bytes()
    for length in (*range(20, len(data), 7), len(data) - 2, len(data) - 1):
        path.write_bytes(data[:length])
        with pytest.raises(DataError, match=str(path)):
            read_image(path)
        with pytest.raises(DataError, match=str(path)):
            image_size(path)
    assert capfd.readouterr().err == ""  # the message of the error is the only one


def test_lost_tail_filled_with_zeros_is_refused(tmp_path):
    for suffix in ("jpg", "png"):
        path = tmp_path / f"a.{suffix}"
        cv2.imwrite(str(path), picture(64, 64))
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2] + bytes(len(data) - len(data) // 2))
        with pytest.raises(DataError, match="truncated or damaged"):
            read_image(path)


def test_thumbnail_in_a_jpeg_does_not_hide_the_truncation(tmp_path):
    thumbnail = cv2.imencode(".jpg", picture())[1].tobytes()
    whole = cv2.imencode(".jpg", picture(64, 48))[1].tobytes()
    segment = b"\xff\xe1" + struct.pack(">H", len(thumbnail) + 2) + thumbnail
    with_thumbnail = whole[:2] + segment + whole[2:]
    assert inspect_image(with_thumbnail)[1:3] == (64, 48)
    path = tmp_path / "a.jpg"
    path.write_bytes(with_thumbnail[:-500])
    with pytest.raises(DataError, match="end-of-image"):
        read_image(path)


def test_grey_16_bit_and_alpha(tmp_path):
    grey16 = (np.arange(64, dtype=np.uint16) * 1040).reshape(8, 8)
    for suffix in ("png", "tif"):
        path = tmp_path / f"grey.{suffix}"
        cv2.imwrite(str(path), grey16)
        read = read_image(path)
        assert read.shape == (8, 8, 3)
        assert all((read[..., channel] == grey16 >> 8).all() for channel in range(3))
    colour = picture(8, 8)
    cv2.imwrite(str(tmp_path / "rgba.png"), np.dstack([colour[..., ::-1], np.full((8, 8), 9, np.uint8)]))
    assert (read_image(tmp_path / "rgba.png") == colour).all()


def test_missing_empty_folder_and_text(tmp_path):
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.png").write_text("not an image at all")
    for name, message in (("none.png", "no such"), ("empty.png", "0 bytes"), ("text.png", "not an image")):
        for function in (read_image, image_size):
            with pytest.raises(DataError, match=message) as caught:
                function(tmp_path / name)
            assert name in str(caught.value)
            assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match="folder"):
        read_image(tmp_path)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("suffix", "mode"), [("png", "RGB"), ("png", "RGBA"), ("webp", "RGB"), ("webp", "RGBA")])
def test_shown_images_are_turned_as_the_camera_noted(tmp_path, suffix, mode, orientation):
    image = np.full((12, 20, 3), 255, np.uint8)
    image[:4, :6] = (200, 0, 0)
    pixels = np.dstack([image, np.where(image[..., 1:2] == 255, 0, 255).astype(np.uint8)])[..., : len(mode)]
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(pixels).save(path, lossless=True, exif=exif)
    # where the first row and the first column of the file are shown (EXIF 2.3, 4.6.4)
    down, right = orientation in (3, 4, 7, 8), orientation in (2, 3, 6, 7)
    expected = image.swapaxes(0, 1) if orientation > 4 else image
    expected = expected[:: -1 if down else 1, :: -1 if right else 1]
    assert (read_shown_image(path) == expected).all()
    assert read_image(path).shape == (12, 20, 3)  # annotations count stored pixels


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_sixteen_bits_are_shown_by_those_in_use(tmp_path, suffix, bits):
    grey = np.arange(256, dtype=np.uint16).reshape(16, 16)
    deep = grey << (bits - 8)
    colour = np.dstack([deep, deep[::-1], deep.T])
    for name, image, expected in (("grey", deep, [grey] * 3), ("colour", colour, [grey.T, grey[::-1], grey])):
        path = tmp_path / f"{name}.{suffix}"
        cv2.imwrite(str(path), image)
        assert (read_shown_image(path) == np.dstack(expected)).all()


def test_dark_ink_on_deep_transparency_stays_dark(tmp_path):
    image = np.zeros((8, 8, 4), np.uint16)
    image[2:4] = (3000, 3000, 3000, 65535)
    cv2.imwrite(str(tmp_path / "a.png"), image)
    shown = read_shown_image(tmp_path / "a.png")
    assert (shown[2:4] == 3000 >> 8).all()
    assert (shown[5] == 255).all()
