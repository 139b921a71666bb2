"""TIFF of any number of bands: its directory, and its bands as images of one band each, which OpenCV decodes.

OpenCV reads TIFF of one, three and four bands; of two it takes the first as grey without a word, and Pillow knows only
some combinations of numbers and types. But the bytes of an image of N interleaved bands are those of one band that is N
times as wide, whatever the compression, so that another directory makes them readable.
"""

import io
import struct
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL.TiffImagePlugin import ImageFileDirectory_v2

_WIDTH, _HEIGHT, _BITS, _PHOTOMETRIC, _BANDS, _ROWS = 256, 257, 258, 262, 277, 278
_STRIPS, _STRIP_SIZES, _PLANAR, _PREDICTOR = 273, 279, 284, 317
_TILE_WIDTH, _TILES, _TILE_SIZES, _EXTRA_BANDS, _KIND = 322, 324, 325, 338, 339
_KEPT = (_HEIGHT, _BITS, 259, 266, _ROWS, _PREDICTOR, _TILE_WIDTH, 323, _KIND)  # compression, bit order, tile height
_GREY = 1  # of `_PHOTOMETRIC`: zero is black
_SEPARATE = 2  # of `_PLANAR`: band after band
_DIFFERENCES = 2  # of `_PREDICTOR`: to the same band of the pixel before


class Directory:
    """The first directory of a TIFF.

    Args:
        file: The whole file.

    Raises:
        Exception: Of any kind, where there is no such directory or it lacks what is asked of it.
    """

    format = "TIFF"

    def __init__(self, file: io.BytesIO) -> None:
        self._data = file.getvalue()
        self.tags: Any = ImageFileDirectory_v2(self._data[:8])
        file.seek(self.tags.next)
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a directory that is cut off
            self.tags.load(file)
        self.height, self.width, self.bands = int(self.tags[_HEIGHT]), int(self.tags[_WIDTH]), self.tags.get(_BANDS, 1)
        self.bits = max(self.tags.get(_BITS, (1,)))
        tiled = _TILES in self.tags
        self._offsets_tag, self._sizes_tag = (_TILES, _TILE_SIZES) if tiled else (_STRIPS, _STRIP_SIZES)
        self.parts = list(zip(self._several(self._offsets_tag), self._several(self._sizes_tag), strict=True))
        if not self.parts:
            raise ValueError("it has no pixels")

    def decode(self) -> npt.NDArray[Any] | None:
        """Decodes all bands.

        Returns:
            (H, W, N) of the file's type, or None where OpenCV cannot decode it.
        """
        if self.tags.get(_PLANAR) == _SEPARATE:
            count = len(self.parts) // self.bands
            bands = [self._decode_part(self.width, 1, first * count, count) for first in range(self.bands)]
            return None if any(band is None for band in bands) else np.stack(bands, axis=2)  # type: ignore[arg-type]
        predictor = self.tags.get(_PREDICTOR, 1) if self.bands > 1 else 1
        wide = self._decode_part(self.width * self.bands, self.bands, 0, len(self.parts))
        if wide is None or (predictor != 1 and (predictor != _DIFFERENCES or wide.dtype.kind == "f")):
            return None
        image = wide.reshape(self.height, self.width, self.bands)
        if predictor == _DIFFERENCES:
            step = self.tags.get(_TILE_WIDTH, self.width)
            for x in range(0, self.width, step):
                np.cumsum(image[:, x : x + step], axis=1, dtype=image.dtype, out=image[:, x : x + step])
        return image

    def _decode_part(self, width: int, merged: int, first: int, count: int) -> npt.NDArray[Any] | None:
        """Decodes some strips or tiles as a grey image of so many bands side by side."""
        tags = {tag: self._several(tag) for tag in _KEPT if tag in self.tags}
        tags |= {_WIDTH: (width,), _BANDS: (1,), _PHOTOMETRIC: (_GREY,), _PLANAR: (1,)}
        tags |= {_BITS: tags[_BITS][:1], _KIND: tags.get(_KIND, (1,))[:1]}
        if _TILE_WIDTH in tags:
            tags[_TILE_WIDTH] = (tags[_TILE_WIDTH][0] * merged,)
        if merged > 1:
            tags.pop(_PREDICTOR, None)  # differences are summed up afterwards
        tags[self._offsets_tag], tags[self._sizes_tag] = zip(*self.parts[first : first + count], strict=True)
        file = _with_directory(self._data, tags)
        image = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_UNCHANGED)
        return None if image is None or image.shape != (self.height, width) else np.asarray(image)

    def _several(self, tag: int) -> tuple[int, ...]:
        value = self.tags[tag]
        return tuple(value) if isinstance(value, tuple) else (value,)


def _with_directory(data: bytes, tags: Mapping[int, Sequence[int]]) -> bytes:
    """Appends a directory of whole numbers to a TIFF and makes it the first."""
    order = "<" if data[:2] == b"II" else ">"
    file = bytearray(data + bytes(-len(data) % 4))
    entries = b""
    for tag, values in sorted(tags.items()):
        packed = struct.pack(f"{order}{len(values)}I", *values)
        if len(values) > 1:
            file += packed
            packed = struct.pack(f"{order}I", len(file) - len(packed))
        entries += struct.pack(f"{order}HHI", tag, 4, len(values)) + packed  # 4: of 32 bits
    file[4:8] = struct.pack(f"{order}I", len(file))
    return bytes(file + struct.pack(f"{order}H", len(tags)) + entries + bytes(4))
