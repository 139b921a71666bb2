"""Rotated boxes as other tools and datasets write them, each converted at the door and tested on corner points.

- OpenCV 4.5.1 and later: `minAreaRect` gives (cx, cy, w, h) in pixels and an angle in degrees in (0, 90]; `w` runs
  along the angle, clockwise on the screen, and may be the shorter side.
- DOTA: the four corners x1, y1, ..., x4, y4 in pixels, going around the object.
- HRSC2016: `mbox_cx, mbox_cy, mbox_w, mbox_h` in pixels and `mbox_ang` in radians, along the ship.
- RBox-SSDD: OpenCV's form, with the centre and the size rounded to whole pixels.
"""

import math

import torch
from torch import Tensor

from retable.boxes._validation import as_floating, check_last_dimension, widened
from retable.boxes.rotated import box_to_corners, canonical, corners_to_box


def opencv_to_box(boxes: Tensor) -> Tensor:
    """Convert OpenCV's rotated rectangles (4.5.1 and later).

    Args:
        boxes: (..., 5) cx, cy, w, h in pixels and the angle in degrees; any angle is understood.

    Returns:
        (..., 5) canonical boxes.

    Raises:
        ValueError: The last dimension is not 5.
    """
    check_last_dimension(boxes, 5, "boxes")
    boxes = as_floating(boxes)
    wide = widened(boxes)
    radians = canonical(torch.cat([wide[..., :4], torch.deg2rad(wide[..., 4:])], dim=-1))
    return canonical(radians.to(boxes.dtype))


def box_to_opencv(boxes: Tensor) -> Tensor:
    """Convert to OpenCV's rotated rectangles (4.5.1 and later), as `cv2.boxPoints` takes them.

    Args:
        boxes: (..., 5) boxes (cx, cy, w, h, theta) in pixels and radians.

    Returns:
        (..., 5) cx, cy, w, h in pixels and the angle in degrees in (0, 90].

    Raises:
        ValueError: The last dimension is not 5.
    """
    check_last_dimension(boxes, 5, "boxes")
    boxes = as_floating(boxes)
    degrees = widened(boxes[..., 4]) * (180.0 / math.pi)
    turns = torch.ceil(degrees / 90.0) - 1
    angle = (degrees - 90.0 * turns).to(boxes.dtype)
    # rounding away from the open end: an angle that has become 0 is 90 of the quarter turn before
    turns = torch.where(angle <= 0, turns - 1, turns)
    angle = torch.where(angle <= 0, torch.full_like(angle, 90.0), angle.clamp(max=90.0))
    swap = torch.remainder(turns, 2) == 1
    width, height = boxes[..., 2], boxes[..., 3]
    sides = (torch.where(swap, height, width), torch.where(swap, width, height))
    return torch.cat([boxes[..., :2], torch.stack([*sides, angle], dim=-1)], dim=-1)


def dota_to_box(corners: Tensor) -> Tensor:
    """Convert DOTA's corner points; quadrilaterals that are no rectangles give their minimum-area rectangle.

    Args:
        corners: (..., 8) x1, y1, x2, y2, x3, y3, x4, y4 in pixels.

    Returns:
        (..., 5) canonical boxes.

    Raises:
        ValueError: The last dimension is not 8.
    """
    check_last_dimension(corners, 8, "corners")
    return corners_to_box(corners.reshape(*corners.shape[:-1], 4, 2))


def box_to_dota(boxes: Tensor) -> Tensor:
    """Convert to DOTA's corner points.

    Args:
        boxes: (..., 5) boxes (cx, cy, w, h, theta) in pixels and radians.

    Returns:
        (..., 8) x1, y1, x2, y2, x3, y3, x4, y4 in pixels, clockwise on the screen, in the order of `box_to_corners`.

    Raises:
        ValueError: The last dimension is not 5.
    """
    return box_to_corners(boxes).flatten(start_dim=-2)


def hrsc_to_box(boxes: Tensor) -> Tensor:
    """Convert the boxes of HRSC2016's XML files.

    Args:
        boxes: (..., 5) mbox_cx, mbox_cy, mbox_w, mbox_h in pixels and mbox_ang in radians.

    Returns:
        (..., 5) canonical boxes.

    Raises:
        ValueError: The last dimension is not 5.
    """
    return canonical(boxes)


def ssdd_to_box(boxes: Tensor) -> Tensor:
    """Convert the boxes of RBox-SSDD's XML files, which are OpenCV's with rounded centre and size.

    Args:
        boxes: (..., 5) rotated_bbox_cx, _cy, _w, _h in pixels and rotated_bbox_theta in degrees.

    Returns:
        (..., 5) canonical boxes.

    Raises:
        ValueError: The last dimension is not 5.
    """
    return opencv_to_box(boxes)
