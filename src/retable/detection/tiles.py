"""Large images: cut into overlapping tiles, and the detections of the tiles merged into those of the image."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from retable.boxes import format_of
from retable.detection.schema import DetectorConfig
from retable.detection.transforms import Window, letterbox
from retable.errors import ConfigError

Prediction = dict[str, Tensor]
"""boxes float32 (N, 5) rotated and canonical or (N, 4) axis-aligned, scores float32 (N,), labels int64 (N,), perhaps
corners float32 (N, 4, 2), clockwise from the object's own top left."""

DetectBatch = Callable[[Tensor], Sequence[Prediction]]
"""Maps a batch of images (B, 3, H, W) to a prediction for each."""

_BORDER = 2.0  # a box that reaches a tile's inner border to within two pixels may be cut there
_CONTAINED = 0.5  # a cut box of which so much lies inside a whole one is a part of it


def tile_windows(height: int, width: int, size: int, overlap: int) -> list[Window]:
    """Cuts an image into square windows that cover it, row by row.

    The least number of windows that overlap by at least `overlap` is spread evenly, so that no narrow rest is left at
    the right or bottom. An image that is not larger than `size` along an axis is not cut along it.

    Args:
        height: Of the image, pixels.
        width: Likewise.
        size: Side of a window in pixels.
        overlap: Least overlap of neighbouring windows in pixels; best the length of the longest object.

    Returns:
        Windows inside the image; their sides are `size`, or the image's where that is less.

    Raises:
        ConfigError: The overlap is not from 0 to size - 1.
        ValueError: The image has no pixels.
    """
    if not 0 <= overlap < size:
        raise ConfigError(f"a tile overlap of {overlap} pixels with tiles of {size}: it must be from 0 to {size - 1}")
    if height < 1 or width < 1:
        raise ValueError(f"an image of {width} x {height} pixels cannot be cut into tiles")
    return [
        Window(x, y, min(size, width), min(size, height))
        for y in _starts(height, size, overlap)
        for x in _starts(width, size, overlap)
    ]


