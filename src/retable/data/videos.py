"""Reading videos frame by frame, or a clear error."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from retable.errors import DataError

VIDEO_SUFFIXES = frozenset({".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm"})
"""File name endings, in lower case, that are taken for videos."""

_LARGEST_RATE = 240.0  # what is above is a unit of time, not a rate
_USUAL_RATE = 25.0  # frames a second, where a file tells none
_COUNT_ERROR = 0.02  # some containers tell a duration only, of which the number of frames is an estimate


@dataclass(frozen=True)
class Frame:
    """A frame of a video.

    Attributes:
        number: Counted from 0, whichever frames are read.
        seconds: Its time in the video.
        image: uint8 (H, W, 3) RGB.
    """

    number: int
    seconds: float
    image: npt.NDArray[np.uint8]


class Video:
    """An opened video.

    Attributes:
        rate: Frames a second.

    Raises:
        DataError: The file cannot be opened as a video.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
        if not self._capture.isOpened():
            raise DataError(f"{path}: cannot be opened as a video; restore it from its source, or convert it to MP4")
        told = self._number(cv2.CAP_PROP_FPS)
        self.rate = told if 0 < told <= _LARGEST_RATE else _USUAL_RATE
        self._told = round(self._number(cv2.CAP_PROP_FRAME_COUNT))

    def frames(self, every: int = 1) -> Iterator[Frame]:
        """Yields the frames 0, `every`, 2 `every` and so on, once.

        Raises:
            DataError: At the end: there were fewer frames than the file tells, or none.
        """
        number = 0
        while self._capture.grab():
            if number % every == 0:
                milliseconds = self._number(cv2.CAP_PROP_POS_MSEC)
                whole, image = self._capture.retrieve()
                if not whole:
                    break
                seconds = milliseconds / 1000 or number / self.rate
                yield Frame(number, round(seconds, 3), np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8))
            number += 1
        self._capture.release()
        if number == 0 or number < self._told - max(2, _COUNT_ERROR * self._told):
            raise DataError(
                f"{self.path}: the video ends early, after {number} of {max(self._told, 1)} frames; restore it from "
                "its source"
            )

    def _number(self, key: int) -> float:
        value: Any = self._capture.get(key)
        return float(value) if np.isfinite(value) and value > 0 else 0.0


def is_video(path: Path) -> bool:
    """Tells whether a file is taken for a video, by its ending."""
    return path.suffix.lower() in VIDEO_SUFFIXES


class VideoWriter:
    """Writes frames of one size as MP4.

    Args:
        path: The file.
        rate: Frames a second.
        size: Height and width in pixels.

    Raises:
        OSError: The file cannot be written.
    """

    def __init__(self, path: Path, rate: float, size: tuple[int, int]) -> None:
        fourcc = cv2.VideoWriter.fourcc(*"mp4v")
        self._writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, fourcc, rate, size[::-1])
        if not self._writer.isOpened():
            raise OSError(None, "the video cannot be written", str(path))

    def write(self, image: npt.NDArray[np.uint8]) -> None:
        """Adds a frame, uint8 (H, W, 3) RGB."""
        self._writer.write(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))

    def close(self) -> None:
        """Completes the file."""
        self._writer.release()
