"""The rotated box: canonical form, corners, OpenCV's form, the distance form of LARSD, and similarity transforms.

A rotated box is `(cx, cy, w, h, theta)` in pixels and radians. `w` runs along `(cos theta, sin theta)` and the y axis
points down, so that a positive theta turns clockwise on the screen. The canonical form has `w >= h` and
`theta` in [-pi/2, pi/2). Interval ends are meant in the number type of the tensor: in float32, `pi/2` is the
float32 number that is nearest to it.

All functions keep the floating type of their input and compute in float64, since corners a few thousand pixels
from the origin leave float32 only three decimals.
"""

import math

import torch
from torch import Tensor

from retable.boxes._validation import as_floating, check_last_dimension, widened

# Four points are taken as a rectangle when its closing errors are below this part of the largest coordinate:
# some ten units in the last place of float32, under 0.005 px in an image 4000 px wide.
_RECTANGLE_TOLERANCE = 1e-6


def canonical(boxes: Tensor) -> Tensor:
    """Brings rotated boxes to the canonical form; a canonical box comes back unchanged, bit by bit.

    A square keeps its angle modulo pi, since its sides cannot tell the four equal forms apart.

    Args:
        boxes: (..., 5) boxes (cx, cy, w, h, theta) in pixels and radians, any theta, sides in any order.

    Returns:
        (..., 5) the same rectangles with w >= h and theta in [-pi/2, pi/2).

    Raises:
        ValueError: The last dimension is not 5.
    """
    check_last_dimension(boxes, 5, "boxes")
    boxes = as_floating(boxes)
    centre, width, height, theta = boxes[..., :2], boxes[..., 2], boxes[..., 3], boxes[..., 4]
    swap = width < height
    limit = torch.tensor(math.pi / 2, dtype=boxes.dtype, device=boxes.device)
    inside = ~swap & (theta >= -limit) & (theta < limit)
    turned = widened(theta)
    turned = turned + swap.to(turned.dtype) * (math.pi / 2)
    turned = turned - math.pi * torch.floor((turned + math.pi / 2) / math.pi)
    rounded = turned.to(boxes.dtype)
    # rounding to the narrower type can reach or pass an end of the half-open interval
    rounded = torch.where(rounded >= limit, -limit, rounded.clamp(min=-limit))
    angle = torch.where(inside, theta, rounded)
    sides = (torch.where(swap, height, width), torch.where(swap, width, height))
    return torch.cat([centre, torch.stack([*sides, angle], dim=-1)], dim=-1)


def _upright(boxes: Tensor) -> Tensor:
    """Returns the form of each box (..., 5) whose theta is in (-pi/4, pi/4], in the boxes' own number type."""
    limit = torch.tensor(math.pi / 4, dtype=boxes.dtype, device=boxes.device)
    width, height, theta = boxes[..., 2], boxes[..., 3], boxes[..., 4]
    inside = (theta > -limit) & (theta <= limit)
    wide = widened(theta)
    turns = torch.where(inside, 0.0, torch.ceil((wide - math.pi / 4) / (math.pi / 2)))
    rounded = (wide - turns * (math.pi / 2)).to(boxes.dtype)
    # rounding to the narrower type can reach or pass an end of the half-open interval: the lower end belongs to
    # the quarter turn before, which is the upper end with the sides swapped
    low, high = rounded <= -limit, rounded > limit
    turns = turns - low.to(turns.dtype)
    angle = torch.where(inside, theta, torch.where(low | high, limit, rounded))
    swap = torch.remainder(turns, 2) == 1
    sides = (torch.where(swap, height, width), torch.where(swap, width, height))
    return torch.cat([boxes[..., :2], torch.stack([*sides, angle], dim=-1)], dim=-1)


def upright_size(boxes: Tensor) -> Tensor:
    """Returns the size of each box in the form with theta in (-pi/4, pi/4], in which LARSD's anchors live.

    Args:
        boxes: (..., 5) boxes (cx, cy, w, h, theta) in pixels and radians.

    Returns:
        (..., 2) width along the more horizontal direction and height across it, in pixels.

    Raises:
        ValueError: The last dimension is not 5.
    """
    check_last_dimension(boxes, 5, "boxes")
    return _upright(as_floating(boxes))[..., 2:4]


def box_to_corners(boxes: Tensor) -> Tensor:
    """Returns the corner points of rotated boxes.

    Args:
        boxes: (..., 5) boxes (cx, cy, w, h, theta) in pixels and radians.

    Returns:
        (..., 4, 2) points (x, y) in pixels. In the frame of the box they are (-w/2, -h/2), (w/2, -h/2), (w/2, h/2)
        and (-w/2, h/2): clockwise on the screen, and at theta = 0 from the upper left.

    Raises:
        ValueError: The last dimension is not 5.
    """
    check_last_dimension(boxes, 5, "boxes")
    boxes = as_floating(boxes)
    wide = widened(boxes)
    cosine, sine = torch.cos(wide[..., 4]), torch.sin(wide[..., 4])
    along = torch.stack([cosine, sine], dim=-1) * wide[..., 2:3] / 2
    across = torch.stack([-sine, cosine], dim=-1) * wide[..., 3:4] / 2
    centre = wide[..., :2]
    points = [centre - along - across, centre + along - across, centre + along + across, centre - along + across]
    return torch.stack(points, dim=-2).to(boxes.dtype)


