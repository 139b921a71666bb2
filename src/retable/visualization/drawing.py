"""Pictures of detections: what was found, what was missed, and what was taken for an object."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from retable.boxes import format_of
from retable.files import write_atomically
from retable.metrics.average_precision import match_detections
from retable.metrics.overlaps import BoxesOfImages, best_overlaps

Image = NDArray[np.uint8]
Colour = tuple[int, int, int]

# RGB. The four differ in brightness too, so that they stay apart for colour-blind readers and on sea and land.
TRUTH: Colour = (255, 255, 255)
HIT: Colour = (0, 225, 160)
FALSE_ALARM: Colour = (255, 85, 60)
MISS: Colour = (255, 225, 40)
DIFFICULT: Colour = (150, 150, 150)
LEGEND: tuple[tuple[str, Colour], ...] = (
    ("truth", TRUTH),
    ("hit", HIT),
    ("false alarm", FALSE_ALARM),
    ("miss", MISS),
    ("difficult", DIFFICULT),
)

LARGEST_JPEG = 65_500
"""Pixels of a side at most that a JPEG file can have."""

_LARGEST_ENLARGED = 4096  # pixels of the longer side
_HALO: Colour = (12, 12, 12)
_SHEET: Colour = (24, 24, 28)
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_FRACTION_BITS = 4  # OpenCV draws at sixteenths of a pixel


def _array(values: Any) -> NDArray[Any]:
    """Takes tensors of any device, arrays and lists alike."""
    return values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else np.asarray(values)


def _boxes(values: Any) -> Tensor:
    return torch.as_tensor(_array(values), dtype=torch.float32)


def _enlarged(boxes: Any, factor: int) -> Tensor:
    tensor = _boxes(boxes)
    return format_of(tensor).scaled(tensor, factor, factor)


def _difficult(target: Mapping[str, Any]) -> NDArray[np.bool_]:
    if "difficult" in target:
        return _array(target["difficult"]).astype(np.bool_)
    return np.zeros(len(target["boxes"]), dtype=np.bool_)


def _checked(image: Image) -> Image:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(f"an image must be uint8 (H, W, 3), not {image.dtype} {image.shape}")
    return image


def upscale(image: Image, minimum_size: int) -> tuple[Image, int]:
    """Enlarges a small image by a whole factor, so that lines and text on it can be read; a long one less.

    Args:
        image: (H, W, 3) uint8.
        minimum_size: Pixels that the shorter side should have at least, unless the longer one then had over 4,096.

    Returns:
        The image (the same one if it is large enough), and the factor. Coordinates (with pixel centres at
        +0.5) are multiplied by it.

    Raises:
        ValueError: The image is not (H, W, 3) uint8.
    """
    height, width = _checked(image).shape[:2]
    wanted = math.ceil(minimum_size / max(1, min(height, width)))
    factor = max(1, min(wanted, _LARGEST_ENLARGED // max(1, height, width)))
    if factor == 1:
        return image, 1
    larger = cv2.resize(image, (width * factor, height * factor), interpolation=cv2.INTER_CUBIC)
    return np.asarray(larger, dtype=np.uint8), factor


def _shorter_sides(boxes: Tensor) -> NDArray[np.float32]:
    return np.asarray(format_of(boxes).sizes(boxes).amin(dim=1))


def _line_width(image: Image) -> int:
    return max(1, round(int(min(image.shape[:2])) / 300))


def draw_boxes(image: Image, boxes: Any, colour: Colour, thickness: int | None = None, halo: bool = True) -> Image:
    """Draws outlines of boxes, anti-aliased.

    Args:
        image: (H, W, 3) uint8 RGB; not changed.
        boxes: (N, 5) rotated or (N, 4) axis-aligned, in pixels; parts outside the image are cut off.
        colour: RGB.
        thickness: Of the line in pixels; by default about a 300th of the shorter side. It is at most an eighth of a
            box's shorter side, so that small objects on large images stay visible, and at least 1.
        halo: Whether a dark rim keeps the line apart from the background, except on boxes of less than 8 pixels.

    Returns:
        A copy with the boxes.

    Raises:
        ValueError: The image is not (H, W, 3) uint8.
    """
    drawn = _checked(image).copy()
    boxes = _boxes(boxes)
    if len(boxes) == 0:
        return drawn
    thickness = _line_width(image) if thickness is None else thickness
    corners = format_of(boxes).corners(boxes).numpy()
    # Pixel centres lie at +0.5 in our coordinates and at 0 in OpenCV's.
    points = np.rint((corners - 0.5) * 2**_FRACTION_BITS).astype(np.int32)
    sides = _shorter_sides(boxes)
    widths = np.clip(np.rint(sides / 8), 1, max(1, thickness)).astype(int)
    if halo:
        dark = drawn.copy()
        for outline, width in zip(points[sides >= 8], widths[sides >= 8], strict=True):
            cv2.polylines(dark, [outline], True, _HALO, int(width) + 2, cv2.LINE_AA, _FRACTION_BITS)
        drawn = np.asarray(cv2.addWeighted(drawn, 0.6, dark, 0.4, 0), dtype=np.uint8)
    for outline, width in zip(points, widths, strict=True):
        cv2.polylines(drawn, [outline], True, colour, int(width), cv2.LINE_AA, _FRACTION_BITS)
    return drawn


def classify_detections(
    prediction: Mapping[str, Any],
    target: Mapping[str, Any],
    iou_threshold: float = 0.5,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Tells hits, ignored detections and misses of one image, by the rules of the AP metric.

    Args:
        prediction: `boxes` (N, 5) or (N, 4), `scores` (N,), `labels` (N,).
        target: `boxes` (M, 5) or (M, 4), `labels` (M,), optionally `difficult` (M,).
        iou_threshold: The IoU from which a detection counts as one of a ground truth.

    Returns:
        (N,) hits, (N,) detections on difficult objects (neither hit nor false alarm), and (M,) misses:
        objects that are not difficult and that no detection hit. All bool.
    """
    detections, truths = (
        BoxesOfImages(_boxes(each["boxes"]).numpy(), _array(each["labels"]), np.array([0, len(each["boxes"])]))
        for each in (prediction, target)
    )
    best_iou, best_truth = best_overlaps(detections, truths)
    difficult = _difficult(target)
    order = np.argsort(-_array(prediction["scores"]), kind="stable")
    hit, ignored = np.zeros((2, len(order)), dtype=np.bool_)
    hit[order], ignored[order] = match_detections(best_iou[order], best_truth[order], difficult, iou_threshold)
    missed = ~difficult
    missed[best_truth[hit]] = False
    return hit, ignored, missed


