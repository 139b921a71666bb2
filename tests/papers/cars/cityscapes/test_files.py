"""Photographs and masks of Cityscapes: what belongs together, and what is said when something is missing."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.papers.cars.cityscapes import tiny_cityscapes

from retable.errors import DataError
from retable.papers.cars.cityscapes.files import CarInstance, find_cars, list_sources, read_ids

SPLITS = ("train", "val")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tiny_cityscapes.write(tmp_path / "cityscapes")


def _mask(root: Path, name: str) -> Path:
    return root / "gtFine" / f"{name}_gtFine_instanceIds.png"


def test_photographs_are_listed_with_their_masks_in_order(root: Path) -> None:
    hidden = root / "leftImg8bit" / "train" / "aachen" / "._aachen_000000_000019_leftImg8bit.png"
    hidden.write_text("what macOS leaves behind")
    sources, notes = list_sources(root, SPLITS)
    assert [source.name for source in sources] == list(tiny_cityscapes.CARS)
    assert notes == []
    last = sources[-1]
    assert (last.split, last.city, last.stem) == ("val", "munster", "munster_000000_000019")
    assert last.mask == _mask(root, last.name)
    assert last.photo == root / "leftImg8bit" / f"{last.name}_leftImg8bit.png"


def test_cars_of_a_mask_are_told_apart_from_groups_and_trucks(root: Path) -> None:
    cars, grouped = find_cars(read_ids(_mask(root, "train/aachen/aachen_000000_000019")))
    assert cars == [
        CarInstance(26000, 20 * 12 - 1, (4, 4, 24, 16)),
        CarInstance(26001, 24 * 16 - 1, (40, 8, 64, 24)),
        CarInstance(26003, 20 * 14 - 1, (70, 30, 90, 44)),
        CarInstance(26012, 4 * 3 - 1, (2, 40, 6, 43)),
    ]
    assert grouped == 100
    assert find_cars(read_ids(_mask(root, "train/aachen/aachen_000001_000019"))) == ([], 0)


def test_a_car_in_two_pieces_is_one_car() -> None:
    ids = np.zeros((5, 9), np.uint16)
    ids[1, 1] = ids[3, 7] = 26999
    assert find_cars(ids) == ([CarInstance(26999, 2, (1, 1, 8, 4))], 0)


@pytest.mark.parametrize("masks", [False, True])
def test_the_test_split_has_no_cars_and_a_note(root: Path, masks: bool) -> None:
    name = "test/berlin/berlin_000000_000019"
    photo = root / "leftImg8bit" / f"{name}_leftImg8bit.png"
    photo.parent.mkdir(parents=True)
    photo.write_bytes(b"never read")
    if masks:
        _mask(root, name).parent.mkdir(parents=True)
        cv2.imwrite(str(_mask(root, name)), np.full((4, 4), 3, np.uint16))
    sources, (note,) = list_sources(root, ("train", "val", "test"))
    assert len(sources) == 4 + masks
    assert "Cityscapes publishes no annotations" in note


def test_missing_masks_are_told_with_what_to_do(root: Path) -> None:
    missing = _mask(root, "train/bochum/bochum_000000_000313")
    missing.unlink()
    with pytest.raises(DataError) as caught:
        list_sources(root, SPLITS)
    assert str(caught.value) == (
        f"{missing} is missing, 1 of the 3 photographs have no mask in train; unpack gtFine_trainvaltest.zip there "
        "again, or leave train out of splits (there are train, val)"
    )


def test_missing_photographs_are_told(root: Path) -> None:
    (root / "leftImg8bit" / "train" / "aachen" / "aachen_000001_000019_leftImg8bit.png").unlink()
    with pytest.raises(DataError, match="1 of the 3 masks have no photograph in train; unpack leftImg8bit_train"):
        list_sources(root, SPLITS)


def test_a_missing_split_is_told(root: Path) -> None:
    with pytest.raises(DataError, match=re.escape("or leave test out of splits (there are train, val)")):
        list_sources(root, ("train", "test"))


def test_a_wrong_folder_is_told_with_the_right_one(root: Path) -> None:
    for wrong in (root / "leftImg8bit", root / "gtFine" / "train", root.parent):
        with pytest.raises(DataError, match=re.escape(f"did you mean root={root}?")):
            list_sources(wrong, SPLITS)
    with pytest.raises(DataError, match=r"no folder leftImg8bit in it; give the folder that leftImg8bit_trainvaltest"):
        list_sources(root / "absent", SPLITS)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an image"),
        (b"text", "not an image"),
        ("half", "truncated or damaged"),
        (np.zeros((4, 4), np.uint8), "one channel of 16 bits"),
        (np.zeros((4, 4, 3), np.uint16), "one channel of 16 bits"),
    ],
)
def test_a_mask_that_is_none_is_told(tmp_path: Path, content: object, message: str) -> None:
    path = tmp_path / "x_gtFine_instanceIds.png"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif isinstance(content, np.ndarray):
        cv2.imwrite(str(path), content)
    else:
        cv2.imwrite(str(path), np.arange(400, dtype=np.uint16).reshape(20, 20))
        path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DataError, match=message) as caught:
        read_ids(path)
    assert str(path) in str(caught.value)


def test_a_mask_that_is_absent_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_ids(tmp_path / "absent.png")
