"""Training augmentation: flips, rotation, scaling and cropping as one affine warp of image and boxes.

One warp means one interpolation, and no object is lost to an intermediate border. Where the warp reaches beyond the
image, it sees the image's mean colour: reflected borders would show mirrored objects that no box marks.
"""

from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from retable.boxes import format_of
from retable.detection.schema import AugmentConfig
from retable.detection.visibility import visible_objects

Image = npt.NDArray[np.uint8]

Target = dict[str, npt.NDArray[Any]]
"""boxes float32 (N, 5) rotated and canonical or (N, 4) axis-aligned, labels int64 (N,), difficult bool (N,).

Where they are known, corners float32 (N, 4, 2), clockwise from the object's own top left."""


class Window(NamedTuple):
    """A rectangle of an image in whole pixels."""

    x: int
    y: int
    width: int
    height: int


class Warp(NamedTuple):
    """A drawn augmentation.

    Attributes:
        matrix: float64 (2, 3), maps source points to output points, both continuous with pixel centres at +0.5.
        brightness: Offset on the scale of 0 to 255.
        contrast: Factor about the mean colour.
    """

    matrix: npt.NDArray[np.float64]
    brightness: float
    contrast: float


def draw_warp(config: AugmentConfig, window: Window, size: int, generator: np.random.Generator) -> Warp:
    """Draws an augmentation.

    The output square looks at the window. Along each axis of the window its centre moves by as much as keeps the
    smaller of the two, window or view, inside the larger: a random crop where the window is larger than the view, a
    random place in the view where it is smaller.

    Args:
        config: The ranges.
        window: The part of the image to look at.
        size: Side of the square output in pixels.
        generator: Where chance comes from. Eight numbers are drawn, whatever the ranges are.
    """
    flip_x, flip_y, turn, zoom, *shift = generator.random(6)
    tone = generator.random(2)
    angle = np.deg2rad(config.rotation_degrees) * (2 * turn - 1)
    low, high = np.log(config.scale)
    scale = float(np.exp(low + (high - low) * zoom))
    slack = np.abs(np.array([window.width, window.height]) - size / scale) / 2
    centre = np.array([window.x + window.width / 2, window.y + window.height / 2]) + slack * (2 * np.array(shift) - 1)
    cosine, sine = np.cos(angle), np.sin(angle)
    linear = scale * np.array([[cosine, -sine], [sine, cosine]])
    linear[:, 0] *= -1 if flip_x < config.horizontal_flip else 1
    linear[:, 1] *= -1 if flip_y < config.vertical_flip else 1
    offset = size / 2 - linear @ centre
    return Warp(
        np.column_stack([linear, offset]),
        float(255 * config.brightness * (2 * tone[0] - 1)),
        float(1 + config.contrast * (2 * tone[1] - 1)),
    )


def plain_warp(window: Window) -> Warp:
    """Returns the warp that moves a window's upper left corner to the output's and changes nothing else."""
    return Warp(np.array([[1.0, 0.0, -window.x], [0.0, 1.0, -window.y]]), 0.0, 1.0)


def apply_warp(image: Image, target: Target, warp: Warp, size: int) -> tuple[Image, Target]:
    """Warps an image, uint8 (H, W, 3), and its boxes.

    Returns:
        The output, uint8 (size, size, 3), and its target: boxes that the output shows too little of are left out or
        marked difficult as `retable.detection.visibility` says.
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
    boxes = torch.from_numpy(target["boxes"])
    warped = format_of(boxes).transformed(boxes, torch.from_numpy(matrix)).numpy()
    kept, difficult = visible_objects(warped, target["difficult"], size, size)
    shown = {"boxes": warped[kept].astype(np.float32), "labels": target["labels"][kept], "difficult": difficult}
    if "corners" in target:
        corners = target["corners"][kept] @ matrix[:, :2].T + matrix[:, 2]
        mirrored = np.linalg.det(matrix[:, :2]) < 0  # what is clockwise then, begins at the other upper corner
        shown["corners"] = (corners[:, [1, 0, 3, 2]] if mirrored else corners).astype(np.float32)
    return np.asarray(output, dtype=np.uint8), shown


def resized(image: Image, height: int, width: int) -> Image:
    """Scales an image, uint8 (H, W, 3), to a size in pixels; the image itself where it has that size."""
    if (height, width) == image.shape[:2]:
        return image
    shrinks = height < image.shape[0]
    scaled = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return np.asarray(scaled, dtype=np.uint8)


def mean_colour(image: Image) -> tuple[float, float, float]:
    """Returns the mean colour of an image on the scale of 0 to 255, rounded, from every eighth pixel each way."""
    red, green, blue = np.rint(image[::8, ::8].reshape(-1, 3).mean(axis=0))
    return float(red), float(green), float(blue)


def to_tensor(image: Image) -> Tensor:
    """Converts an image, uint8 (H, W, 3), to a float32 tensor (3, H, W) in [0, 1]."""
    planes = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)
    return planes.to(torch.float32, memory_format=torch.contiguous_format).mul_(1 / 255)


def to_image(tensor: Tensor) -> Image:
    """Converts a tensor (3, H, W) in [0, 1] to an image, uint8 (H, W, 3)."""
    pixels = (tensor * 255).round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0)
    return np.ascontiguousarray(pixels.cpu().numpy())


def letterbox(image: Tensor, height: int, width: int) -> Tensor:
    """Pads an image (3, h, w) at its right and bottom to a size in pixels, so that coordinates stay as they are.

    Returns:
        (3, height, width), the added part in the image's mean colour; the image itself where nothing is added.

    Raises:
        ValueError: The image is larger than the result.
    """
    h, w = image.shape[-2:]
    if h > height or w > width:
        raise ValueError(f"an image of {w} x {h} does not fit into {width} x {height}")
    if (h, w) == (height, width):
        return image
    padded = image[:, ::8, ::8].mean(dim=(1, 2))[:, None, None].expand(-1, height, width).contiguous()
    padded[:, :h, :w] = image
    return padded
