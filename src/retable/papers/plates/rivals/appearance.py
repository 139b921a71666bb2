"""How much a box looks like a plate to image processing alone."""

import cv2
import numpy as np
import numpy.typing as npt

from retable.detection.transforms import Image, resized

Numbers = npt.NDArray[np.float64]

_SIDE = 360  # pixels of the longer side at which edges are measured
_AROUND = 0.35  # what counts as a box's surroundings, in its heights
_LUMINANCE = np.array([0.299, 0.587, 0.114])
_USUAL_ASPECT = 1.1  # logarithm of width by height, of 3
_WEIGHTS = np.array([1.0, 3.7, 5.3, 1.1, -3.85, 1.4, -0.8])
_BIAS = -8.3


def plausibility(image: Image, boxes: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Tells how much boxes look like plates, by a rule without memory: no photograph has a part in it.

    The rule adds up what `appearance` measures. Its weights are those of a logistic regression on proposals in 250
    generated training scenes, rounded.

    Args:
        image: uint8 (H, W, 3) RGB.
        boxes: (N, 4), x1, y1, x2, y2 in pixels.

    Returns:
        float32 (N,) from 0 to 1; no calibrated probabilities.
    """
    if not len(boxes):
        return np.zeros(0, np.float32)
    decision = appearance(image, boxes) @ _WEIGHTS + _BIAS
    scores: npt.NDArray[np.float32] = (1 / (1 + np.exp(-decision))).astype(np.float32)
    return scores


def appearance(image: Image, boxes: npt.NDArray[np.float32]) -> Numbers:
    """Measures what plates have and most other things have not.

    Args:
        image: uint8 (H, W, 3) RGB.
        boxes: (N, 4), x1, y1, x2, y2 in pixels.

    Returns:
        (N, 7): vertical edges against those around (logarithm); horizontal edges in a height, in units of the contrast
        (logarithm): how many lines the letters have; brightness and distance of colour (of red, green and blue) from
        what is around, as parts of full scale; squared distance of the proportions from 3 to 1 (logarithm); contrast
        and height (logarithms).
    """
    height, width = image.shape[:2]
    factor = _SIDE / max(height, width)
    scaled = resized(image, max(1, round(height * factor)), max(1, round(width * factor)))
    places = boxes * np.tile([scaled.shape[1] / width, scaled.shape[0] / height], 2)
    sizes = places[:, 2:] - places[:, :2]
    around = places + _AROUND * sizes[:, 1:] * [-1, -1, 1, 1]
    inner, outer = _Sums(scaled).of(np.stack([places, around]))
    inside, outside = _means(inner), _means(outer - inner)
    brightness, brightness_outside = inside[:, :3] @ _LUMINANCE, outside[:, :3] @ _LUMINANCE
    contrast = np.log(2 + np.sqrt(np.maximum(inside[:, 3] - brightness**2, 0)))
    across, down, across_outside = np.log(2 + inside[:, 4]), np.log(2 + inside[:, 5]), np.log(2 + outside[:, 4])
    tall = np.log(0.1 + sizes[:, 1] / 10)
    return np.stack(
        [
            across - across_outside,
            down + tall - contrast,
            (brightness - brightness_outside) / 255,
            np.linalg.norm(inside[:, :3] - outside[:, :3], axis=1) / 255,
            (np.log(np.maximum(sizes[:, 0], 1) / np.maximum(sizes[:, 1], 1)) - _USUAL_ASPECT) ** 2,
            contrast,
            tall,
        ],
        axis=1,
    )


def edge_energy(grey: npt.NDArray[np.uint8], across: bool) -> npt.NDArray[np.uint8]:
    """Returns the strength of vertical (across) or horizontal edges of an image (H, W), a quarter of Sobel's value."""
    derivative = cv2.Sobel(cv2.GaussianBlur(grey, (3, 3), 0), cv2.CV_16S, int(across), int(not across))
    return np.asarray(cv2.convertScaleAbs(derivative, alpha=0.25), np.uint8)


class _Sums:
    """Sums over boxes of red, green, blue, squared brightness, vertical and horizontal edge energy, and of pixels."""

    def __init__(self, image: Image) -> None:
        grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
        planes = np.ones((*grey.shape, 7), np.float32)
        planes[..., :3], planes[..., 3] = image, grey.astype(np.float32) ** 2
        planes[..., 4], planes[..., 5] = edge_energy(grey, across=True), edge_energy(grey, across=False)
        self._integral = np.asarray(cv2.integral(planes, sdepth=cv2.CV_64F))

    def of(self, boxes: Numbers) -> Numbers:
        """Returns (..., 7) of boxes (..., 4), rounded to whole pixels, of their parts inside the image."""
        height, width = (side - 1 for side in self._integral.shape[:2])
        x1, y1, x2, y2 = np.moveaxis(np.rint(boxes).astype(int).clip(0, [width, height, width, height]), -1, 0)
        table = self._integral
        sums: Numbers = table[y2, x2] - table[y1, x2] - table[y2, x1] + table[y1, x1]
        return sums


def _means(sums: Numbers) -> Numbers:
    """Returns (N, 6) per pixel."""
    return sums[:, :6] / np.maximum(sums[:, 6:], 1)
