"""Symbols cut out of photos: by their corners, and as a localiser finds them."""

from collections.abc import Sequence

import numpy as np
import pytest

from retable.errors import DataError
from retable.papers.barcodes.datasets.parts import Photo
from retable.papers.barcodes.symbology import ean13
from retable.papers.barcodes.symbols.cut import CutSymbols

CODES = ("4006381333931", "9783161484100")


class Photos:
    """One photo with two symbols, one above the other."""

    kind, source = "synthetic", "two symbols"

    def __init__(self, is_boxes: bool = False) -> None:
        self._is_boxes = is_boxes

    def __len__(self) -> int:
        return 1

    def load(self, index: int, epoch: int = 0) -> Photo:
        image = np.full((120, 220, 3), 255, np.uint8)
        corners = []
        for top, code in zip((10, 70), CODES, strict=True):
            image[top : top + 40, 15:205] = np.where(np.repeat(ean13.encode(code), 2), 0, 255)[None, :, None]
            corners.append(np.array([(15.0, top), (205.0, top), (205.0, top + 40.0), (15.0, top + 40.0)]))
        return Photo(image, corners, CODES, [], self._is_boxes)

    def fingerprint(self) -> str:
        return "f"


def modules(picture: np.ndarray) -> list[bool]:
    return list(picture[4, 1::2] < 128)


def cut(locate: object = None, learnt: bool = False, is_boxes: bool = False) -> CutSymbols:
    return CutSymbols([Photos(is_boxes)], 190, 8, 0.0, locate, "x", learnt)  # type: ignore[arg-type]


def test_each_symbol_is_cut_out_by_its_corners() -> None:
    found = cut()
    assert len(found) == 2
    for index, code in enumerate(CODES):
        picture, digits = found.sample(index)
        assert modules(picture) == list(ean13.encode(code).astype(bool))
        assert "".join(map(str, digits)) == code


def upside_down(image: np.ndarray) -> Sequence[np.ndarray]:
    """Finds the lower symbol only, against its reading direction, and something else."""
    lower = np.array([(205.0, 110.0), (15.0, 110.0), (15.0, 70.0), (205.0, 70.0)])
    return [np.array([(0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 9.0)]), lower]


def test_what_a_localiser_finds_is_seen_both_ways_up_and_what_it_misses_is_nothing() -> None:
    found = cut(upside_down)
    assert (len(found), found.missed, found.symbols) == (2, 1, 2)
    missed, _ = found.sample(0)
    assert missed.shape == (2, 8, 190)
    assert (missed == 128).all()
    views, digits = found.sample(1)
    assert "".join(map(str, digits)) == CODES[1]
    assert modules(views[0])[::-1] == modules(views[1]) == list(ean13.encode(CODES[1]).astype(bool))


def test_learnt_symbols_are_found_ones_the_right_way_up() -> None:
    found = cut(upside_down, learnt=True)
    assert len(found) == 1
    picture, digits = found.sample(0)
    assert modules(picture) == list(ean13.encode(CODES[1]).astype(bool))
    assert "".join(map(str, digits)) == CODES[1]
    assert found.fingerprint() != cut().fingerprint()


def test_boxes_are_no_corners() -> None:
    with pytest.raises(DataError, match="give data"):
        cut(is_boxes=True)
    assert len(cut(upside_down, is_boxes=True)) == 2