def draw_detections(
    image: Image,
    prediction: Mapping[str, Any],
    target: Mapping[str, Any] | None = None,
    score_threshold: float = 0.0,
    minimum_size: int = 0,
    show_scores: bool = True,
    texts: Sequence[str] | None = None,
) -> Image:
    """Draws the detections of an image and, where it is known, what they are worth.

    With a target: found objects thin in white with the detection in green over them, missed objects in
    yellow, false alarms in red, difficult objects (and detections on them) in grey. Without:
    all detections in green. Scores stand beside the boxes. Lines and scores are small where the boxes are.

    Args:
        image: (H, W, 3) uint8 RGB; not changed.
        prediction: `boxes` (N, 5) or (N, 4), `scores` (N,), `labels` (N,); tensors or arrays.
        target: `boxes` (M, 5) or (M, 4), `labels` (M,), optionally `difficult` (M,).
        score_threshold: Detections below it are not drawn, and hit nothing.
        minimum_size: The image is enlarged as of `upscale`.
        show_scores: Whether to write the scores.
        texts: What is written beside each detection instead of its score.

    Returns:
        The drawn image, larger than the given one by a whole factor.

    Raises:
        ValueError: The image is not (H, W, 3) uint8.
    """
    drawn, factor = upscale(image, minimum_size)
    shown = _array(prediction["scores"]) >= score_threshold
    kept = {key: _array(prediction[key])[shown] for key in ("boxes", "scores", "labels")}
    boxes = _enlarged(kept["boxes"], factor)
    if target is None:
        colours = [HIT] * len(boxes)
        drawn = draw_boxes(drawn, boxes, HIT)
    else:
        hit, ignored, missed = classify_detections(kept, target)
        truths, difficult = _enlarged(target["boxes"], factor), _difficult(target)
        width = _line_width(drawn)
        for chosen, colour in ((difficult, DIFFICULT), (~difficult & ~missed, TRUTH)):
            drawn = draw_boxes(drawn, truths[chosen], colour, max(1, width - 1), halo=False)
        false_alarm = ~hit & ~ignored
        for chosen, colour in ((ignored, DIFFICULT), (false_alarm, FALSE_ALARM), (hit, HIT)):
            drawn = draw_boxes(drawn, boxes[chosen], colour, width)
        drawn = draw_boxes(drawn, truths[missed], MISS, width)
        colours = [HIT if h else DIFFICULT if i else FALSE_ALARM for h, i in zip(hit, ignored, strict=True)]
    if show_scores:
        written = [f"{float(score):.2f}" for score in _array(prediction["scores"])] if texts is None else texts
        _write_texts(
            drawn,
            boxes,
            kept["scores"],
            [text for text, is_shown in zip(written, shown, strict=True) if is_shown],
            colours,
        )
    return drawn


