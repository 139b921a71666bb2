"""Image files without decoding: their format, their size, and whether they are whole.

OpenCV decodes a JPEG or BMP that ends too early without complaint and fills the rest with grey or black, and
its PNG and TIFF decoders do so in part. A damaged download would become training data. So the structure of
each file is walked here first: the segments of a JPEG up to its end-of-image marker, the chunks of a PNG with
their checksums, the pixel array of a BMP, the strips or tiles of a TIFF.
"""

import re
import struct
import zlib
from typing import NamedTuple

_JPEG_MARKER = re.compile(rb"\xff+([^\x00\xd0-\xd7\xff])", re.DOTALL)  # a marker inside entropy-coded data
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF0..15 without DHT, JPG and DAC
_TIFF_TYPE_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}


class ImageHeader(NamedTuple):
    """What the structure of an image file tells: format name, height and width in pixels."""

    format: str
    height: int
    width: int


class DamagedImageError(Exception):
    """The bytes are an image of a known format, but not a whole one. The message says what is missing."""


def inspect_image(data: bytes) -> ImageHeader | None:
    """Walks the structure of an encoded image and returns its header.

    Args:
        data: the whole file.

    Returns:
        Format, height and width, or None where the format is not JPEG, PNG, BMP or TIFF (left to the
        decoder). Sizes are those of the stored pixels: an EXIF orientation is not applied.

    Raises:
        DamagedImageError: the file ends too early or a checksum is wrong.
    """
    try:
        if data[:3] == b"\xff\xd8\xff":
            return _inspect_jpeg(data)
        if data[:8] == b"\x89PNG\r\n\x1a\n":
            return _inspect_png(data)
        if data[:2] == b"BM":
            return _inspect_bmp(data)
        if data[:4] in (b"II*\0", b"MM\0*"):
            return _inspect_tiff(data)
    except (struct.error, IndexError) as error:
        raise DamagedImageError("the file ends inside its header") from error
    return None


def _inspect_jpeg(data: bytes) -> ImageHeader:
    height = width = 0
    position = 2
    while True:
        match = _JPEG_MARKER.search(data, position)
        if match is None:
            raise DamagedImageError("the JPEG's end-of-image marker is missing")
        marker = match.group(1)[0]
        position = match.end()
        if marker == 0xD9:
            break
        if marker == 0x01 or marker == 0xD8:  # markers that stand alone
            continue
        (length,) = struct.unpack_from(">H", data, position)
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", data, position + 3)
        # Skipping by length keeps the end marker of a thumbnail inside EXIF from being taken for the image's
        # own.
        position += length
    if height < 1 or width < 1:
        raise DamagedImageError("the JPEG holds no frame")
    return ImageHeader("JPEG", height, width)


def _inspect_png(data: bytes) -> ImageHeader:
    width, height = struct.unpack_from(">II", data, 16)
    position = 8
    while True:
        if position + 12 > len(data):
            raise DamagedImageError("the PNG's end chunk is missing")
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if end > len(data):
            raise DamagedImageError(f"the PNG's chunk {kind.decode('latin-1')} is cut off")
        (checksum,) = struct.unpack_from(">I", data, end - 4)
        if zlib.crc32(memoryview(data)[position + 4 : end - 4]) != checksum:
            raise DamagedImageError(f"the PNG's chunk {kind.decode('latin-1')} has a wrong checksum")
        if kind == b"IEND":
            return ImageHeader("PNG", height, width)
        position = end


def _inspect_bmp(data: bytes) -> ImageHeader:
    (offset,) = struct.unpack_from("<I", data, 10)
    (header_size,) = struct.unpack_from("<I", data, 14)
    if header_size == 12:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
        compression = stored = 0
    else:
        width, height, _, bits, compression, stored = struct.unpack_from("<iiHHII", data, 18)
    height = abs(height)  # negative: rows from top to bottom
    # run-length, JPEG and PNG payloads (1, 2, 4, 5) tell their size; plain rows are padded to four bytes
    needed = stored if compression in (1, 2, 4, 5) else (width * bits + 31) // 32 * 4 * height
    if offset + needed > len(data):
        raise DamagedImageError(f"{offset + needed - len(data)} of the BMP's {needed} pixel bytes are missing")
    return ImageHeader("BMP", height, width)


def _inspect_tiff(data: bytes) -> ImageHeader:
    order = "<" if data[:2] == b"II" else ">"
    (directory,) = struct.unpack_from(order + "I", data, 4)
    (entries,) = struct.unpack_from(order + "H", data, directory)
    tags: dict[int, tuple[int, ...]] = {}
    for entry in range(entries):
        tag, kind, count = struct.unpack_from(order + "HHI", data, directory + 2 + 12 * entry)
        position = directory + 2 + 12 * entry + 8
        length = count * _TIFF_TYPE_SIZES.get(kind, 1)
        if length > 4:  # the values lie elsewhere, the entry holds their place
            (position,) = struct.unpack_from(order + "I", data, position)
        if position + length > len(data):
            raise DamagedImageError(f"the values of the TIFF's tag {tag} are missing")
        if tag in (256, 257, 273, 279, 324, 325):  # sizes, strips, tiles
            tags[tag] = struct.unpack_from(f"{order}{count}{'H' if kind == 3 else 'I'}", data, position)
    if 256 not in tags or 257 not in tags:
        raise DamagedImageError("the TIFF's first directory has no image size")
    offsets = tags.get(273, tags.get(324, ()))
    lengths = tags.get(279, tags.get(325, ()))
    if any(offset + length > len(data) for offset, length in zip(offsets, lengths, strict=False)):
        raise DamagedImageError("some of the TIFF's pixel data are missing")
    return ImageHeader("TIFF", tags[257][0], tags[256][0])
