"""Decoders that others keep: what they answer is told alike, and one that is missing says what to install."""

import sys

import cv2
import numpy as np
import pytest
import torch

from retable.errors import ConfigError
from retable.papers.barcodes.peers import OpenCv, PeerReader, Pyzbar, ZxingCpp
from retable.papers.barcodes.reading import PlacedReading
from retable.papers.barcodes.schema import PeerReaderConfig
from retable.papers.barcodes.symbology import ean13

CODE, UPC_A = "5901234123457", "036000291452"


def photo(code: str) -> tuple[np.ndarray, np.ndarray]:
    """A symbol of four pixels a module in the middle of a sheet, and its corners."""
    image = np.full((600, 800), 235, np.uint8)
    image[200:400, 210:590] = np.where(np.repeat(ean13.encode(code), 4), 20, 235)
    corners = np.array([(210.0, 200.0), (590.0, 200.0), (590.0, 400.0), (210.0, 400.0)])
    return cv2.GaussianBlur(image, None, 0.7), corners


@pytest.mark.parametrize("peer", [ZxingCpp, Pyzbar, OpenCv])
@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("code", [CODE, UPC_A])
def test_each_reads_a_clear_photo(peer: type, colour: bool, code: str) -> None:
    try:
        decoder = peer()
    except ConfigError as error:
        pytest.skip(str(error))
    image, corners = photo(code.zfill(13))
    (found,) = decoder(np.repeat(image[..., None], 3, axis=2) if colour else image)
    assert found.code == code.zfill(13)
    far = np.linalg.norm(found.corners[:, None] - corners, axis=2).min(axis=0)
    assert far.max() < 40
    assert decoder(np.full_like(image, 128)) == []


@pytest.mark.parametrize(("peer", "module"), [(ZxingCpp, "zxingcpp"), (Pyzbar, "pyzbar")])
def test_one_that_is_missing_says_what_to_install(peer: type, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigError, match=r"model\.peer: the package .* is missing .*barcodes-peers"):
        peer()


class Stand:
    """Reads what is bright in the middle, and looks at the shape that it is given."""

    def __call__(self, image: np.ndarray) -> list[PlacedReading]:
        assert image.shape == (50, 100)
        return [PlacedReading(CODE, 1.0, np.zeros((4, 2)))] if image[25, 50] > 128 else []


def test_as_a_reader_of_symbols_it_withholds_what_it_does_not_read() -> None:
    reader = PeerReader(PeerReaderConfig(peer=Stand()))
    images = torch.stack([torch.zeros(1, 8, 100), torch.ones(1, 8, 100)])
    assert [reading.code for reading in reader.read(images)] == [None, CODE]
    assert reader.weights_origin == "package:Stand"
    with pytest.raises(ConfigError, match="no network that could be exported"):
        reader.example_input()
