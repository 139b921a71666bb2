"""Where photos come from: generated ones and files, alike for the loaders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np

from retable.data.fingerprint import fingerprint_files
from retable.data.images import read_image
from retable.papers.barcodes.artwork.symbols import ADD_ON
from retable.papers.barcodes.datasets.labelled import LabelledPhoto
from retable.papers.barcodes.datasets.schema import GRID, PhotoAugmentation
from retable.synthetic.camera import defocus, tint
from retable.synthetic.raster import Image, Points
from retable.synthetic.rng import RandomStream

Quadrangles = list[Points]


@dataclass(frozen=True)
class Photo:
    """A photo as it is learnt from or tested on.

    Attributes:
        image: uint8 RGB (H, W, 3).
        corners: (4, 2) of each symbol of EAN-13 and UPC-A, continuous pixels, in reading order.
        codes: Their digits.
        others: (4, 2) of each barcode of another kind, where that is known; add-ons are none by themselves.
        is_boxes: Whether the corners are only those of upright boxes around the symbols.
    """

    image: Image
    corners: Quadrangles
    codes: tuple[str, ...]
    others: Quadrangles
    is_boxes: bool = False

    def moved(self, image: Image, matrix: Points) -> Photo:
        """Returns the photo with another picture, to which a matrix (2, 3) maps continuous pixels."""
        corners, others = (
            [points @ matrix[:, :2].T + matrix[:, 2] for points in group] for group in (self.corners, self.others)
        )
        return Photo(image, corners, self.codes, others, self.is_boxes)


class PhotoPart(Protocol):
    """Photos of one source."""

    kind: str
    source: str

    def __len__(self) -> int: ...

    def load(self, index: int, epoch: int = 0) -> Photo:
        """Returns a photo; generated ones are others in another epoch."""

    def fingerprint(self) -> str:
        """Fingerprints the photos and what is known of them."""


class GeneratedPhotos:
    """Photos of a generator such as `retable.papers.barcodes.scenes.BarcodeScenes`."""

    kind = "synthetic"
    source = "generated photos of barcodes"

    def __init__(self, scenes: Any) -> None:
        self._scenes = scenes

    def __len__(self) -> int:
        return len(self._scenes)

    def load(self, index: int, epoch: int = 0) -> Photo:
        """Renders a photo."""
        image, symbols, others = self._scenes.load(index, epoch)
        return Photo(
            image,
            [symbol.corners for symbol in symbols],
            tuple(symbol.code for symbol in symbols),
            [symbol.corners for symbol in others if symbol.kind != ADD_ON],
        )

    def fingerprint(self) -> str:
        """Returns the generator's fingerprint."""
        return str(self._scenes.fingerprint())


class RealPhotos:
    """Photos from files.

    Args:
        photos: The files.
        upright: Whether they are turned as their EXIF tags say.
        source: What the record calls them.
    """

    kind = "real"

    def __init__(self, photos: Sequence[LabelledPhoto], upright: bool, source: str = "own photos of barcodes") -> None:
        self.photos, self._upright, self.source = tuple(photos), upright, source

    def __len__(self) -> int:
        return len(self.photos)

    def load(self, index: int, epoch: int = 0) -> Photo:
        """Reads a photo.

        Raises:
            DataError: It cannot be read.
        """
        known = self.photos[index]
        symbols = known.symbols
        image = read_image(known.path, upright=self._upright)
        is_boxes = any(symbol.is_box for symbol in symbols)
        return Photo(
            image, [symbol.corners for symbol in symbols], tuple(symbol.code for symbol in symbols), [], is_boxes
        )

    def fingerprint(self) -> str:
        """Fingerprints the files' contents and what was marked on them."""
        said = [f"{photo.name} {photo.symbols}" for photo in self.photos]
        return fingerprint_files({}, {photo.name: photo.path for photo in self.photos}, [f"{self._upright}", *said])


def fitted(photo: Photo, size: int) -> tuple[Photo, float]:
    """Scales a photo so that its longer side has so many pixels.

    Returns:
        The photo, and how many pixels of the original one of the scaled one is.
    """
    height, width = photo.image.shape[:2]
    scale = size / max(height, width)
    shape = max(1, round(width * scale)), max(1, round(height * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    image = np.asarray(cv2.resize(photo.image, shape, interpolation=method), np.uint8)
    matrix = np.array([(shape[0] / width, 0.0, 0.0), (0.0, shape[1] / height, 0.0)])
    return photo.moved(image, matrix), 1.0 / scale


def stacked(images: Sequence[Image]) -> Image:
    """Returns images (H, W, 3) as (B, H, W, 3), grey to their right and below, up to multiples of `GRID`."""
    height, width = (-(-max(image.shape[axis] for image in images) // GRID) * GRID for axis in (0, 1))
    whole = np.full((len(images), height, width, 3), 128, np.uint8)
    for place, image in zip(whole, images, strict=True):
        place[: image.shape[0], : image.shape[1]] = image
    return whole


def varied(photo: Photo, config: PhotoAugmentation, rng: RandomStream) -> Photo:
    """Turns, magnifies, tints and blurs a photo, as another one of the same thing would be."""
    height, width = photo.image.shape[:2]
    angle = rng.uniform(-config.rotation_degrees, config.rotation_degrees)
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -angle, rng.log_uniform(*config.scale))
    centre = np.array([0.5, 0.5])
    for_opencv = matrix.copy()  # whose pixel centres are whole numbers
    for_opencv[:, 2] += matrix[:, :2] @ centre - centre
    image = cv2.warpAffine(
        photo.image, for_opencv, (width, height), flags=cv2.INTER_LINEAR, borderValue=(128, 128, 128)
    )
    seen = tint(np.asarray(image, np.uint8), rng, config.camera)
    if rng.chance(0.5):
        seen = defocus(seen, rng.uniform(0.0, config.defocus))
    return photo.moved(seen, np.asarray(matrix, np.float64))
