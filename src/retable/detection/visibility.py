"""How much of a ship an image shows, and what follows for training.

One rule for crops, tiles and rotations: a box of which at least `KEEP_VISIBLE` lies inside the image is a
training object, whole, with its overhang. A box that shows less, but more than `DROP_VISIBLE`, is marked
difficult: its visible part is neither to be found nor to be taken for background, since half a ship tells neither
its length nor that it is none. Below that it is left out, because what a corner of a deck shows can be any quay.
"""

import numpy as np
import numpy.typing as npt

KEEP_VISIBLE = 0.7  # DOTA's tiling tool draws its line here too
DROP_VISIBLE = 0.05

FloatArray = npt.NDArray[np.floating]


def corner_points(boxes: FloatArray) -> npt.NDArray[np.float64]:
    """Returns the corners (N, 4, 2), going around, of boxes (N, 5) in pixels and radians."""
    cx, cy, w, h, theta = np.asarray(boxes, dtype=np.float64).reshape(-1, 5).T
    cosine, sine = np.cos(theta), np.sin(theta)
    along = np.stack([cosine * w, sine * w], axis=-1) / 2
    across = np.stack([-sine * h, cosine * h], axis=-1) / 2
    centre = np.stack([cx, cy], axis=-1)
    return np.stack(
        [centre - along - across, centre + along - across, centre + along + across, centre - along + across],
        1,
    )


def visible_fractions(boxes: FloatArray, width: float, height: float) -> npt.NDArray[np.float64]:
    """Returns the part of each box's area that lies inside an image.

    Args:
        boxes: (N, 5) boxes (cx, cy, w, h, theta) with positive sizes, in the image's pixels and radians.
        width: the image spans x from 0 to width.
        height: the image spans y from 0 to height.

    Returns:
        float64 (N,) in [0, 1].
    """
    corners = corner_points(boxes)
    low, high = corners.min(axis=1), corners.max(axis=1)
    limit = np.array([width, height], dtype=np.float64)
    fractions = np.where(((low >= 0) & (high <= limit)).all(axis=1), 1.0, 0.0)
    crossing = (fractions == 0) & ((high > 0) & (low < limit)).all(axis=1)
    for index in np.flatnonzero(crossing):  # few: most boxes lie inside or outside altogether
        area = float(boxes[index, 2]) * float(boxes[index, 3])
        fractions[index] = min(1.0, _clipped_area(corners[index], width, height) / area)
    return fractions


def visible_objects(
    boxes: FloatArray,
    difficult: npt.NDArray[np.bool_],
    width: float,
    height: float,
    keep_visible: float = KEEP_VISIBLE,
    drop_visible: float = DROP_VISIBLE,
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
    """Applies the rule of this module to the objects of a crop.

    Args:
        boxes: (N, 5) boxes in the crop's pixels.
        difficult: bool (N,), as annotated.
        width: width of the crop.
        height: height of the crop.
        keep_visible: from this visible part on an object is a training object.
        drop_visible: up to this visible part it is left out; between the two it is difficult.

    Returns:
        Indices of the objects that stay, and whether each of them is difficult.
    """
    if not len(boxes):
        return np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.bool_)
    visible = visible_fractions(boxes, width, height)
    kept = np.flatnonzero(visible > drop_visible)
    return kept, difficult[kept] | (visible[kept] < keep_visible)


def _clipped_area(corners: npt.NDArray[np.float64], width: float, height: float) -> float:
    """Area of a convex polygon (P, 2) inside the image: cut by one border after the other, shoelace formula."""
    polygon = [(float(x), float(y)) for x, y in corners]
    for axis, bound, sign in ((0, 0.0, 1.0), (0, width, -1.0), (1, 0.0, 1.0), (1, height, -1.0)):
        clipped: list[tuple[float, float]] = []
        for start, end in zip(polygon, polygon[1:] + polygon[:1], strict=True):
            inside_start, inside_end = sign * (start[axis] - bound), sign * (end[axis] - bound)
            if inside_start >= 0:
                clipped.append(start)
            if (inside_start >= 0) != (inside_end >= 0):
                part = inside_start / (inside_start - inside_end)
                clipped.append((start[0] + part * (end[0] - start[0]), start[1] + part * (end[1] - start[1])))
        if not clipped:
            return 0.0
        polygon = clipped
    pairs = zip(polygon, polygon[1:] + polygon[:1], strict=True)
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in pairs)) / 2
