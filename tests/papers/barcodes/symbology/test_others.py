"""The kinds of codes beside EAN-13, against known encodings."""

import numpy as np
import pytest

from retable.papers.barcodes.symbology import add_on, code39, code128, ean8, itf, upce
from retable.papers.barcodes.symbology.ean13 import Modules


def bars(modules: Modules) -> str:
    return "".join(map(str, modules))


def widths(modules: Modules) -> str:
    changes = np.flatnonzero(np.diff(modules)) + 1
    return "".join(map(str, np.diff([0, *changes, len(modules)])))


def test_ean8() -> None:
    parts = "101 0110001 0110001 0011001 0010011 01010 1000010 1011100 1001110 1000100 101"
    assert bars(ean8.encode("55123457")) == parts.replace(" ", "")


@pytest.mark.parametrize(
    ("short", "whole"),
    [("654321", "065100004327"), ("123450", "012000003455"), ("425261", "042100005264"), ("123453", "012300000451"),
     ("123454", "012340000053"), ("123456", "012345000065")],
)  # fmt: skip
def test_upce_expands(short: str, whole: str) -> None:
    assert upce.expand(short) == whole


def test_upce() -> None:
    # check digit 7: the sets are even, odd, even, odd, even, odd
    parts = "101 0000101 0110001 0011101 0111101 0011011 0011001 010101"
    assert upce.expand("654321")[-1] == "7"
    assert bars(upce.encode("654321")) == parts.replace(" ", "")


def test_add_ons() -> None:
    assert bars(add_on.encode("53")) == "1011" + "0110001" + "01" + "0100001"  # 53 modulo 4 is 1: L, G
    # 3 (5 + 4 + 5) + 9 (2 + 9) ends in 1: G, L, G, L, L
    parts = "1011 0111001 01 0010011 01 0011101 01 0001011 01 0110001"
    assert bars(add_on.encode("52495")) == parts.replace(" ", "")


def test_code128() -> None:
    # start B, "Wikipedia", check 88, stop: the example of many textbooks
    assert widths(code128.encode("Wikipedia"))[:12] == "211214" + "311321"
    assert widths(code128.encode("Wikipedia"))[-13:] == "421211" + "2331112"
    assert len(code128.encode("Wikipedia")) == 11 * 11 + 13
    assert widths(code128.encode("1234"))[:12] == "211232" + "112232"  # start C, 12
    assert len(code128.encode("1234")) == 11 * 4 + 13
    assert len(set(code128._WIDTHS)) == 107
    assert all(sum(map(int, item)) == 11 and sum(map(int, item[::2])) % 2 == 0 for item in code128._WIDTHS[:-1])


def test_code39() -> None:
    assert bars(code39.encode("1", wide=2)) == "1001011011010" + "1101001010110" + "100101101101"
    assert len({code39._WIDE[place] for place in range(44)}) == 44
    assert len(code39.CHARACTERS) == len(code39._WIDE)


def test_itf() -> None:
    # 1 is wide, narrow, narrow, narrow, wide in bars; 2 narrow, wide, narrow, narrow, wide in spaces
    assert widths(itf.encode("12")) == "1111" + "3113111133" + "311"
    with pytest.raises(ValueError, match="shorter"):
        itf.encode("123")
