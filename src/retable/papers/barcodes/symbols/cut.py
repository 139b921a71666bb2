"""Symbols that are cut out of photos: by their own corners, or by those that a localiser finds."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from retable.errors import DataError
from retable.papers.barcodes.datasets.parts import Photo, PhotoPart
from retable.papers.barcodes.localiser.metrics import box_around, quadrangle_iou
from retable.papers.barcodes.reading import Locate
from retable.papers.barcodes.warping import warp
from retable.synthetic.raster import Image, Points

_NOTHING: Final = 128
"""Grey of the picture of a symbol that was not found."""

_SAME: Final = 0.3  # IoU from which on a quadrangle is that of a symbol


class CutSymbols:
    """The symbols of photos, cut out once and kept in memory.

    Args:
        photos: The photos, by source.
        width: Of the pictures in pixels, margins included.
        height: Of the pictures in pixels.
        margin: What is seen beside a symbol on either side, as a part of its width.
        locate: What finds them; None: they are where they are marked.
        told: What is to be told of `locate` in the fingerprint.
        learnt: Whether symbols are learnt from: those that were not found are left out then, and of those that were
            found only the view the right way up is there.

    Raises:
        DataError: A photo cannot be read, or only boxes are known of it.
    """

    def __init__(
        self,
        photos: Sequence[PhotoPart],
        width: int,
        height: int,
        margin: float,
        locate: Locate | None = None,
        told: str = "reference",
        learnt: bool = False,
    ) -> None:
        kinds = {part.kind for part in photos}
        self.kind = kinds.pop() if len(kinds) == 1 else "mixed"
        self.source = f"symbols of {' and '.join(part.source for part in photos)}"
        prints = " ".join(part.fingerprint() for part in photos)
        self._told = f"{prints} {width} {height} {margin} {told} {learnt}"
        self.missed = self.symbols = 0
        pictures, digits = [], []
        for photo in (part.load(index) for part in photos for index in range(len(part))):
            grey = np.asarray(cv2.cvtColor(photo.image, cv2.COLOR_RGB2GRAY), np.uint8)
            found = _views(photo, locate, learnt)
            for code, views in zip(photo.codes, found, strict=True):
                self.symbols += 1
                self.missed += not views
                if not views and learnt:
                    continue
                size = 2 if locate is not None and not learnt else 1
                empty = np.full((height, width), _NOTHING, np.uint8)
                pictures.append(np.stack([warp(grey, view, width, height, margin) for view in views] or [empty] * size))
                digits.append(list(map(int, code)))
        self._pictures: Image = np.stack(pictures) if pictures else np.zeros((0, 1, height, width), np.uint8)
        self._digits = np.array(digits, np.int64).reshape(-1, 13)

    def __len__(self) -> int:
        return len(self._pictures)

    def sample(self, index: int, epoch: int = 0) -> tuple[Image, NDArray[np.int64]]:
        """Returns a symbol's picture, uint8 (H, W), or its views (V, H, W), and its digits; every epoch the same."""
        picture = self._pictures[index]
        return np.asarray(picture[0] if len(picture) == 1 else picture), self._digits[index]

    def fingerprint(self) -> str:
        """Fingerprints the photos and how symbols were cut out of them."""
        return hashlib.sha256(self._told.encode()).hexdigest()


def _views(photo: Photo, locate: Locate | None, learnt: bool) -> list[list[Points]]:
    """Returns how each symbol of a photo is looked at: its corners in one or two orders, none where it was missed."""
    if photo.is_boxes and learnt:
        raise DataError(
            "data.photos.train_on: boxes around symbols do not tell which way up they are; test on these only"
        )
    if locate is None:
        if photo.is_boxes:
            raise DataError(
                "data.root: of these photos upright boxes around the symbols are known, not their corners; give "
                "data.corners=RUN, the folder of a run of model=barcode_unet, which finds them"
            )
        return [[corners] for corners in photo.corners]
    places = locate(photo.image)
    views: list[list[Points]] = []
    for corners in photo.corners:
        found = best_match(corners, places, photo.is_boxes)
        if found is None:
            views.append([])
        elif learnt:
            turns = [np.roll(found, 2 * turn, axis=0) for turn in range(2)]
            views.append([min(turns, key=lambda turned: float(np.abs(turned - corners).sum()))])
        else:
            views.append([found, np.roll(found, 2, axis=0)])
    return views


def best_match(corners: Points, places: Sequence[Points], is_box: bool = False) -> Points | None:
    """Returns the quadrangle (4, 2) that overlaps a given one best, None where none has an IoU of 0.3.

    Where the given one is an upright box, the boxes around the others are compared with it.
    """
    overlaps = [quadrangle_iou(corners, box_around(place) if is_box else place) for place in places]
    best = int(np.argmax(overlaps)) if overlaps else 0
    return places[best] if overlaps and overlaps[best] >= _SAME else None
