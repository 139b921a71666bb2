"""Training augmentation: flips, rotation, scaling and cropping as one affine warp of image and boxes.

One warp means one interpolation, and no ship is lost to an intermediate border. Where the warp reaches beyond
the image, it sees the image's mean colour: reflected borders would show mirrored ships that no box marks.
"""

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from retable.boxes import transform_boxes
from retable.detection.visibility import DROP_VISIBLE, KEEP_VISIBLE, visible_objects
from retable.errors import ConfigError
from retable.papers.larsd.datasets.base import Target

Image = npt.NDArray[np.uint8]


class Window(NamedTuple):
    """A rectangle of an image in whole pixels."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Augmentation:
    """What varies from one sight of a training image to the next.

    The paper names flipping, random rotation and random cropping; brightness and contrast are off there.

    Attributes:
        horizontal_flip: probability of mirroring left and right.
        vertical_flip: probability of mirroring top and bottom.
        rotation_degrees: the angle is drawn from -rotation_degrees to rotation_degrees; 180 covers all
        headings. scale: the magnification is drawn from this range, even in its logarithm.
        brightness: an offset is drawn from -brightness to brightness, as a part of full scale.
        contrast: the contrast is multiplied by 1 - contrast to 1 + contrast, about the mean colour.
        keep_visible: see `retable.detection.visibility`.
        drop_visible: see `retable.detection.visibility`.
    """

    horizontal_flip: float = 0.5
    vertical_flip: float = 0.5
    rotation_degrees: float = 180.0
    scale: tuple[float, float] = (0.8, 1.25)
    brightness: float = 0.0
    contrast: float = 0.0
    keep_visible: float = KEEP_VISIBLE
    drop_visible: float = DROP_VISIBLE

    def __post_init__(self) -> None:
        for name in (
            "horizontal_flip",
            "vertical_flip",
            "brightness",
            "contrast",
            "keep_visible",
            "drop_visible",
        ):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise ConfigError(f"augment.{name}={value}: must be from 0 to 1")
        if not 0 <= self.rotation_degrees <= 180:
            raise ConfigError(f"augment.rotation_degrees={self.rotation_degrees}: must be from 0 to 180")
        low, high = self.scale
        if not 0 < low <= high:
            raise ConfigError(f"augment.scale={list(self.scale)}: must be two positive numbers, the smaller first")


class Warp(NamedTuple):
    """A drawn augmentation.

    Attributes:
        matrix: float64 (2, 3), maps source points to output points, both continuous with pixel centres at
        +0.5. brightness: offset on the scale of 0 to 255.
        contrast: factor about the mean colour.
    """

    matrix: npt.NDArray[np.float64]
    brightness: float
    contrast: float


def draw_warp(augmentation: Augmentation, window: Window, size: int, generator: np.random.Generator) -> Warp:
    """Draws an augmentation.

    The output square looks at the window. Along each axis of the window its centre moves by as much as keeps
    the smaller of the two, window or view, inside the larger: a random crop where the window is larger than
    the view, a random place in the view where it is smaller.

    Args:
        augmentation: the ranges.
        window: the part of the image to look at.
        size: side of the square output in pixels.
        generator: where chance comes from. Seven numbers are drawn, whatever the ranges are.

    Returns:
        The warp.
    """
    flip_x, flip_y, turn, zoom, *shift = generator.random(6)
    tone = generator.random(2)
    angle = np.deg2rad(augmentation.rotation_degrees) * (2 * turn - 1)
    low, high = np.log(augmentation.scale)
    scale = float(np.exp(low + (high - low) * zoom))
    slack = np.abs(np.array([window.width, window.height]) - size / scale) / 2
    centre = np.array([window.x + window.width / 2, window.y + window.height / 2]) + slack * (2 * np.array(shift) - 1)
    cosine, sine = np.cos(angle), np.sin(angle)
    linear = scale * np.array([[cosine, -sine], [sine, cosine]])
    linear[:, 0] *= -1 if flip_x < augmentation.horizontal_flip else 1
    linear[:, 1] *= -1 if flip_y < augmentation.vertical_flip else 1
    offset = size / 2 - linear @ centre
    return Warp(
        np.column_stack([linear, offset]),
        float(255 * augmentation.brightness * (2 * tone[0] - 1)),
        float(1 + augmentation.contrast * (2 * tone[1] - 1)),
    )


def plain_warp(window: Window) -> Warp:
    """Returns the warp that moves a window's upper left corner to the output's and changes nothing else."""
    return Warp(np.array([[1.0, 0.0, -window.x], [0.0, 1.0, -window.y]]), 0.0, 1.0)


def apply_warp(image: Image, target: Target, warp: Warp, size: int, augmentation: Augmentation) -> tuple[Image, Target]:
    """Warps an image and its boxes.

    Args:
        image: uint8 (H, W, 3).
        target: its boxes (N, 5), labels (N,), difficult (N,).
        warp: what `draw_warp` returned.
        size: side of the output in pixels.
        augmentation: for the thresholds of the visibility rule.

    Returns:
        The output, uint8 (size, size, 3), and its target: boxes that the output shows too little of are left
        out or marked difficult as `retable.detection.visibility` says.
    """
    mean = mean_colour(image)
    matrix = warp.matrix
    shifted = matrix.copy()
    # OpenCV counts pixel centres at whole numbers: A (x + 0.5) + t - 0.5
    shifted[:, 2] += matrix[:, :2].sum(axis=1) / 2 - 0.5
    output = cv2.warpAffine(
        image, shifted, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=mean
    )
    if warp.brightness or warp.contrast != 1:
        levels = np.arange(256, dtype=np.float64)[:, None]
        table = (levels - mean) * warp.contrast + mean + warp.brightness
        output = cv2.LUT(output, np.clip(np.rint(table), 0, 255).astype(np.uint8).reshape(1, 256, 3))
    return np.asarray(output, dtype=np.uint8), _warp_target(target, matrix, size, augmentation)


def _warp_target(target: Target, matrix: npt.NDArray[np.float64], size: int, augmentation: Augmentation) -> Target:
    if not len(target["boxes"]):
        return target
    boxes = transform_boxes(torch.from_numpy(target["boxes"]), torch.from_numpy(matrix)).numpy()
    kept, difficult = visible_objects(
        boxes, target["difficult"], size, size, augmentation.keep_visible, augmentation.drop_visible
    )
    return {"boxes": boxes[kept].astype(np.float32), "labels": target["labels"][kept], "difficult": difficult}


def mean_colour(image: Image) -> tuple[float, float, float]:
    """Returns the mean colour of an image on the scale of 0 to 255, rounded, from every eighth pixel each way."""
    red, green, blue = np.rint(image[::8, ::8].reshape(-1, 3).mean(axis=0))
    return float(red), float(green), float(blue)


def to_tensor(image: Image) -> Tensor:
    """Converts an image, uint8 (H, W, 3), to a float32 tensor (3, H, W) in [0, 1]."""
    planes = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)
    return planes.to(torch.float32, memory_format=torch.contiguous_format).mul_(1 / 255)


def letterbox(image: Tensor, height: int, width: int) -> Tensor:
    """Pads an image at its right and bottom, so that coordinates stay as they are.

    Args:
        image: (3, h, w), h and w at most height and width.
        height: height of the result in pixels.
        width: width of the result in pixels.

    Returns:
        (3, height, width), the added part in the image's mean colour; the image itself where nothing is
        added.

    Raises:
        ValueError: the image is larger than the result.
    """
    h, w = image.shape[-2:]
    if h > height or w > width:
        raise ValueError(f"an image of {w} x {h} does not fit into {width} x {height}")
    if (h, w) == (height, width):
        return image
    padded = image[:, ::8, ::8].mean(dim=(1, 2))[:, None, None].expand(-1, height, width).contiguous()
    padded[:, :h, :w] = image
    return padded