def _starts(length: int, size: int, overlap: int) -> list[int]:
    if length <= size:
        return [0]
    count = math.ceil((length - overlap) / (size - overlap))
    # whole numbers: the last start is exactly length - size, and no step is longer than size - overlap
    return [index * (length - size) // (count - 1) for index in range(count)]


def as_float(image: Tensor) -> Tensor:
    """Returns pixels in [0, 1]: uint8 divided by 255, float32 as they are."""
    return image.float().mul_(1 / 255) if image.dtype == torch.uint8 else image


def padded(side: int, multiple: int) -> int:
    """Returns the smallest multiple that is not below a side."""
    return math.ceil(side / multiple) * multiple


def detect_in_tiles(image: Tensor, detect: DetectBatch, config: DetectorConfig, multiple: int) -> Prediction:
    """Detects in an image of any size with bounded memory: it holds the image and one batch of tiles.

    Args:
        image: (3, H, W), uint8 from 0 to 255 (a quarter of the memory) or float32 in [0, 1].
        detect: Called with batches float32 (B, 3, h, w); h and w are multiples of `multiple`.
        config: How tiles are cut, and of the suppression across them.
        multiple: Tiles are padded at right and bottom to a multiple of this, the network's largest stride.

    Returns:
        The detections of the whole image, in its pixels. Those of a single tile come as the detector gives them.

    Raises:
        ConfigError: As in `tile_windows`.
    """
    height, width = image.shape[-2:]
    windows = tile_windows(height, width, config.tile_size, config.tile_overlap)
    sides = padded(windows[0].height, multiple), padded(windows[0].width, multiple)  # all are of one size
    predictions: list[Prediction] = []
    for first in range(0, len(windows), config.tile_batch):
        parts = [image[:, y : y + h, x : x + w] for x, y, w, h in windows[first : first + config.tile_batch]]
        predictions.extend(detect(torch.stack([letterbox(as_float(part), *sides) for part in parts])))
    return merge_tiles(predictions, windows, height, width, config.nms_threshold)


def inside(prediction: Prediction, height: int, width: int) -> Prediction:
    """Leaves out what has its centre outside an image or tile of this size in pixels, in its padding."""
    centre = format_of(prediction["boxes"]).centres(prediction["boxes"])
    kept = ((centre >= 0) & (centre <= centre.new_tensor([width, height]))).all(dim=1)
    return {name: value[kept] for name, value in prediction.items()}


def merge_tiles(
    predictions: Sequence[Prediction],
    windows: Sequence[Window],
    height: int,
    width: int,
    iou_threshold: float,
) -> Prediction:
    """Merges the detections of an image's tiles.

    An object in an overlap is found by two tiles or more, and one that a tile's border cuts is found there as a smaller
    one. So

    1. detections whose centre lies in the padding outside the tile are left out;
    2. a detection that reaches a border of its tile inside the image counts as cut;
    3. NMS, per class, prefers whole detections to cut ones, and among these the higher score;
    4. a cut detection that lies by more than half in a whole one of its class from another tile is left out, though
       their IoU may be small.

    Args:
        predictions: Of each tile, in the tile's pixels.
        windows: The tiles.
        height: Of the image, pixels.
        width: Likewise.
        iou_threshold: Of two detections of one class with a larger IoU one is left out.

    Returns:
        Detections in the image's pixels, by descending score. A single tile's detections come back as they are.

    Raises:
        ValueError: There are not as many predictions as windows, or none.
    """
    if len(predictions) != len(windows) or not windows:
        raise ValueError(f"{len(predictions)} predictions for {len(windows)} tiles")
    if len(windows) == 1:
        return predictions[0]
    kind = format_of(predictions[0]["boxes"])
    parts, cut, tile = [], [], []
    for number, (prediction, window) in enumerate(zip(predictions, windows, strict=True)):
        part = inside(prediction, window.height, window.width)
        cut.append(_reaches_inner_border(kind.bounds(part["boxes"]), window, height, width))
        moved = {**part, "boxes": kind.shifted(part["boxes"], window.x, window.y)}
        if "corners" in part:
            moved["corners"] = part["corners"] + part["corners"].new_tensor([window.x, window.y])
        parts.append(moved)
        tile.append(torch.full_like(part["labels"], number))
    merged = {key: torch.cat([part[key] for part in parts]) for key in parts[0]}
    is_cut, tiles = torch.cat(cut), torch.cat(tile)
    # a rank instead of a sum with the score: float32 would round close scores to equal ones
    order = torch.argsort(merged["scores"], descending=True, stable=True)
    order = order[torch.argsort(is_cut[order].to(torch.uint8), stable=True)]
    rank = torch.empty_like(merged["scores"])
    rank[order] = torch.arange(len(order), 0, -1, dtype=rank.dtype, device=rank.device)
    kept = kind.nms(merged["boxes"], rank, iou_threshold, merged["labels"])
    kept = kept[~_parts_of_whole_ones(merged["boxes"][kept], merged["labels"][kept], is_cut[kept], tiles[kept])]
    kept = kept[torch.argsort(merged["scores"][kept], descending=True, stable=True)]
    return {key: value[kept] for key, value in merged.items()}


def _reaches_inner_border(bounds: Tensor, window: Window, height: int, width: int) -> Tensor:
    """Whether rectangles (N, 4) in tile pixels reach a border of the tile that is not the image's own; bool (N,)."""
    x, y, w, h = window
    inner = torch.tensor([x > 0, y > 0, x + w < width, y + h < height], device=bounds.device)
    low, high = bounds[:, :2] < _BORDER, bounds[:, 2:] > bounds.new_tensor([w, h]) - _BORDER
    return (torch.cat([low, high], dim=1) & inner).any(dim=1)


def _parts_of_whole_ones(boxes: Tensor, labels: Tensor, is_cut: Tensor, tiles: Tensor) -> Tensor:
    """Whether a box is cut and lies by more than half in a whole one of its class from another tile; bool (N,)."""
    parts = torch.zeros_like(is_cut)
    if not bool(is_cut.any()) or bool(is_cut.all()):
        return parts
    cut, whole, kind = boxes[is_cut], boxes[~is_cut], format_of(boxes)
    iou, area = kind.iou(cut, whole), kind.areas(cut)[:, None]
    contained = iou / (1 + iou) * (area + kind.areas(whole)[None]) / area.clamp(min=1e-6)
    same = (labels[is_cut][:, None] == labels[~is_cut][None]) & (tiles[is_cut][:, None] != tiles[~is_cut][None])
    parts[is_cut] = ((contained > _CONTAINED) & same).any(dim=1)
    return parts
