"""Reading images from files: always uint8 RGB, always whole, or a clear error."""

import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from retable.data.image_files import DamagedImageError, ImageHeader, inspect_image
from retable.errors import DataError

_DEPTHS = (8, 10, 12, 14, 16)  # bits a channel that cameras and scanners have
_ORIENTATION = 0x0112  # EXIF tag


def read_image(path: str | Path) -> npt.NDArray[np.uint8]:
    """Reads an image file as RGB.

    Grey images get three equal channels, palettes are expanded, an alpha channel is dropped (the colour under
    it stays), of 16-bit channels the high byte is taken: a fixed scale, so that the brightness of an image
    never depends on what else it shows. The pixels are returned as they are stored: an EXIF orientation is
    not applied, because annotations count stored pixels.

    Args:
        path: A JPEG, PNG, BMP, TIFF or any other file that OpenCV decodes.

    Returns:
        uint8 array of shape (H, W, 3), channels in RGB order, contiguous.

    Raises:
        DataError: The file is missing, empty, cut off, damaged or not an image. The message names it.
    """
    data = _read_bytes(Path(path))
    _inspect(Path(path), data)
    return _decode(Path(path), data)


def read_shown_image(path: str | Path) -> npt.NDArray[np.uint8]:
    """Reads an image file as a viewer shows it on white paper, for images that are looked at as a whole.

    As `read_image`, but what is transparent shows white, and an EXIF orientation is applied. Of 16-bit channels the
    bits in use count (8, 10, 12, 14 or 16 of them): files of 16 bits often hold the fewer of a camera or a scanner,
    whose high byte would be black.

    Args:
        path: As of `read_image`.

    Returns:
        uint8 array of shape (H, W, 3), channels in RGB order.

    Raises:
        DataError: As in `read_image`.
    """
    path = Path(path)
    data = _read_bytes(path)
    header = _inspect(path, data)
    if header is not None and header.format == "JPEG":
        return _decode(path, data, cv2.IMREAD_COLOR)
    stored = _decode_stored(path, data, cv2.IMREAD_UNCHANGED)
    deep = stored.dtype == np.uint16
    if stored.ndim < 3 or stored.shape[2] != 4:
        if not deep:
            return _decode(path, data, cv2.IMREAD_COLOR)
        colours = _used_byte(_decode_stored(path, data, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH))
        return np.asarray(cv2.cvtColor(colours, cv2.COLOR_BGR2RGB), dtype=np.uint8)
    if deep:
        stored = _used_byte(stored)
    _check_depth(path, stored)
    alpha = stored[..., 3:].astype(np.float32) / 255
    shown = np.rint(stored[..., 2::-1] * alpha + 255 * (1 - alpha)).astype(np.uint8)
    # OpenCV turns what it converts to colours, and TIFF always, but nothing else that it leaves unchanged
    return shown if header is not None and header.format == "TIFF" else _turned(shown, _orientation(data))


def image_size(path: str | Path) -> tuple[int, int]:
    """Reads the size of an image, and checks that its file is whole, without decoding pixels.

    Args:
        path: An image file. Formats other than JPEG, PNG, BMP and TIFF are decoded after all.

    Returns:
        Height and width in stored pixels, the shape that `read_image` returns.

    Raises:
        DataError: As in `read_image`.
    """
    data = _read_bytes(Path(path))
    header = _inspect(Path(path), data)
    if header is not None:
        return header.height, header.width
    height, width = _decode(Path(path), data).shape[:2]
    return height, width


def _read_bytes(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path}: no such image file") from None
    except IsADirectoryError:
        raise DataError(f"{path}: is a folder, not an image file") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check the file and its permissions") from None
    if not data:
        raise DataError(f"{path}: the image file is empty (0 bytes); restore it from its source")
    return data


def _inspect(path: Path, data: bytes) -> ImageHeader | None:
    try:
        return inspect_image(data)
    except DamagedImageError as error:
        raise DataError(
            f"{path}: the image file is truncated or damaged: {error}; restore it from its source"
        ) from None


def _decode(
    path: Path, data: bytes, mode: int = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
) -> npt.NDArray[np.uint8]:
    image = _decode_stored(path, data, mode)
    _check_depth(path, image)
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB, dst=image), dtype=np.uint8)


def _decode_stored(path: Path, data: bytes, mode: int) -> npt.NDArray[Any]:
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), mode)
    except cv2.error as error:  # among others: more pixels than OpenCV accepts
        raise DataError(f"{path}: cannot be decoded: {' '.join(str(error).split())}") from None
    if image is None:
        raise DataError(f"{path}: not an image that OpenCV can decode; convert it to PNG or JPEG")
    return np.asarray(image)


def _check_depth(path: Path, image: npt.NDArray[Any]) -> None:
    if image.dtype != np.uint8:
        raise DataError(f"{path}: channels of type {image.dtype}; convert the image to 8 or 16 bits a channel")


def _used_byte(image: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint8]:
    """The upper eight of the bits in use."""
    used = next(bits for bits in _DEPTHS if int(image.max()) < 1 << bits)
    return (image >> (used - 8)).astype(np.uint8)


def _orientation(data: bytes) -> int:
    try:
        with Image.open(io.BytesIO(data)) as image:
            return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # Pillow has errors of every kind for formats and metadata that it cannot read
        return 1


def _turned(image: npt.NDArray[np.uint8], orientation: int) -> npt.NDArray[np.uint8]:
    if orientation in (5, 6, 7, 8):
        image = image.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    return np.ascontiguousarray(image)
