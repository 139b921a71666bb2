"""The notebook's features of 1,000 symbols, from the photo: read, cut out by its corners, projected; on one core.

The other side is the notebook's own way, done anew here: Pillow, a warp of the colours at the symbol's size in the
photo, all ten bands. The notebook printed 3.6 symbols a second where it takes one band of 240 columns. Exit code 1 if
that is not done 20 times as quickly. The fastest of several rounds counts, in processor time, both sides in turn.
"""

import io
import sys
import time
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from retable.papers.barcodes.digits.features import Projections
from retable.papers.barcodes.digits.schema import ProjectionsConfig
from retable.papers.barcodes.symbology import ean13
from retable.papers.barcodes.warping import homography, sides, warp

PRINTED = 3.6  # symbols a second
TARGET = 20.0
SYMBOLS = 1000
PHOTOS = 50
ROUNDS = 4
SYMBOL = (420, 100)  # columns and rows that are cut out


def photos() -> list[tuple[bytes, NDArray[np.float64]]]:
    """Photos of 640 x 480 as files, and their symbols' corners."""
    generator, found = np.random.default_rng(0), []
    flat = np.where(np.tile(np.repeat(ean13.encode("4006381333931"), 4), (200, 1)), 20, 235).astype(np.uint8)
    for _ in range(PHOTOS):
        corners = np.array([(130.0, 140), (510, 140), (510, 340), (130, 340)]) + generator.uniform(-30, 30, (4, 2))
        matrix = homography(corners, 380, 200)
        grey = cv2.warpPerspective(flat, matrix, (640, 480), borderValue=200)
        noisy = np.clip(cv2.GaussianBlur(grey, None, 1.0)[..., None] + generator.normal(0, 4, (480, 640, 3)), 0, 255)
        found.append((cv2.imencode(".jpg", noisy.astype(np.uint8))[1].tobytes(), corners))
    return found


def read_grey(photo: bytes) -> NDArray[np.uint8]:
    return np.asarray(cv2.imdecode(np.frombuffer(photo, np.uint8), cv2.IMREAD_GRAYSCALE), np.uint8)


def notebook(photo: Image.Image, corners: NDArray[np.float64], width: int) -> NDArray[np.int64]:
    """All ten bands, as the notebook finds them."""
    wide, high = map(int, sides(corners))
    target = np.array([[0, 0], [wide - 1, 0], [wide - 1, high - 1], [0, high - 1]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), target)
    cut = cv2.resize(cv2.warpPerspective(np.array(photo), matrix, (wide, high)), (width, 1000))
    white = cv2.threshold(cv2.cvtColor(cut, cv2.COLOR_BGR2GRAY), 50, 255, cv2.THRESH_BINARY)[1]
    bands = [np.sum(white[top : top + 100], axis=0) / 255 for top in range(0, 1000, 100)]
    return np.array([np.where(band > 99, 1, 0) for band in bands])


def fastest(*sides_: Callable[[], object]) -> list[float]:
    """Processor seconds of the fastest round of each."""
    best = [float("inf")] * len(sides_)
    for _ in range(ROUNDS):
        for number, side in enumerate(sides_):
            start = time.process_time()
            side()
            best[number] = min(best[number], time.process_time() - start)
    return best


def main() -> int:
    cv2.setNumThreads(1)
    files, repeats = photos(), SYMBOLS // PHOTOS
    grey = [read_grey(photo) for photo, _ in files]
    colour = [Image.open(io.BytesIO(photo)).copy() for photo, _ in files]
    corners = [found for _, found in files]
    for width in (240, 1200):
        for bands in ([5], [3, 4, 5, 6]):
            features = Projections(ProjectionsConfig(width=width, bands=bands))
            theirs, ours = fastest(
                lambda width=width: [notebook(*pair, width) for pair in zip(colour, corners, strict=True)],
                lambda features=features: [
                    features.of(warp(*pair, *SYMBOL)) for pair in zip(grey, corners, strict=True)
                ],
            )
            print(
                f"width {width:4}, {len(bands)} band(s), 1,000 symbols: the notebook's way {theirs * repeats:5.2f} s, "
                f"here {ours * repeats:5.2f} s, {theirs / ours:.1f}x"
            )

    def read_all() -> None:
        features = Projections(ProjectionsConfig(width=240))
        for photo, found in files * repeats:
            features.of(warp(read_grey(photo), found, *SYMBOL))

    (seconds,) = fastest(read_all)
    ratio = SYMBOLS / seconds / PRINTED
    print(
        f"width 240, 1 band, photos read: {SYMBOLS / seconds:.0f} a second, printed {PRINTED}: "
        f"{ratio:.0f}x, {TARGET:.0f}x wanted"
    )
    return 1 if ratio < TARGET else 0


if __name__ == "__main__":
    sys.exit(main())
