"""The notebook's features: which columns of a symbol are white from the top of a band to its bottom."""

from __future__ import annotations

from math import gcd

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from retable.classification.estimators.features import Features
from retable.papers.barcodes.digits.schema import ProjectionsConfig
from retable.synthetic.raster import Image

_BANDS = 10
_ROWS = 100  # of a band


class Projections:
    """Projections of a symbol's columns, 1 where a column is white and 0 where it is not.

    Args:
        config: The options.
    """

    def __init__(self, config: ProjectionsConfig) -> None:
        self._config = config

    @property
    def count(self) -> int:
        """Numbers that describe a symbol: bands times columns."""
        return len(self._config.bands) * self._config.width

    def __call__(self, images: Tensor) -> Features:
        """Describes symbols (B, 1, H, W) in [0, 1]; returns (B, bands * width), one band after the other."""
        grey = (images[:, 0] * 255).round().byte().cpu().numpy()
        found = np.empty((len(grey), self.count), np.float32)
        for image, row in zip(grey, found, strict=True):
            row[:] = self.of(image).ravel()
        return found

    def of(self, image: Image) -> NDArray[np.uint8]:
        """Describes a symbol, uint8 (H, W); returns (bands, width)."""
        config = self._config
        bands = np.stack(self._bands(image))
        thresholds = np.full((len(bands), 1), config.threshold)
        if config.adaptive == "symbol":
            thresholds[:] = _otsu(image)
        elif config.adaptive == "band":
            thresholds[:, 0] = [_otsu(band) for band in bands]
        if config.white_rows == _ROWS - 1:  # of all rows the darkest decides, which is quicker than counting
            counts = bands.min(axis=1) > thresholds
        else:
            counts = (bands > thresholds[..., None]).sum(axis=1) > config.white_rows
        return np.asarray(counts, np.uint8)

    def _bands(self, image: Image) -> list[Image]:
        """Returns bands (100, width) of an image as if resized to 1,000 rows; only rows that they need are.

        Of images higher than 190 rows, a few values in a thousand are rounded otherwise than in the whole.
        """
        height, rows = len(image), _BANDS * _ROWS
        step = height // gcd(height, rows)  # so many rows become a whole number of rows
        first, last = min(self._config.bands), max(self._config.bands) + 1
        # with a row more on both sides, between which is interpolated
        top = max(0, (height * first // _BANDS - 1) // step * step)
        bottom = min(height, -(-(height * last // _BANDS + 2) // step) * step)
        left = round(self._config.width * self._config.margin)
        columns = slice(left, left + self._config.width)
        resized = cv2.resize(image[top:bottom], (columns.stop + left, (bottom - top) * rows // height))
        starts = [band * _ROWS - top * rows // height for band in self._config.bands]
        return [resized[start : start + _ROWS, columns] for start in starts]


def _otsu(image: Image) -> float:
    threshold, _ = cv2.threshold(image, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return float(threshold)
