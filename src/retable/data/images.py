"""Reading images from files: always uint8 RGB, always whole, or a clear error."""

import io
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from retable.data import tiff
from retable.data.image_files import DamagedImageError, ImageHeader, inspect_image
from retable.errors import DataError

_DEPTHS = (8, 10, 12, 14, 16)  # bits a channel that cameras and scanners have
_ORIENTATION = 0x0112  # EXIF tag


def read_image(
    path: str | Path,
    bands: Sequence[int] | None = None,
    value_range: Sequence[float] | None = None,
    upright: bool = False,
) -> npt.NDArray[np.uint8]:
    """Reads an image file as RGB.

    Grey images get three equal channels, palettes are expanded, an alpha channel is dropped (the colour under
    it stays), of 16-bit channels the high byte is taken: a fixed scale, so that the brightness of an image
    never depends on what else it shows. The pixels are returned as they are stored, because annotations count
    stored pixels, unless the image is wanted upright.

    Args:
        path: A JPEG, PNG, BMP, TIFF or any other file that OpenCV decodes.
        bands: The bands that become red, green and blue, or the one that becomes grey, counted from 1. None takes the
            colours, and refuses a TIFF that has neither one, three nor four bands.
        value_range: The values that become 0 and 255; what lies beyond is clipped. None takes 8 and 16 bits as above,
            and refuses other types.
        upright: Whether an EXIF orientation is applied, as viewers do.

    Returns:
        uint8 array of shape (H, W, 3), channels in RGB order, contiguous.

    Raises:
        DataError: The file is missing, empty, cut off, damaged, not an image, or has not such bands or values. The
            message names it.
    """
    path = Path(path)
    data = _read_bytes(path)
    header = _inspect(path, data)
    image = _decode_bands(path, data, bands) if header is not None and header.format == "TIFF" else None
    if image is None:
        image = _decode_stored(path, data, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION)
        image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB, dst=image)
        image = image if bands is None else image[..., _chosen(path, bands, 3)]
    if value_range is not None:
        image = _scaled(path, image, value_range)
    elif image.dtype == np.uint16:
        image = (image >> 8).astype(np.uint8)
    if image.dtype != np.uint8:
        raise DataError(
            f"{path}: pixels of type {image.dtype}; say which values are black and white, data.range=[LOW,HIGH], or "
            "convert the image to 8 or 16 bits"
        )
    return _turned(image, _orientation(data) if upright else 1)


def _decode_bands(path: Path, data: bytes, bands: Sequence[int] | None) -> npt.NDArray[Any] | None:
    """Decodes a TIFF as (H, W, 3) of its own type; None where OpenCV knows better: colours of whole numbers."""
    directory = tiff.Directory(io.BytesIO(data))
    if directory.bits <= 16 and (directory.bands in (1, 3) or (directory.bands == 4 and bands is None)):
        return None
    if bands is None and directory.bands in (1, 3, 4):
        bands = (1,) if directory.bands == 1 else (1, 2, 3)
    elif bands is None:
        raise DataError(
            f"{path}: {directory.bands} bands; say which are red, green and blue, such as data.bands=[3,2,1]"
        )
    image = directory.decode()
    if image is None:
        raise DataError(f"{path}: its {directory.bands} bands cannot be decoded; convert the image to PNG or JPEG")
    return image[..., _chosen(path, bands, image.shape[2])]


def _chosen(path: Path, bands: Sequence[int], count: int) -> list[int]:
    """Three indices of bands."""
    if len(bands) not in (1, 3) or not all(1 <= band <= count for band in bands):
        raise DataError(f"{path}: data.bands={list(bands)}: must be one or three numbers from 1 to {count}")
    return [band - 1 for band in bands] * (3 // len(bands))


def _scaled(path: Path, image: npt.NDArray[Any], value_range: Sequence[float]) -> npt.NDArray[np.uint8]:
    if not np.isfinite(image).all():
        raise DataError(f"{path}: some pixels are no numbers (NaN or infinite); give them a value")
    low, high = value_range
    values = image.clip(low, high) if image.dtype.kind == "f" else image  # float64 may hold more than float32
    scaled = np.rint((values.astype(np.float32) - low) * (255 / (high - low))).clip(0, 255)
    return np.asarray(scaled, dtype=np.uint8)


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
    if header is not None and header.format == "TIFF" and tiff.Directory(io.BytesIO(data)).bands not in (1, 3, 4):
        raise DataError(f"{path}: neither one, three nor four bands; convert the image to PNG or JPEG")
    stored = _decode_stored(path, data, cv2.IMREAD_UNCHANGED)
    deep = stored.dtype == np.uint16
    if not deep:
        _check_depth(path, stored)
    if stored.ndim < 3 or stored.shape[2] != 4:
        if not deep:
            return _decode(path, data, cv2.IMREAD_COLOR)
        colours = _used_byte(_decode_stored(path, data, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH))
        return np.asarray(cv2.cvtColor(colours, cv2.COLOR_BGR2RGB), dtype=np.uint8)
    if deep:
        stored = _used_byte(stored)
    alpha = stored[..., 3:].astype(np.float32) / 255
    shown = np.rint(stored[..., 2::-1] * alpha + 255 * (1 - alpha)).astype(np.uint8)
    # OpenCV turns what it converts to colours, and TIFF always, but nothing else that it leaves unchanged
    return shown if header is not None and header.format == "TIFF" else _turned(shown, _orientation(data))


def read_prepared_image(
    path: str | Path, prepare: Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.uint8]]
) -> npt.NDArray[np.uint8]:
    """Reads an image file as `read_shown_image`, and prepares it for a network.

    Args:
        path: As of `read_image`.
        prepare: What is done with the image; its DataError tells what is wrong with it.

    Raises:
        DataError: As in `read_image`, or of `prepare`; the message names the file.
    """
    image = read_shown_image(path)
    try:
        return prepare(image)
    except DataError as error:
        raise DataError(f"{path}: {error}") from None


def image_size(path: str | Path) -> tuple[int, int]:
    """Reads the size of an image, and checks that its file is whole, without decoding pixels.

    Args:
        path: An image file. Formats other than JPEG, PNG, BMP and TIFF are decoded after all.

    Returns:
        Height and width in stored pixels, the shape that `read_image` returns.

    Raises:
        DataError: As in `read_image`.
    """
    header = image_header(path)
    return header.height, header.width


def image_header(path: str | Path) -> ImageHeader:
    """Reads what `image_size` does, with format and bits of a channel, which are "" and 8 where OpenCV alone knows.

    Raises:
        DataError: As in `read_image`.
    """
    data = _read_bytes(Path(path))
    header = _inspect(Path(path), data)
    return ImageHeader("", *_decode(Path(path), data).shape[:2]) if header is None else header


def _read_bytes(path: Path) -> bytes:
    try:
        if not stat.S_ISREG(path.stat().st_mode) and not path.is_dir():
            raise DataError(f"{path}: a pipe, socket or device, not an image file")  # to open it might never end
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
