import logging
import os
import random
from contextlib import nullcontext

import cv2
import numpy as np
import pytest
from tests import fuzz
from tests.data.faulty import damaged_jpeg, multiband_tiff

from retable.data import checking
from retable.data.checking import check_images, read_whole
from retable.data.images import read_image
from retable.errors import DataError


def picture(path, value=90):
    cv2.imwrite(str(path), np.full((8, 8, 3), value, np.uint8))
    return path


def cut_strip(data):
    """A TIFF whose compressed pixels are overwritten."""
    return data[:60] + bytes([255, 1, 77] * 20) + data[120:]


def test_what_a_decoder_makes_up_is_refused_by_name(tmp_path, capfd):
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    for name, data in (("a.jpg", damaged_jpeg()), ("a.tif", cut_strip(cv2.imencode(".tif", noise)[1].tobytes()))):
        (tmp_path / name).write_bytes(data)
        assert read_image(tmp_path / name).any()  # pixels that were never there
        capfd.readouterr()
        with pytest.raises(DataError, match=rf"{name}: the image file is damaged: its decoder says '[A-Z]") as caught:
            read_whole(read_image, tmp_path / name)
        assert "\n" not in str(caught.value)
        assert capfd.readouterr().err == ""


def test_what_others_say_meanwhile_is_passed_on(tmp_path, capfd):
    def talkative(path):
        os.write(2, b"a word of another thread\n")
        return read_image(path)

    read_whole(talkative, picture(tmp_path / "a.png"))
    assert capfd.readouterr().err == "a word of another thread\n"


def test_all_faults_are_counted_and_logged(tmp_path, caplog):
    paths = [picture(tmp_path / "a.png"), tmp_path / "b.jpg", tmp_path / "c.tif", tmp_path / "d.png"]
    paths[1].write_bytes(damaged_jpeg())
    paths[2].write_bytes(multiband_tiff(np.ones((4, 4, 5), np.uint8)))
    os.mkfifo(paths[3])
    with (
        caplog.at_level(logging.ERROR),
        pytest.raises(DataError, match=r"^3 of 4 images cannot be used, first .*b\.jpg"),
    ):
        check_images(paths, read_image)
    assert [record.message.partition(": ")[0] for record in caplog.records] == [str(path) for path in paths[1:]]
    assert "a pipe" in caplog.records[2].message


def test_the_largest_value_of_deep_images_is_told(tmp_path):
    paths = [picture(tmp_path / "a.png"), tmp_path / "deep.png", tmp_path / "deep.tif"]
    for path in paths[1:]:
        cv2.imwrite(str(path), np.full((8, 8), 4095, np.uint16))
    assert check_images(paths, read_image) == dict.fromkeys(paths[1:], 15)


def test_good_images_of_large_sets_are_remembered_until_they_change(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(checking, "_LITTLE", 0)
    monkeypatch.setattr(checking, "ProcessPoolExecutor", NoPool)
    paths = [picture(tmp_path / f"{index}.png") for index in range(3)]
    seen = []

    def read(path):
        seen.append(path.name)
        return read_image(path)

    def looked_at(settings=""):
        seen.clear()
        with pytest.raises(DataError) if bad.exists() else nullcontext():
            check_images([*paths, *([bad] if bad.exists() else [])], read, settings)
        return seen

    bad = tmp_path / "bad.jpg"
    assert looked_at() == ["0.png", "1.png", "2.png"]
    assert looked_at() == []
    assert looked_at("other") == ["0.png", "1.png", "2.png"]
    picture(paths[1], 91)
    os.utime(paths[1], (1, 1))
    bad.write_bytes(damaged_jpeg())
    assert looked_at() == ["1.png", "bad.jpg"]
    assert looked_at() == ["bad.jpg"]
    bad.unlink()
    for memory in (tmp_path / "cache" / "retable").iterdir():
        memory.write_text("[1, 2")
    assert looked_at() == ["0.png", "1.png", "2.png"]


class NoPool:
    """What the pool of processes does, in this one."""

    def __init__(self, *_, **__): ...
    def __enter__(self):
        return self

    def __exit__(self, *_): ...
    def map(self, function, paths, chunksize):
        return map(function, paths)


@fuzz.mark
@pytest.mark.parametrize("ending", [".png", ".jpg", ".tif", ".bmp", ".webp"])
def test_damaged_images_are_pixels_or_one_line(tmp_path, capfd, ending):
    noise = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    data, path = cv2.imencode(ending, noise)[1].tobytes(), tmp_path / f"a{ending}"
    for seed in range(fuzz.cases(40)):
        path.write_bytes(fuzz.damaged(random.Random(seed), data))
        message = ""
        try:
            image = read_whole(read_image, path)
        except DataError as error:
            message = str(error)
        if message:
            assert f"a{ending}" in message, seed
            assert "\n" not in message, seed
        else:
            assert image.dtype == np.uint8, seed
            assert image.shape[2:] == (3,), seed
    assert capfd.readouterr().err == ""
