"""EAN-13: tables, check digits, modules."""

import numpy as np
import pytest

from retable.errors import DataError
from retable.papers.barcodes.symbology import ean13


def test_a_code_is_drawn_as_the_standard_draws_it() -> None:
    # 4 006381 333931, of which the standard's tables give each digit; the first digit 4 is L G L L G G
    parts = (
        "101 0001101 0100111 0101111 0111101 0001001 0110011 01010 1000010 1000010 1000010 1110100 1000010 1100110 101"
    )
    assert "".join(map(str, ean13.encode("4006381333931"))) == parts.replace(" ", "")


def test_sets_mirror_each_other() -> None:
    odd, even, right = ean13.DIGIT_MODULES
    assert np.array_equal(even, right[:, ::-1])
    assert np.array_equal(odd, 1 - right)
    assert (odd.sum(1) % 2 == 1).all()
    assert (even.sum(1) % 2 == 0).all()
    assert len({tuple(row) for row in ean13.DIGIT_MODULES.reshape(30, 7)}) == 30


def test_slots_hold_their_digits() -> None:
    modules = ean13.encode("9783161484100")
    starts = ean13.SLOT_STARTS
    assert len(modules) == ean13.MODULES
    for slot, digit in enumerate("161484100", start=3):
        kind = ean13.PARITIES[9][slot] if slot < 6 else ean13.R
        assert np.array_equal(modules[starts[slot] : starts[slot] + 7], ean13.DIGIT_MODULES[kind, int(digit)])


def test_check_digits() -> None:
    assert ean13.check_digit("978316148410") == 0
    assert ean13.check_digit("400638133393") == 1
    assert ean13.check_digit("9638507") == 4  # of EAN-8, the same rule
    assert ean13.is_valid("4006381333931")
    assert not ean13.is_valid("4006381333932")
    assert not ean13.is_valid("400638133393")


@pytest.mark.parametrize(
    ("code", "says"), [("400638133393", "last digit"), ("40063813339x1", "digits"), ("4006381333932", "should be 1")]
)
def test_what_is_no_code_is_refused(code: str, says: str) -> None:
    with pytest.raises(DataError, match=says):
        ean13.checked(code)


def test_upc_a_is_a_code_with_a_leading_zero() -> None:
    assert ean13.checked("036000291452") == "0036000291452"
