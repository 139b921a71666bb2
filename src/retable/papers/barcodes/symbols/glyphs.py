"""The digits below the bars, drawn with OpenCV's own letters."""

from __future__ import annotations

from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

_LETTERS = (
    cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_PLAIN, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX,
)  # fmt: skip
FONTS: Final = 2 * len(_LETTERS)
_HEIGHT, _WIDTH = 36, 28


@cache
def glyphs(font: int) -> NDArray[np.float32]:
    """Returns the digits of one of `FONTS` fonts: (10, 36, 28), 1 where there is ink."""
    letters, bold = _LETTERS[font // 2], font % 2
    found = np.zeros((10, _HEIGHT, _WIDTH), np.uint8)
    scale = 30.0 / cv2.getTextSize("0", letters, 1.0, 1)[0][1]
    for digit in range(10):
        width = cv2.getTextSize(str(digit), letters, scale, 3 + 2 * bold)[0][0]
        place = ((_WIDTH - width) // 2, _HEIGHT - 3)
        cv2.putText(found[digit], str(digit), place, letters, scale, 255, 3 + 2 * bold, cv2.LINE_AA)
    return np.asarray(found / 255, np.float32)