Rectangle = tuple[float, float, float, float]  # x1, y1, x2, y2


def _write_texts(
    image: Image, boxes: Tensor, scores: NDArray[Any], texts: Sequence[str], colours: Sequence[Colour]
) -> None:
    """Writes a text beside each box, of the best scores first, where it covers least of other texts and boxes."""
    height, width = image.shape[:2]
    if not len(boxes):
        return
    size = 0.4 * max(1.0, min(height / 640, width / 640, float(np.median(_shorter_sides(boxes))) / 20))
    taken = np.zeros((len(boxes), 4))  # of what is written already
    bounds = format_of(boxes).bounds(boxes).numpy()
    corners = format_of(boxes).corners(boxes).numpy()
    for number, index in enumerate(np.argsort(-scores, kind="stable")):
        text = texts[index].encode("ascii", "replace").decode()  # OpenCV's font knows no more
        (text_width, text_height), _ = cv2.getTextSize(text, _FONT, size, 1)
        places = np.array(_text_places(corners[index], text_width + 4, text_height + 4, width, height))
        covered = 10 * _common_areas(places, taken[:number]) + _common_areas(places, bounds)
        left, top, right, bottom = taken[number] = places[int(np.argmin(covered))]
        # A darkened patch behind the text: a dark rim around strokes of one pixel would swallow them.
        patch = image[math.floor(top) : math.ceil(bottom), math.floor(left) : math.ceil(right)]
        patch //= 3
        at = (round(left) + 2, round(bottom) - 2)
        cv2.putText(image, text, at, _FONT, size, colours[index], 1, cv2.LINE_AA)


def _text_places(corners: NDArray[Any], text_width: int, text_height: int, width: int, height: int) -> list[Rectangle]:
    """Lists places for a text, best liked first: beyond the middle of each side, beyond the corners, further out."""
    centre = corners.mean(axis=0)
    half_along, half_across = (corners[1] - corners[0]) / 2, (corners[3] - corners[0]) / 2
    along, across = (half / max(float(np.linalg.norm(half)), 1e-6) for half in (half_along, half_across))
    places = []
    for distance in (3.0, 20.0):
        for u, v in ((0, -1), (0, 1), (-1, 0), (1, 0), (-1, -1), (1, -1), (-1, 1), (1, 1)):
            side = u * half_along + v * half_across
            outwards = (u * along + v * across) / math.hypot(u, v)
            # Far enough out that the text's rectangle just clears the side.
            away = abs(outwards[0]) * text_width / 2 + abs(outwards[1]) * text_height / 2 + distance
            x, y = centre + side + outwards * away
            left = min(max(x - text_width / 2, 0.0), max(0.0, float(width - text_width)))
            top = min(max(y - text_height / 2, 0.0), max(0.0, float(height - text_height)))
            places.append((left, top, left + text_width, top + text_height))
    return places


def _common_areas(places: NDArray[Any], others: NDArray[Any]) -> NDArray[Any]:
    """How much of each of some rectangles (P, 4) the others (N, 4) take together."""
    sides = np.minimum(places[:, None, 2:], others[None, :, 2:]) - np.maximum(places[:, None, :2], others[None, :, :2])
    return np.asarray(sides.clip(0).prod(axis=2).sum(axis=1))


