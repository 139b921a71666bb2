"""From a crop of any size to the square that networks see."""

import cv2
import numpy as np

from retable.classification.subject import Image


def to_square(image: Image, size: int, fit: str) -> Image:
    """Fits an image (H, W, 3) into (size, size, 3).

    Args:
        image: uint8 RGB.
        size: Side of the square in pixels.
        fit: ``stretch`` changes the proportions and wastes nothing; ``pad`` keeps them, which tell a good part of the
            country, and fills the rest with the mean colour.
    """
    height, width = image.shape[:2]
    if fit == "pad":
        factor = size / max(height, width)
        height, width = max(1, round(height * factor)), max(1, round(width * factor))
    else:
        height = width = size
    method = cv2.INTER_AREA if min(image.shape[:2]) > min(height, width) else cv2.INTER_LINEAR
    fitted = np.asarray(cv2.resize(image, (width, height), interpolation=method), np.uint8)
    if (height, width) == (size, size):
        return fitted
    top, left = (size - height) // 2, (size - width) // 2
    edges = top, size - height - top, left, size - width - left
    paper = [round(value) for value in cv2.mean(fitted)[:3]]
    return np.asarray(cv2.copyMakeBorder(fitted, *edges, cv2.BORDER_CONSTANT, value=paper), np.uint8)
