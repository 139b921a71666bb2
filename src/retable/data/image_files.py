"""Image files without decoding: their format, their size, and whether they are whole.

OpenCV decodes a JPEG or BMP that ends too early without complaint and fills the rest with grey or black, and its PNG
and TIFF decoders do so in part. A damaged download would become training data. So Pillow reads the header of each file
first, and the places at which it says that the pixels lie must be there.
"""

import io
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

from PIL.BmpImagePlugin import BmpImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from retable.data import tiff

_PNG_END = b"IEND\xaeB`\x82"  # the last chunk with its checksum


class ImageHeader(NamedTuple):
    """What the header of an image file tells: format name, height and width in pixels, bits of a channel."""

    format: str
    height: int
    width: int
    bits: int = 8


class DamagedImageError(Exception):
    """The bytes are an image of a known format, but not a whole one. The message says what is missing."""


def inspect_image(data: bytes) -> ImageHeader | None:
    """Reads the header of an encoded image and checks that the file is whole.

    Args:
        data: The whole file.

    Returns:
        Format, height and width, or None where the format is not JPEG, PNG, BMP or TIFF (left to the decoder). Sizes
        are those of the stored pixels: an EXIF orientation is not applied.

    Raises:
        DamagedImageError: The file ends too early or a checksum is wrong.
    """
    for signature, reader, problem_of in _FORMATS:
        if data.startswith(signature):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of metadata that are no concern here
                try:
                    image = reader(io.BytesIO(data))
                except Exception as error:  # Pillow has errors of every kind for headers that it cannot read
                    raise DamagedImageError(f"its header cannot be read ({error})") from error
            problem = problem_of(image, data)
            if problem is not None:
                raise DamagedImageError(problem)
            bits = getattr(image, "bits", data[24] if image.format == "PNG" else 8)
            return ImageHeader(str(image.format), image.height, image.width, bits)
    return None


def _jpeg_problem(image: Any, data: bytes) -> str | None:
    # Pillow stops after the header of the first scan: an end marker before belongs to a thumbnail in EXIF
    return None if data.find(b"\xff\xd9", image.fp.tell()) >= 0 else "the JPEG's end-of-image marker is missing"


def _png_problem(image: Any, data: bytes) -> str | None:
    try:
        image.verify()  # all chunks and their checksums, but for the last one's
    except Exception as error:
        return f"{error}"
    return None if _PNG_END in data else "the PNG's end chunk is missing"


def _bmp_problem(image: Any, data: bytes) -> str | None:
    codec, _, offset, arguments = image.tile[0]
    needed = arguments[1] * image.height if codec == "raw" else int.from_bytes(data[34:38], "little")
    missing = offset + needed - len(data)
    return f"{missing} of the BMP's {needed} pixel bytes are missing" if missing > 0 else None


def _tiff_problem(image: tiff.Directory, data: bytes) -> str | None:
    if any(offset + length > len(data) for offset, length in image.parts):
        return "some of the TIFF's pixel data are missing"
    return None


_FORMATS: tuple[tuple[bytes, Callable[[io.BytesIO], Any], Callable[[Any, bytes], str | None]], ...] = (
    (b"\xff\xd8\xff", JpegImageFile, _jpeg_problem),
    (b"\x89PNG\r\n\x1a\n", PngImageFile, _png_problem),
    (b"BM", BmpImageFile, _bmp_problem),
    (b"II*\0", tiff.Directory, _tiff_problem),
    (b"MM\0*", tiff.Directory, _tiff_problem),
)
