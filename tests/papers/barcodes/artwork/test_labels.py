"""What is printed: codes, bars and where they are."""

import numpy as np
import pytest

from retable.papers.barcodes.artwork.labels import coverage, draw_label
from retable.papers.barcodes.artwork.symbols import draw_other, ean13_symbol, edges
from retable.papers.barcodes.symbology.ean13 import encode
from retable.synthetic.rng import RandomStream


def test_edges_grow_on_both_sides() -> None:
    assert edges(np.array([1, 0, 1, 1], np.uint8), 0.5).tolist() == [[-0.25, 1.25], [1.75, 4.25]]


def test_coverage_counts_parts_of_pixels() -> None:
    assert np.allclose(coverage(np.array([[0.5, 1.25], [3.0, 4.0]]), 5), [0.5, 0.25, 0.0, 1.0, 0.0])


def test_bars_are_where_the_corners_say() -> None:
    code = "4006381333931"
    for index in range(8):
        rng = RandomStream(2, index)
        label = draw_label(rng, ean13_symbol(code, add_on="12" if index % 2 else ""), 3.0)
        (left, top), (right, _), (_, bottom), _ = label.corners
        assert right - left == pytest.approx(95 * 3.0)
        grey = label.image.mean(2)
        assert 0 < top < bottom <= len(grey)
        places = left + 3.0 * (np.arange(95) + 0.5)
        row = grey[round((top + bottom) / 2)][places.astype(int)]
        dark = (row < (row.min() + row.max()) / 2).astype(np.uint8)
        assert np.array_equal(dark, encode(code)) or np.array_equal(1 - dark, encode(code))  # the bars may be lighter
        assert (label.add_on is None) == (index % 2 == 0)


def test_other_kinds_are_drawn() -> None:
    kinds = {draw_other(RandomStream(3, index)).kind for index in range(60)}
    assert kinds == {"ean8", "upce", "code128", "code39", "itf"}
