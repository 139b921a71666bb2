"""The generator of symbols."""

import numpy as np
import pytest

from retable.errors import ConfigError
from retable.papers.barcodes.symbology.ean13 import encode, is_valid
from retable.papers.barcodes.symbols.bars import FINE, SIDE, box, defocus, gaussian, print_bars
from retable.papers.barcodes.symbols.dataset import NO_CODE, BarcodeSymbols


def code_of(digits: np.ndarray) -> str:
    return "".join(map(str, digits.tolist()))


def test_clean_symbols_show_their_modules() -> None:
    made = BarcodeSymbols(6, 95 * 4, 8, margin=0.0, clean=True)
    for index in range(6):
        image, digits = made.sample(index)
        assert image.shape == (8, 380)
        assert is_valid(code_of(digits))
        assert np.array_equal(image[4, 2::4] < 128, encode(code_of(digits)).astype(bool))


def test_photos_are_determined_by_seed_split_index_and_epoch() -> None:
    made = BarcodeSymbols(4, seed=5)
    image, digits = made.sample(2)
    assert image.shape == (32, 416)
    assert np.array_equal(image, BarcodeSymbols(4, seed=5).sample(2)[0])
    assert np.array_equal(digits, made.digits(2))
    for other in (made.sample(3), made.sample(2, epoch=1), BarcodeSymbols(4, seed=5, split="val").sample(2)):
        assert not np.array_equal(image, other[0])
        assert is_valid(code_of(other[1]))
    assert made.fingerprint() != BarcodeSymbols(4, seed=5, others=0.5).fingerprint()


def test_others_have_no_digits() -> None:
    made = BarcodeSymbols(60, others=0.5)
    none = [np.array_equal(made.sample(index)[1], NO_CODE) for index in range(60)]
    assert 15 < sum(none) < 45


def test_ink_spreads_over_both_edges() -> None:
    light = np.ones(SIDE * FINE, np.float32)
    bars = print_bars(np.array([0, 1, 1, 0], np.uint8), 0.5, (light, light))
    middle = SIDE * FINE + 2 * FINE
    assert bars[middle - FINE : middle + FINE].max() == 0
    assert 1 - bars.mean() == pytest.approx(2.5 * FINE / len(bars))
    assert print_bars(np.array([0, 1, 1, 0], np.uint8), -0.5, (light, light)).mean() == pytest.approx(
        1 - 1.5 * FINE / len(bars)
    )


@pytest.mark.parametrize("kernel", [defocus(1.3), gaussian(0.7), box(0.4), box(3.0), defocus(0.05)])
def test_blurs_keep_the_light(kernel: np.ndarray) -> None:
    assert kernel.sum() == pytest.approx(1.0, abs=1e-5)
    assert np.allclose(kernel, kernel[::-1])


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ConfigError, match="out of range"):
        BarcodeSymbols(4, width=20)
