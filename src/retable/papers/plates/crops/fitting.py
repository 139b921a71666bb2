"""From a crop of any size to the one shape that a network sees."""

import cv2
import numpy as np

from retable.classification.subject import Image


def fit_into(image: Image, width: int, height: int, fit: str) -> Image:
    """Fits an image (H, W, 3) into (height, width, 3).

    Args:
        image: uint8 RGB.
        width: In pixels.
        height: Likewise.
        fit: ``stretch`` changes the proportions and wastes nothing; ``pad`` keeps them, which tell a good part of the
            country, and fills the rest with the mean colour.
    """
    given = image.shape[:2]
    rows, columns = height, width
    if fit == "pad":
        factor = min(height / given[0], width / given[1])
        rows, columns = max(1, round(given[0] * factor)), max(1, round(given[1] * factor))
    method = cv2.INTER_AREA if min(given) > min(rows, columns) else cv2.INTER_LINEAR
    fitted = np.asarray(cv2.resize(image, (columns, rows), interpolation=method), np.uint8)
    if (rows, columns) == (height, width):
        return fitted
    top, left = (height - rows) // 2, (width - columns) // 2
    edges = top, height - rows - top, left, width - columns - left
    paper = [round(value) for value in cv2.mean(fitted)[:3]]
    return np.asarray(cv2.copyMakeBorder(fitted, *edges, cv2.BORDER_CONSTANT, value=paper), np.uint8)
