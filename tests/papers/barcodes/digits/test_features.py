"""The notebook's features of symbols."""

import cv2
import numpy as np
import pytest
import torch

from retable.papers.barcodes.digits.features import Projections
from retable.papers.barcodes.digits.schema import ProjectionsConfig
from retable.papers.barcodes.symbology import ean13


def symbol(height: int = 100, seed: int = 0, black: int = 10) -> np.ndarray:
    """A symbol of four pixels a module, out of focus, under uneven light, with noise."""
    generator = np.random.default_rng(seed)
    image = np.where(np.tile(np.repeat(ean13.encode("4006381333931"), 4), (height, 1)), float(black), 200.0)
    image = cv2.GaussianBlur(image, (5, 5), 1.5) * np.linspace(1, 0.5, height)[:, None]
    return np.clip(image + generator.normal(0, 4, image.shape), 0, 255).astype(np.uint8)


def notebook(image: np.ndarray, width: int, white_rows: int = 99) -> np.ndarray:
    """What the notebook does with a symbol in colour, in ten bands."""
    grey = cv2.cvtColor(cv2.resize(image, (width, 1000)), cv2.COLOR_BGR2GRAY)
    black_and_white = cv2.threshold(grey, 50, 255, cv2.THRESH_BINARY)[1]
    found = []
    for top in range(0, 1000, 100):
        white = np.sum(black_and_white[top : top + 100, :], axis=0) / 255
        found.append(np.where(white > white_rows, 1, 0))
    return np.array(found)


@pytest.mark.parametrize("width", [1200, 240])
@pytest.mark.parametrize("bands", [[5], [3, 4, 5, 6], list(range(10)), [7, 2]])
@pytest.mark.parametrize("height", [63, 64, 100, 180])
def test_features_are_the_notebook_s(width: int, bands: list[int], height: int) -> None:
    image = symbol(height)
    expected = notebook(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), width)[bands]
    features = Projections(ProjectionsConfig(width=width, bands=bands))
    assert 0.2 < expected.mean() < 0.8
    assert np.array_equal(features.of(image), expected)
    found = features(torch.from_numpy(np.stack([image, image[::-1]]))[:, None] / 255)
    assert np.array_equal(found[0], expected.ravel())
    assert found.shape == (2, features.count)


def test_of_higher_symbols_rounding_hardly_shows() -> None:
    image = symbol(288)
    expected = notebook(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), 1200)[3:-3]
    found = Projections(ProjectionsConfig(bands=[3, 4, 5, 6])).of(image)
    assert (found != expected).mean() < 0.002


def test_as_the_notebook_calls_it_no_column_counts() -> None:
    colour = cv2.cvtColor(symbol(), cv2.COLOR_GRAY2BGR)
    assert not notebook(colour, 1200, white_rows=1200).any()
    assert not Projections(ProjectionsConfig(white_rows=1200)).of(symbol()).any()


def test_columns_may_be_white_in_parts() -> None:
    image = np.full((100, 95), 255, np.uint8)
    image[50:55, :40] = 0  # half of the sixth band
    for rows, expected in ((99, 0), (60, 0), (40, 1)):
        found = Projections(ProjectionsConfig(width=95, white_rows=rows)).of(image)
        assert found[0, 10] == expected
        assert found[0, 60] == 1


@pytest.mark.parametrize("width", [1200, 240])
def test_surroundings_are_left_out(width: int) -> None:
    image = symbol()
    wide = cv2.copyMakeBorder(image, 0, 0, 38, 38, cv2.BORDER_REPLICATE)
    expected = Projections(ProjectionsConfig(width=width)).of(image)
    assert np.array_equal(Projections(ProjectionsConfig(width=width, margin=0.1)).of(wide), expected)


@pytest.mark.parametrize("adaptive", ["symbol", "band"])
def test_an_adaptive_threshold_reads_faint_bars(adaptive: str) -> None:
    image = symbol(black=120)
    expected = 1 - np.repeat(ean13.encode("4006381333931"), 4)
    found = Projections(ProjectionsConfig(width=380, bands=[5], adaptive=adaptive)).of(image)[0]
    middles = slice(1, None, 4)
    assert (found[middles] == expected[middles]).mean() > 0.9
    assert Projections(ProjectionsConfig(width=380)).of(image).all()
