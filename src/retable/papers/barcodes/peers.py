"""Decoders that others keep: zxing-cpp, ZBar by pyzbar, and OpenCV's, each from a photo to codes of EAN-13.

They are asked for EAN-13 and UPC-A only, which is what codes are here; of everything else each has its own defaults.
"""

from __future__ import annotations

from typing import Any, Protocol

import cv2
import numpy as np
from torch import Tensor, nn

from retable.errors import ConfigError
from retable.nn.fitting import NothingToFit
from retable.papers.barcodes.reading import PlacedReading, Reading
from retable.papers.barcodes.schema import PeerReaderConfig
from retable.papers.barcodes.symbol_reader import SymbolReader
from retable.papers.barcodes.symbology.ean13 import DIGITS, is_valid
from retable.synthetic.raster import Image

_PROPORTION = 0.5  # of the height of printed bars to the width of a symbol with its surroundings
_INSTALL = "pip install 'retable[barcodes-peers]'"


class Peer(Protocol):
    """A decoder."""

    def __call__(self, image: Image) -> list[PlacedReading]:
        """Reads a photo, uint8 (H, W) grey or (H, W, 3) RGB; returns each code with its corners as it tells them."""


class ZxingCpp:
    """zxing-cpp.

    Raises:
        ConfigError: Its package is missing.
    """

    def __init__(self) -> None:
        try:
            import zxingcpp
        except ImportError as error:
            raise ConfigError(f"model.peer: the package zxing-cpp is missing ({error}); {_INSTALL}") from None
        self._zxing: Any = zxingcpp
        self._formats = [zxingcpp.BarcodeFormat.EAN13, zxingcpp.BarcodeFormat.UPCA]

    def __call__(self, image: Image) -> list[PlacedReading]:
        """Reads a photo."""
        found = self._zxing.read_barcodes(np.ascontiguousarray(image), formats=self._formats)
        return _told((each.text, [(point.x, point.y) for point in _around(each.position)]) for each in found)


class Pyzbar:
    """ZBar, by pyzbar.

    Raises:
        ConfigError: The package, or the library that it calls, is missing.
    """

    def __init__(self) -> None:
        try:
            from pyzbar import pyzbar
        except ImportError as error:
            raise ConfigError(
                f"model.peer: the package pyzbar or its library zbar is missing ({error}); {_INSTALL}, and on Debian "
                "apt-get install libzbar0"
            ) from None
        self._zbar: Any = pyzbar
        self._kinds = [pyzbar.ZBarSymbol.EAN13, pyzbar.ZBarSymbol.UPCA]

    def __call__(self, image: Image) -> list[PlacedReading]:
        """Reads a photo."""
        grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        found = self._zbar.decode(np.ascontiguousarray(grey), symbols=self._kinds)
        return _told((each.data.decode("ascii", "replace"), [tuple(point) for point in each.polygon]) for each in found)


class OpenCv:
    """OpenCV's detector of barcodes.

    Raises:
        ConfigError: The installed OpenCV has none.
    """

    def __init__(self) -> None:
        if not hasattr(cv2, "barcode"):
            raise ConfigError(
                f"model.peer: the package opencv-python-headless {cv2.__version__} has no detector of barcodes; "
                "install 4.8 or newer"
            )
        self._detector = cv2.barcode.BarcodeDetector()

    def __call__(self, image: Image) -> list[PlacedReading]:
        """Reads a photo."""
        picture = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        _, texts, _, corners = self._detector.detectAndDecodeWithType(picture)
        return _told(zip(texts, [] if corners is None else corners, strict=True))


def _around(position: Any) -> tuple[Any, ...]:
    return position.top_left, position.top_right, position.bottom_right, position.bottom_left


def _told(found: Any) -> list[PlacedReading]:
    """Returns what are codes of EAN-13 or UPC-A; of places that are no quadrangles the smallest rectangle around."""
    readings = []
    for text, points in found:
        code = text.zfill(DIGITS) if len(text) == DIGITS - 1 else text
        if is_valid(code):
            corners = np.asarray(points, np.float64).reshape(-1, 2)
            if len(corners) != 4:
                corners = cv2.boxPoints(cv2.minAreaRect(corners.astype(np.float32))).astype(np.float64)
            readings.append(PlacedReading(code, 1.0, corners))
    return readings


class PeerReader(NothingToFit, SymbolReader):
    """A decoder on symbols that are cut out already, in the proportions in which they are printed."""

    kind = "decoder that is ready as it is"
    config: PeerReaderConfig

    def __init__(self, config: PeerReaderConfig) -> None:
        super().__init__(config)
        self.network = nn.Identity()

    @property
    def weights_origin(self) -> str:  # type: ignore[override]
        """The decoder."""
        return f"package:{type(self.config.peer).__name__}"

    def read(self, images: Tensor) -> list[Reading]:
        """Reads symbols (B, 1, H, W) in [0, 1]; what the decoder does not read is withheld."""
        return [self._reading(image) for image in (images[:, 0] * 255).round().byte().cpu().numpy()]

    def example_input(self) -> Tensor:
        """Tells that there is no network.

        Raises:
            ConfigError: Always.
        """
        raise ConfigError("run: a decoder is no network that could be exported")

    def _reading(self, image: Image) -> Reading:
        width = image.shape[1]
        found = self.config.peer(cv2.resize(image, (width, round(_PROPORTION * width))))
        return Reading(found[0].code, 1.0) if found else Reading(None, 0.0)
