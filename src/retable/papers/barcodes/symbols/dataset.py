"""The generated symbols as a sequence."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from retable.papers.barcodes.artwork.symbols import draw_other
from retable.papers.barcodes.symbology import add_on
from retable.papers.barcodes.symbology.ean13 import MODULES, Modules, encode
from retable.papers.barcodes.symbology.numbers import draw_code
from retable.papers.barcodes.symbols.symbol import Harshness, draw_symbol
from retable.synthetic.dataset import GeneratedDataset
from retable.synthetic.raster import Image
from retable.synthetic.rng import RandomStream, Weighted

NO_CODE: Final = np.full(13, -1, np.int64)
"""The digits of an image that shows no symbol of EAN-13 the right way up."""

_EASE = Weighted((Harshness(), 0.8), (Harshness(blur=0.4, view=0.6, light=0.5), 0.2))


class BarcodeSymbols(GeneratedDataset):
    """Symbols of EAN-13 as they are cut out of photos, and perhaps others that must not be taken for one.

    Args:
        count: Number of symbols.
        width: Of the images in pixels, margins included, 60 to 2,048.
        height: Of the images in pixels.
        margin: What is seen on the left and on the right, each as a part of the symbol's width; 0.24 at most.
        seed: Seed of all symbols.
        split: `train`, `val` or `test`.
        others: Part of the images that show anything else: symbols upside down or cut in two, other kinds of bars.
        clean: Print as it is, cut out exactly, instead of photos.

    Raises:
        ConfigError: A parameter is out of range or unknown.
    """

    kind = "synthetic"
    source = "generated symbols"
    title = "barcode symbols"
    version = 2
    sizes = (60, 2048)
    splits = ("train", "val", "test")

    def __init__(
        self,
        count: int,
        width: int = 416,
        height: int = 32,
        margin: float = 0.1,
        seed: int = 0,
        split: str = "train",
        others: float = 0.0,
        clean: bool = False,
    ) -> None:
        super().__init__(count, width, seed, split, height, margin, others, clean)
        self._shape, self._margin = (width, height), margin
        self._others = others
        self._ease = Weighted((Harshness(0.0, 0.0, 0.0), 1.0)) if clean else _EASE

    def digits(self, index: int) -> NDArray[np.int64]:
        """Returns the thirteen digits of a symbol, `NO_CODE` of anything else.

        Raises:
            IndexError: There is no such symbol.
        """
        return self._digits(self._draw(self._stream(index)))

    def sample(self, index: int, epoch: int = 0) -> tuple[Image, NDArray[np.int64]]:
        """Renders a symbol.

        Args:
            index: Its number.
            epoch: Another one stands at the same number in another epoch.

        Returns:
            uint8 (height, width), and its digits.

        Raises:
            IndexError: There is no such symbol.
        """
        rng = self._stream(index, epoch) if epoch else self._stream(index)
        code = self._draw(rng)
        harshness = self._ease.draw(rng)
        if code is None:
            return self._other(rng, harshness), NO_CODE
        digits = self._digits(code)
        return self._symbol(rng, encode(code), harshness, digits[1:] if rng.chance(0.9) else digits[:0]), digits

    def image(self, index: int) -> Image:
        """Renders a symbol, uint8 (height, width)."""
        return self.sample(index)[0]

    def _draw(self, rng: RandomStream) -> str | None:
        return None if rng.chance(self._others) else draw_code(rng)

    @staticmethod
    def _digits(code: str | None) -> NDArray[np.int64]:
        return NO_CODE if code is None else np.array(list(map(int, code)))

    def _symbol(
        self, rng: RandomStream, modules: Modules, harshness: Harshness, digits: NDArray[np.int64] = NO_CODE[:0]
    ) -> Image:
        addition = None
        if rng.chance(0.12):
            addition = add_on.encode(f"{rng.integer(0, 99):02d}" if rng.chance(0.4) else f"{rng.integer(0, 99999):05d}")
        return draw_symbol(rng, modules, self._shape, self._margin, harshness, digits, addition)

    def _other(self, rng: RandomStream, harshness: Harshness) -> Image:
        kind = rng.random()
        modules = encode(draw_code(rng))
        if kind < 0.35:
            return np.ascontiguousarray(self._symbol(rng, modules, harshness)[::-1, ::-1])
        if kind < 0.65:
            modules = draw_other(rng).modules
        elif kind < 0.75:
            modules = _bars(rng, rng.integer(30, 160))
        elif kind < 0.88:  # a part of a symbol, or more than one
            first = rng.integer(-40, 60)
            row = np.concatenate([np.zeros(60, np.uint8), modules, np.zeros(60, np.uint8)])
            modules = row[60 + first : 60 + first + int(MODULES * rng.log_uniform(0.4, 1.0))]
            if abs(first) < 8 and len(modules) > 0.88 * MODULES:
                modules = _bars(rng, MODULES)
        elif kind < 0.93:
            modules = np.zeros(MODULES, np.uint8)
        else:
            period = rng.integer(2, 9)
            modules = (np.arange(rng.integer(40, 140)) % period < rng.integer(1, period - 1)).astype(np.uint8)
        return self._symbol(rng, modules, harshness)


def _bars(rng: RandomStream, count: int) -> Modules:
    """Draws bars and spaces of one to four modules, as all linear symbologies have them."""
    widths = [rng.integer(1, 4) if rng.chance(0.5) else rng.integer(1, 2) for _ in range(count // 2 + 2)]
    row = np.repeat(np.arange(1, len(widths) + 1) % 2, widths)[:count].astype(np.uint8)
    row[-1] = 1
    return row
