"""Box mathematics: the canonical rotated box, its conversions, IoU, NMS and anchor shapes.

A rotated box is `(cx, cy, w, h, theta)` in pixels and radians: `w` runs along `(cos theta, sin theta)`, y points down,
and the canonical form has `w >= h` and theta in [-pi/2, pi/2). Numba is imported on the first IoU or NMS, not here.
"""

from retable.boxes.anchors import kmeans_anchors
from retable.boxes.conventions import (
    box_to_dota,
    box_to_opencv,
    dota_to_box,
    hrsc_to_box,
    opencv_to_box,
    ssdd_to_box,
)
from retable.boxes.iou import axis_aligned_iou, rotated_iou, rotated_iou_aligned, shape_iou
from retable.boxes.nms import merge_rotated_boxes, rotated_nms
from retable.boxes.rotated import (
    box_area,
    box_to_corners,
    box_to_distances,
    canonical,
    corners_to_box,
    distances_to_box,
    points_in_boxes,
    transform_boxes,
    upright_size,
)

__all__ = [
    "axis_aligned_iou",
    "box_area",
    "box_to_corners",
    "box_to_distances",
    "box_to_dota",
    "box_to_opencv",
    "canonical",
    "corners_to_box",
    "distances_to_box",
    "dota_to_box",
    "hrsc_to_box",
    "kmeans_anchors",
    "merge_rotated_boxes",
    "opencv_to_box",
    "points_in_boxes",
    "rotated_iou",
    "rotated_iou_aligned",
    "rotated_nms",
    "shape_iou",
    "ssdd_to_box",
    "transform_boxes",
    "upright_size",
]
