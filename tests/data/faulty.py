"""Image files that OpenCV and Pillow do not write: damaged ones, and TIFF of any number of bands."""

import struct
import zlib
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt


def damaged_jpeg() -> bytes:
    """A whole JPEG of 64 x 64 pixels, some of whose data are lost; its decoder fills them in and complains."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = cv2.imencode(".jpg", noise)[1].tobytes()
    return data[: len(data) // 2] + data[len(data) // 2 + 400 :]


def multiband_tiff(image: npt.NDArray[Any], deflate: bool = False, separate: bool = False) -> bytes:
    """A TIFF of (H, W, N) numbers of any type, interleaved or band after band, compressed or not."""
    height, width, bands = image.shape
    parts = [image[..., band].tobytes() for band in range(bands)] if separate else [image.tobytes()]
    if deflate:
        parts = [zlib.compress(part) for part in parts]
    places = np.cumsum([8, *map(len, parts)]).tolist()
    kind = {"u": 1, "i": 2, "f": 3}[image.dtype.kind]
    tags = {
        256: [width], 257: [height], 258: [image.dtype.itemsize * 8] * bands, 259: [8 if deflate else 1], 262: [1],
        273: places[:-1], 277: [bands], 278: [height], 279: [len(part) for part in parts],
        284: [2 if separate else 1], 338: [0] * (bands - 1), 339: [kind] * bands,
    }  # fmt: skip
    body, entries = b"".join(parts), []
    for tag, values in tags.items():
        packed = struct.pack(f"<{len(values)}I", *values)
        if len(values) > 1:
            body, packed = body + packed, struct.pack("<I", 8 + len(body))
        if values:
            entries.append(struct.pack("<HHI", tag, 4, len(values)) + packed)
    directory = struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)
    return b"II*\0" + struct.pack("<I", 8 + len(body)) + body + directory
