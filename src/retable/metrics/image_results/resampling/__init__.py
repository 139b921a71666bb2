"""Draws of images with replacement (the bootstrap). Only reports import this: no run depends on it."""

import hashlib

import numpy as np
from numpy.typing import NDArray

_AT_A_TIME = 256


def draw(images: int, draws: int, key: str) -> NDArray[np.uint8]:
    """Draws as many images as there are, many times.

    Args:
        images: Number of images I.
        draws: Number of draws.
        key: The same gives the same draws, others are independent.

    Returns:
        (I, 1 + draws) how often each image is in each draw; the first has each image once.
    """
    seed = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")
    random = np.random.default_rng(seed)
    counts = np.ones((images, 1 + draws), np.uint8)
    for first in range(0, draws, _AT_A_TIME):
        width = min(_AT_A_TIME, draws - first)
        places = random.integers(0, images, (width, images)) + images * np.arange(width)[:, None]
        drawn = np.bincount(places.ravel(), minlength=width * images).reshape(width, images)
        counts[:, 1 + first : 1 + first + width] = drawn.T
    return counts
