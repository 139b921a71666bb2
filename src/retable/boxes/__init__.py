"""Box mathematics: rotated and axis-aligned boxes, their formats, conversions, IoU, NMS and anchor shapes.

A rotated box is `(cx, cy, w, h, theta)` in pixels and radians: `w` runs along `(cos theta, sin theta)`, y points down,
and the canonical form has `w >= h` and theta in [-pi/2, pi/2). An axis-aligned box is `(x1, y1, x2, y2)`.
Numba is imported on the first IoU or NMS, not here.
"""

from retable.boxes.anchors import kmeans_anchors
from retable.boxes.formats import AXIS_ALIGNED, ROTATED, BoxFormat, format_of
from retable.boxes.iou import axis_aligned_iou, axis_aligned_iou_aligned, rotated_iou, rotated_iou_aligned, shape_iou
from retable.boxes.nms import merge_rotated_boxes, rotated_nms
from retable.boxes.rotated import (
    box_to_corners,
    box_to_distances,
    canonical,
    corners_to_box,
    distances_to_box,
    opencv_to_box,
    transform_boxes,
    upright_size,
)

__all__ = [
    "AXIS_ALIGNED",
    "ROTATED",
    "BoxFormat",
    "axis_aligned_iou",
    "axis_aligned_iou_aligned",
    "box_to_corners",
    "box_to_distances",
    "canonical",
    "corners_to_box",
    "distances_to_box",
    "format_of",
    "kmeans_anchors",
    "merge_rotated_boxes",
    "opencv_to_box",
    "rotated_iou",
    "rotated_iou_aligned",
    "rotated_nms",
    "shape_iou",
    "transform_boxes",
    "upright_size",
]
