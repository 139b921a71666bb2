"""From a photo to codes: where symbols are, which way up, what they say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import cv2
import numpy as np
import torch
from torch import Tensor

from retable.papers.barcodes.symbology.ean13 import is_valid
from retable.papers.barcodes.warping import warp
from retable.synthetic.raster import Image, Points


@dataclass(frozen=True)
class Reading:
    """What was read of a symbol.

    Attributes:
        code: Thirteen digits, or None where there is no answer.
        confidence: From 0 to 1, of the code or of the one that is withheld.
    """

    code: str | None
    confidence: float

    def answered(self, threshold: float) -> str | None:
        """Returns the code, None below a confidence."""
        return self.code if self.confidence >= threshold else None


@dataclass(frozen=True)
class PlacedReading(Reading):
    """A reading with its place.

    Attributes:
        corners: (4, 2) in continuous pixels of the photo, in reading order where there is a code.
    """

    corners: Points


AnyReading = TypeVar("AnyReading", bound=Reading)

Locate = Callable[[Image], Sequence[Points]]
"""Finds symbols in a photo, uint8 (H, W, 3): their corners (4, 2), the largest first, with x along the reading
direction or against it."""

ReadSymbols = Callable[[Tensor], Sequence[Reading]]
"""Reads symbols (B, 1, H, W) in [0, 1] the right way up."""

_LARGE: Final = 800  # pixels of the longer side from which quarters show more than the whole does
_QUARTER: Final = 0.6  # of the sides
_AGAIN: Final = 3  # symbols that are looked at again where none could be read
# How a quadrangle is changed where it reads as nothing: parts of its width by which it is widened, and of its height by
# which it is flattened. Of 24 such looks at 121 symbols of generated validation photos, these read the most: five of
# those that the first look does not read, none wrongly.
_SECOND_LOOKS = ((-0.05, -0.5), (-0.1, -0.5), (0.05, -0.5))


@dataclass(frozen=True)
class PhotoReader:
    """A localiser with a reader.

    Attributes:
        locate: Finds symbols; None: each picture is one symbol.
        read: Reads them.
        width: Of a symbol's picture in pixels, margins included.
        height: Of a symbol's picture in pixels.
        margin: What is seen beside a symbol on either side, as a part of its width.
        threshold: Confidence below which an answer is withheld.
        most: Symbols that are looked at in a photo, or in a quarter of it.
    """

    locate: Locate | None
    read: ReadSymbols
    width: int
    height: int
    margin: float
    threshold: float
    most: int = 8

    def everything(self, image: Image) -> list[PlacedReading]:
        """Reads all symbols of a photo, uint8 (H, W, 3), the largest first."""
        grey = _grey(image)
        found = [each if each.code else self._again(grey, each) for each in self._looked_at(grey, self._places(image))]
        return found if any(each.code for each in found) else found + self._closer(image, grey)

    def largest(self, image: Image) -> list[PlacedReading]:
        """Returns `first`, if there is one."""
        found = self.first(image)
        return [] if found is None else [found]

    def first(self, image: Image) -> PlacedReading | None:
        """Returns the reading of the largest symbol of a photo, uint8 (H, W, 3), that can be read.

        Where none can, the likeliest ones are looked at again. If that is in vain, it is the likeliest, without a code;
        None where no symbol was found.
        """
        grey = _grey(image)
        found = self._looked_at(grey, self._places(image))
        if not any(each.code for each in found):
            likeliest = sorted(found, key=lambda each: -each.confidence)
            found = [self._again(grey, each) for each in likeliest[:_AGAIN]] + likeliest[_AGAIN:]
        if not any(each.code for each in found):
            found += self._closer(image, grey)
        read = [each for each in found if each.code]
        return max(read, key=_area) if read else max(found, key=lambda each: each.confidence, default=None)

    def at(self, grey: Image, corners: Points) -> PlacedReading:
        """Reads the symbol at corners (4, 2) of a photo, uint8 (H, W), whichever way up it is."""
        (found,) = self._looked_at(grey, [corners])
        return found if found.code else self._again(grey, found)

    def _places(self, image: Image) -> Sequence[Points]:
        return (self.locate or whole_picture)(image)[: self.most]

    def _closer(self, image: Image, grey: Image) -> list[PlacedReading]:
        """What can be read in the quarters of a large photo: localisers see photos shrunk."""
        if self.locate is None or max(grey.shape) < _LARGE:
            return []
        places = [corners + offset for offset, part in quarters(image) for corners in self.locate(part)[: self.most]]
        kept: list[PlacedReading] = []  # quarters overlap, and so may what is found in them
        for each in sorted(self._looked_at(grey, places), key=_area, reverse=True):
            if each.code is not None and all(each.code != other.code for other in kept):
                kept.append(each)
        return kept

    def _again(self, grey: Image, found: PlacedReading) -> PlacedReading:
        """Looks at a symbol that could not be read in other quadrangles; it is told to be where it was found."""
        looks = [changed(found.corners, *look) for look in _SECOND_LOOKS]
        return best_reading([found, *self._looked_at(grey, looks, [found.corners] * len(looks))])

    def _looked_at(
        self, grey: Image, places: Sequence[Points], told: Sequence[Points] | None = None
    ) -> list[PlacedReading]:
        """Reads symbols at corners (4, 2) each, both ways up; `told` is where they are told to be, if elsewhere."""
        if not places:
            return []
        cut = np.stack(
            [
                warp(grey, turned, self.width, self.height, self.margin)
                for corners in places
                for turned in (corners, np.roll(corners, 2, axis=0))
            ]
        )
        every = [turned for corners in told or places for turned in (corners, np.roll(corners, 2, axis=0))]
        with torch.inference_mode():
            readings = self.read(torch.from_numpy(cut).unsqueeze(1).float() / 255)
        placed = [
            PlacedReading(reading.answered(self.threshold), reading.confidence, corners)
            for reading, corners in zip(readings, every, strict=True)
        ]
        return [best_reading(placed[first : first + 2]) for first in range(0, len(placed), 2)]


def _grey(image: Image) -> Image:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)


def _area(reading: PlacedReading) -> float:
    return float(abs(cv2.contourArea(reading.corners.astype(np.float32))))


def best_reading(readings: Sequence[AnyReading]) -> AnyReading:
    """Returns the surest of some readings of one symbol; valid codes count before all others."""
    return max(readings, key=lambda each: (each.code is not None and is_valid(each.code), each.confidence))


def quarters(image: Image) -> Iterator[tuple[Points, Image]]:
    """Yields the corners of a photo (H, W, 3), a little more than a quarter each, with where they begin, x and y."""
    height, width = (round(_QUARTER * side) for side in image.shape[:2])
    for top in (0, image.shape[0] - height):
        for left in (0, image.shape[1] - width):
            part = np.ascontiguousarray(image[top : top + height, left : left + width])
            yield np.array([left, top], np.float64), part


def changed(corners: Points, wider: float, taller: float) -> Points:
    """Returns a quadrangle (4, 2) that is wider and taller by such parts of its sides, half of it on either side."""
    middle = np.array([[0.5, 0.5]])
    unit = np.array([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)])
    places = middle + (unit - middle) * (1.0 + wider, 1.0 + taller)
    top_left, top_right, bottom_right, bottom_left = corners
    x, y = places[:, :1], places[:, 1:]
    found: Points = (1 - y) * ((1 - x) * top_left + x * top_right) + y * ((1 - x) * bottom_left + x * bottom_right)
    return found


def whole_picture(image: Image) -> list[Points]:
    """Takes a picture for one that shows a symbol and nothing else, as `Locate` does; a high one is turned."""
    height, width = image.shape[:2]
    corners = np.array([(0.0, 0.0), (width, 0.0), (width, height), (0.0, height)])
    return [corners if width >= height else np.roll(corners, 1, axis=0)]