def corners_to_box(corners: Tensor) -> Tensor:
    """Returns the rotated box of four points: of a rectangle exactly, else the least rectangle around the points.

    Points that go around a rectangle in either sense, from any corner, give that rectangle; the least squares of
    opposite sides are taken, so that rounded corners cost no more than their rounding. All other points, in any order,
    give their minimum-area enclosing rectangle, as OpenCV's `minAreaRect` does.

    Args:
        corners: (..., 4, 2) points (x, y) in pixels.

    Returns:
        (..., 5) canonical boxes. Four equal points give a box of zero size.

    Raises:
        ValueError: The shape does not end in (4, 2).
    """
    if corners.ndim < 2 or corners.shape[-2:] != (4, 2):
        raise ValueError(f"corners must have shape (..., 4, 2), got {tuple(corners.shape)}")
    corners = as_floating(corners)
    points = widened(corners)
    middle = points.mean(dim=-2)
    local = points - middle.unsqueeze(-2)
    first, second, third, fourth = local.unbind(dim=-2)
    side_a = ((second - first) + (third - fourth)) / 2
    side_b = ((fourth - first) + (third - second)) / 2
    length_a, length_b = side_a.norm(dim=-1), side_b.norm(dim=-1)
    tolerance = _RECTANGLE_TOLERANCE * points.abs().amax(dim=(-2, -1))
    opens = (first + third - second - fourth).norm(dim=-1)  # zero for a parallelogram
    skew = (side_a * side_b).sum(dim=-1).abs()  # zero for a right angle
    rectangle = (opens <= tolerance) & (skew <= tolerance * torch.maximum(length_a, length_b))
    longer = torch.where((length_a >= length_b).unsqueeze(-1), side_a, side_b)
    exact = torch.stack(
        [
            middle[..., 0],
            middle[..., 1],
            torch.maximum(length_a, length_b),
            torch.minimum(length_a, length_b),
            torch.atan2(longer[..., 1], longer[..., 0]),
        ],
        dim=-1,
    )
    boxes = torch.where(rectangle.unsqueeze(-1), exact, _minimum_area_box(local, middle))
    return canonical(canonical(boxes).to(corners.dtype))


def _minimum_area_box(local: Tensor, middle: Tensor) -> Tensor:
    """Returns the enclosing rectangle (..., 5) of least area of four points (..., 4, 2) around `middle` (..., 2).

    One side of it lies along an edge of the convex hull, and each edge of the hull joins two of the points: trying the
    six joins tries all edges, whichever order the points are in.
    """
    start, end = torch.triu_indices(4, 4, offset=1, device=local.device).unbind()
    joins = local[..., end, :] - local[..., start, :]
    lengths = joins.norm(dim=-1, keepdim=True)
    unit_x = torch.tensor([1.0, 0.0], dtype=local.dtype, device=local.device)
    along = torch.where(lengths > 0, joins / lengths.clamp(min=torch.finfo(local.dtype).tiny), unit_x)
    across = torch.stack([-along[..., 1], along[..., 0]], dim=-1)
    # (..., 6 directions, 4 points)
    position_along = along @ local.transpose(-1, -2)
    position_across = across @ local.transpose(-1, -2)
    low = torch.stack([position_along.amin(dim=-1), position_across.amin(dim=-1)], dim=-1)
    high = torch.stack([position_along.amax(dim=-1), position_across.amax(dim=-1)], dim=-1)
    size = high - low
    best = size.prod(dim=-1).argmin(dim=-1)[..., None, None].expand(*local.shape[:-2], 1, 2)
    along, across = along.gather(-2, best).squeeze(-2), across.gather(-2, best).squeeze(-2)
    size = size.gather(-2, best).squeeze(-2)
    offset = ((low + high) / 2).gather(-2, best).squeeze(-2)
    centre = middle + offset[..., :1] * along + offset[..., 1:] * across
    angle = torch.atan2(along[..., 1], along[..., 0])
    return torch.cat([centre, size, angle.unsqueeze(-1)], dim=-1)


