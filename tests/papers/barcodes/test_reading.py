"""Reading photos: both ways up, second looks, what is told and written."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from retable.errors import DataError
from retable.papers.barcodes.prediction import predict_files
from retable.papers.barcodes.reading import PhotoReader, Reading, changed, whole_picture
from retable.papers.barcodes.symbology import ean13

CODE = "4006381333931"


def read_exactly(images: Tensor) -> Sequence[Reading]:
    """A reader of pictures without margins that knows one code."""
    modules = torch.from_numpy(ean13.encode(CODE)).bool()
    rows = images[:, 0, images.shape[2] // 2].reshape(len(images), 95, -1)[..., 2] < 0.5
    return [Reading(CODE, 0.99) if torch.equal(row, modules) else Reading(None, 0.2) for row in rows]


def photo(upside_down: bool = False) -> tuple[np.ndarray, np.ndarray]:
    image = np.full((80, 260, 3), 200, np.uint8)
    image[20:60, 30:220] = np.where(np.repeat(ean13.encode(CODE), 2), 0, 255)[None, :, None]
    corners = np.array([(30.0, 20.0), (220.0, 20.0), (220.0, 60.0), (30.0, 60.0)])
    return (np.ascontiguousarray(image[::-1, ::-1]), corners + np.array([10, 0])) if upside_down else (image, corners)


def reader(*places: np.ndarray) -> PhotoReader:
    return PhotoReader(lambda _image: places, read_exactly, 95 * 4, 8, 0.0, 0.5)


@pytest.mark.parametrize("upside_down", [False, True])
def test_symbols_are_read_whichever_way_up(upside_down: bool) -> None:
    image, corners = photo(upside_down)
    found = reader(corners).first(image)
    assert found is not None
    assert found.code == CODE
    wanted = np.roll(corners, 2, axis=0) if upside_down else corners
    assert np.array_equal(found.corners, wanted)


def test_what_was_cut_out_badly_is_looked_at_again() -> None:
    image, corners = photo()
    narrow = changed(corners, 1 / 1.05 - 1, 0.0)
    found = reader(narrow).first(image)
    assert found is not None
    assert found.code == CODE
    assert np.allclose(found.corners, narrow)


def test_the_largest_that_can_be_read_is_told_else_the_likeliest() -> None:
    image, corners = photo()
    elsewhere = corners * 0.2
    found = reader(elsewhere, corners).first(image)
    assert found is not None
    assert found.code == CODE
    none = reader(elsewhere).first(image)
    assert none is not None
    assert none.code is None
    assert reader().first(image) is None
    assert [each.code for each in reader(elsewhere, corners).everything(image)] == [None, CODE]


def test_small_symbols_of_large_photos_are_found_in_their_quarters() -> None:
    image, corners = photo()
    large = np.full((800, 1000, 3), 120, np.uint8)
    large[700:780, 700:960] = image

    def near(seen: np.ndarray) -> list[np.ndarray]:
        if seen.shape[1] > 700:
            return []
        left = np.flatnonzero((seen[-60, :, 0] == 0) | (seen[-60, :, 0] == 255))
        return [corners + np.array([left[0] - 30, 380])] if len(left) else []

    found = PhotoReader(near, read_exactly, 95 * 4, 8, 0.0, 0.5).everything(large)
    assert [each.code for each in found] == [CODE]  # once, though quarters overlap
    assert np.allclose(found[0].corners, corners + np.array([700, 700]))


def test_quadrangles_grow_about_their_middle() -> None:
    corners = np.array([(0.0, 0.0), (10.0, 0.0), (10.0, 4.0), (0.0, 4.0)])
    assert np.allclose(changed(corners, 0.2, -0.5), [(-1, 1), (11, 1), (11, 3), (-1, 3)])


def test_a_high_picture_is_a_turned_symbol() -> None:
    (corners,) = whole_picture(np.zeros((50, 10, 3), np.uint8))
    assert np.linalg.norm(corners[1] - corners[0]) == 50


def test_results_are_written_as_the_notebook_writes_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    cv2.imwrite(str(folder / "a.png"), photo()[0])
    cv2.imwrite(str(folder / "b.png"), np.full((80, 260), 90, np.uint8))
    (folder / "c.png").write_bytes(b"no image")
    with pytest.raises(DataError, match="1 of 3 photos could not be read"):
        predict_files(reader(photo()[1]).largest, str(folder), tmp_path / "out", {"run": "x"})
    printed = capsys.readouterr().out
    assert f"a.png: {CODE} (check digit right, 0.990), at 30,20 220,20 220,60 30,60" in printed
    with (tmp_path / "out" / "answer.csv").open(encoding="utf-16", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["a.png", CODE, "30.0", "20.0", "220.0", "20.0", "220.0", "60.0", "30.0", "60.0", "EAN-13"]
    assert rows[1][:2] == ["b.png", ""]
    told = json.loads((tmp_path / "out" / "barcodes.json").read_text())
    assert told["images"][0]["barcodes"][0]["valid"]
    assert told["images"][1]["barcodes"][0]["code"] is None
    assert told["unreadable"] == ["c.png"]
    drawn = cv2.imread(str(tmp_path / "out" / "drawn" / "a.png.png"))
    assert drawn.shape == (80, 260, 3)
    assert (drawn != photo()[0]).any()
