"""How much of an object an image shows, and what follows for training.

One rule for crops, tiles and rotations: a box of which at least `KEEP_VISIBLE` lies inside the image is a training
object, whole, with its overhang. A box that shows less, but more than `DROP_VISIBLE`, is marked difficult: its visible
part is neither to be found nor to be taken for background, since half an object tells neither its extent nor that it is
none. Below that it is left out, because a mere corner can be of anything.
"""

import numpy as np
import numpy.typing as npt
import torch

from retable.boxes import format_of

KEEP_VISIBLE = 0.7  # DOTA's tiling tool draws its line here too
DROP_VISIBLE = 0.05


def visible_fractions(boxes: npt.NDArray[np.floating], width: float, height: float) -> npt.NDArray[np.float64]:
    """Returns the part of each box's area that lies inside an image.

    Args:
        boxes: (N, 5) rotated or (N, 4) axis-aligned boxes with positive sizes, in the image's pixels.
        width: The image spans x from 0 to width.
        height: And y from 0 to height.

    Returns:
        float64 (N,) in [0, 1].
    """
    wide = torch.from_numpy(boxes.astype(np.float64))
    corners, areas = format_of(wide).corners(wide).numpy(), format_of(wide).areas(wide).numpy()
    low, high = corners.min(axis=1), corners.max(axis=1)
    limit = np.array([width, height], dtype=np.float64)
    fractions = np.where(((low >= 0) & (high <= limit)).all(axis=1), 1.0, 0.0)
    crossing = (fractions == 0) & ((high > 0) & (low < limit)).all(axis=1)
    for index in np.flatnonzero(crossing):  # few: most boxes lie inside or outside altogether
        fractions[index] = min(1.0, _clipped_area(corners[index], width, height) / float(areas[index]))
    return fractions


def visible_objects(
    boxes: npt.NDArray[np.floating], difficult: npt.NDArray[np.bool_], width: float, height: float
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
    """Applies the rule of this module to the objects of a crop.

    Args:
        boxes: (N, 5) rotated or (N, 4) axis-aligned boxes in the crop's pixels.
        difficult: bool (N,), as annotated.
        width: Of the crop, pixels.
        height: Likewise.

    Returns:
        Indices of the objects that stay, and whether each of them is difficult.
    """
    visible = visible_fractions(boxes, width, height)
    kept = np.flatnonzero(visible > DROP_VISIBLE)
    return kept, difficult[kept] | (visible[kept] < KEEP_VISIBLE)


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