def opencv_to_box(boxes: Tensor) -> Tensor:
    """Converts OpenCV's rotated rectangles (4.5.1 and later).

    `minAreaRect` gives an angle in (0, 90], clockwise on the screen; `w` runs along it and may be the shorter side.

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


def box_to_distances(boxes: Tensor, points: Tensor) -> Tensor:
    """Returns the distance form of boxes as seen from points (LARSD, section II.B and Fig. 4).

    Each box is taken in its form with theta in (-pi/4, pi/4]. In the frame turned by theta, d1 is the distance from the
    point to the top side, d2 to the right, d3 to the bottom and d4 to the left; a distance is negative where the point
    lies beyond that side. All four are positive exactly when the point lies inside.

    Args:
        boxes: (..., 5) boxes (cx, cy, w, h, theta) in pixels and radians.
        points: (..., 2) points (x, y) in pixels; leading dimensions are broadcast with those of `boxes`.

    Returns:
        (..., 5) d1, d2, d3, d4 in pixels and theta in radians.

    Raises:
        ValueError: A last dimension is not 5 or 2.
    """
    check_last_dimension(boxes, 5, "boxes")
    check_last_dimension(points, 2, "points")
    boxes = as_floating(boxes)
    upright = _upright(boxes)
    wide = widened(upright)
    offset = widened(points) - wide[..., :2]
    cosine, sine = torch.cos(wide[..., 4]), torch.sin(wide[..., 4])
    along = offset[..., 0] * cosine + offset[..., 1] * sine
    across = offset[..., 1] * cosine - offset[..., 0] * sine
    half_width, half_height = wide[..., 2] / 2, wide[..., 3] / 2
    distances = [half_height + across, half_width - along, half_height - across, half_width + along]
    theta = wide[..., 4].expand(along.shape)
    return torch.stack([*distances, theta], dim=-1).to(boxes.dtype)


def distances_to_box(distances: Tensor, points: Tensor) -> Tensor:
    """Returns the box of a distance form: the inverse of `box_to_distances`.

    Args:
        distances: (..., 5) d1 (top), d2 (right), d3 (bottom), d4 (left) in pixels and theta in radians.
        points: (..., 2) points (x, y) in pixels; leading dimensions are broadcast with those of `distances`.

    Returns:
        (..., 5) canonical boxes.

    Raises:
        ValueError: A last dimension is not 5 or 2.
    """
    check_last_dimension(distances, 5, "distances")
    check_last_dimension(points, 2, "points")
    distances = as_floating(distances)
    top, right, bottom, left, theta = widened(distances).unbind(dim=-1)
    wide_points = widened(points)
    cosine, sine = torch.cos(theta), torch.sin(theta)
    along, across = (right - left) / 2, (bottom - top) / 2
    centre_x = wide_points[..., 0] + along * cosine - across * sine
    centre_y = wide_points[..., 1] + along * sine + across * cosine
    shape = centre_x.shape
    parts = [centre_x, centre_y, (left + right).expand(shape), (top + bottom).expand(shape)]
    boxes = torch.stack(parts, dim=-1).to(distances.dtype)
    return canonical(torch.cat([boxes, distances[..., 4:].expand(*shape, 1)], dim=-1))


def transform_boxes(boxes: Tensor, matrix: Tensor) -> Tensor:
    """Moves rotated boxes by a similarity: any chain of shifts, rotations, uniform scalings and mirrorings.

    Args:
        boxes: (..., 5) boxes (cx, cy, w, h, theta) in pixels and radians.
        matrix: (2, 3) affine matrix that takes a point (x, y, 1) to its new place, in pixels.

    Returns:
        (..., 5) canonical boxes.

    Raises:
        ValueError: Wrong shapes, or a matrix that shears or scales the axes differently, so that a rectangle would not
            stay one.
    """
    check_last_dimension(boxes, 5, "boxes")
    if matrix.shape != (2, 3):
        raise ValueError(f"matrix must have shape (2, 3), got {tuple(matrix.shape)}")
    boxes = as_floating(boxes)
    wide = widened(boxes)
    linear, shift = torch.split(widened(matrix).to(boxes.device), [2, 1], dim=1)
    (a, b), (c, d) = linear.tolist()
    scale = math.sqrt(abs(a * d - b * c))
    largest = max(abs(a), abs(b), abs(c), abs(d))
    # the columns of a similarity are perpendicular and equally long
    error = max(abs(a * b + c * d), abs(a * a + c * c - b * b - d * d))
    if not scale > 0 or not error <= 1e-5 * largest * largest:
        raise ValueError(f"matrix must be a similarity (rotation, mirroring, one scale), got {matrix.tolist()}")
    centre = wide[..., :2] @ linear.T + shift[:, 0]
    cosine, sine = torch.cos(wide[..., 4]), torch.sin(wide[..., 4])
    angle = torch.atan2(c * cosine + d * sine, a * cosine + b * sine)
    moved = torch.cat([centre, wide[..., 2:4] * scale, angle.unsqueeze(-1)], dim=-1)
    return canonical(canonical(moved).to(boxes.dtype))