def legend_strip(width: int) -> Image:
    """Makes a strip, (H, width, 3) uint8, that explains the colours; entries that do not fit go on a further line."""
    size, line = 0.5, 22
    places: list[tuple[int, int]] = []
    x, y = 8, 0
    for name, _ in LEGEND:
        (text_width, _), _ = cv2.getTextSize(name, _FONT, size, 1)
        if x > 8 and x + line + text_width > width:
            x, y = 8, y + line
        places.append((x, y))
        x += line + text_width + 16
    strip = np.full((y + line, width, 3), _SHEET, dtype=np.uint8)
    for (name, colour), (x, y) in zip(LEGEND, places, strict=True):
        swatch = line // 2
        top = y + (line - swatch // 2) // 2
        cv2.rectangle(strip, (x, top), (x + swatch, top + swatch // 2), colour, 2, cv2.LINE_AA)
        cv2.putText(
            strip, name, (x + line // 2 + 8, y + round(line * 0.68)), _FONT, size, (225, 225, 225), 1, cv2.LINE_AA
        )
    return strip


def write_picture(path: Path, image: Image) -> None:
    """Writes a picture, complete or not at all.

    Args:
        path: PNG or JPEG file, by its suffix.
        image: (H, W, 3) uint8 RGB.

    Raises:
        OSError: The file cannot be written.
        ValueError: The picture is too large for JPEG.
    """
    if path.suffix == ".jpg" and max(image.shape) > LARGEST_JPEG:
        raise ValueError(f"{path.name}: a JPEG has {LARGEST_JPEG} pixels a side at most")
    _, encoded = cv2.imencode(path.suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    write_atomically(path, lambda temporary: temporary.write_bytes(encoded.tobytes()))


def contact_sheet(
    images: Sequence[Image],
    columns: int,
    captions: Sequence[str] | None = None,
    gap: int = 6,
    legend: bool = False,
) -> Image:
    """Lays images out on one sheet, row by row.

    Args:
        images: (H, W, 3) uint8 each, of any sizes; smaller ones are centred in their cell.
        columns: Images in a row.
        captions: One short text an image, written under it.
        gap: Pixels between images and at the border.
        legend: Whether to add the legend of the colours of `draw_detections`.

    Returns:
        (H, W, 3) uint8.

    Raises:
        ValueError: There are no images, columns is below 1, or there are not as many captions as images.
    """
    if len(images) == 0 or columns < 1:
        raise ValueError(f"a contact sheet needs images and columns, not {len(images)} and {columns}")
    if captions is not None and len(captions) != len(images):
        raise ValueError(f"{len(captions)} captions for {len(images)} images")
    cell_height = max(_checked(image).shape[0] for image in images)
    cell_width = max(image.shape[1] for image in images)
    columns = min(columns, len(images))
    rows = math.ceil(len(images) / columns)
    caption_height = 0 if captions is None else 20
    step_y, step_x = cell_height + caption_height + gap, cell_width + gap
    sheet = np.full((rows * step_y + gap, columns * step_x + gap, 3), _SHEET, dtype=np.uint8)
    for index, image in enumerate(images):
        height, width = image.shape[:2]
        top = gap + index // columns * step_y
        left = gap + index % columns * step_x
        y, x = top + (cell_height - height) // 2, left + (cell_width - width) // 2
        sheet[y : y + height, x : x + width] = image
        if captions is not None:
            text = _shortened(captions[index], cell_width, 0.42)
            baseline = (left + 2, top + cell_height + 14)
            cv2.putText(sheet, text, baseline, _FONT, 0.42, (225, 225, 225), 1, cv2.LINE_AA)
    if legend:
        sheet = np.concatenate([sheet, legend_strip(sheet.shape[1])])
    return sheet


def _shortened(text: str, width: int, size: float) -> str:
    """Cuts a text at its end until it fits; OpenCV's font knows ASCII only."""
    text = text.encode("ascii", "replace").decode()
    fitting = text
    while len(fitting) > 1 and cv2.getTextSize(fitting, _FONT, size, 1)[0][0] > width - 4:
        text = text[:-1]
        fitting = text + ".."
    return fitting
