"""From a crop of any size to the square that networks see."""

import cv2
import numpy as np

from retable.classification.subject import Image


def to_square(image: Image, size: int) -> Image:
    """Stretches an image (H, W, 3) to (size, size, 3), as the paper's input of 224 x 224 does: nothing is wasted."""
    if image.shape[:2] == (size, size):
        return image
    method = cv2.INTER_AREA if min(image.shape[:2]) > size else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (size, size), interpolation=method), np.uint8)
