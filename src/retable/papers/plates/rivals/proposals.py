"""Where a plate could be: edge energy, brightness and morphology at several scales. All rivals share it.

A plate's letters are a crowd of vertical edges, which a closing joins to one area; and its ground is an area that is
brighter or darker than what is around it. Both are looked for in images of a few sizes, so that plates of all sizes are
about as large in one of them. Each area of a plate's proportions is a proposal.
"""

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import torch

from retable.boxes import AXIS_ALIGNED
from retable.detection.transforms import Image, resized
from retable.papers.plates.rivals.appearance import edge_energy, plausibility
from retable.papers.plates.rivals.schema import ProposalsConfig

Boxes = npt.NDArray[np.float32]
_Mask = npt.NDArray[np.uint8]

_LEAST_HEIGHT, _LEAST_WIDTH = 5, 9  # pixels of an area, in the scaled image
_LARGEST = 0.5  # of the image's height
_LETTERS = ((5, 3), (9, 3))  # widths and heights in pixels of what joins letters
_SURROUNDINGS = 41  # pixels around an edge with whose energy its own is compared
_LEAST_EDGE = 6  # of 255: less is noise
_SPECK = (3, 2)  # what is narrower or lower is no area
_AROUND_LETTERS = ((0.0, 0.0), (0.25, 0.2))  # what a plate has beside and above its letters, in their heights


class Proposals(NamedTuple):
    """Proposals of an image.

    Attributes:
        boxes: float32 (N, 4), x1, y1, x2, y2 in pixels, inside the image.
        scores: float32 (N,) from 0 to 1, descending: how much each looks like a plate.
    """

    boxes: Boxes
    scores: npt.NDArray[np.float32]


def propose(image: Image, config: ProposalsConfig) -> Proposals:
    """Proposes plates, the most plausible first.

    Args:
        image: uint8 (H, W, 3) RGB.
        config: The options.
    """
    (height, width), grey = image.shape[:2], np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
    found = [np.zeros((0, 4), np.float32)]
    for side in config.sides:
        factor = side / max(height, width)
        scaled = resized(grey, max(1, round(height * factor)), max(1, round(width * factor)))
        back = np.tile([width / scaled.shape[1], height / scaled.shape[0]], 2).astype(np.float32)
        for mask in _lettered_areas(scaled, config.edge_threshold):
            areas = _areas(mask, config)
            found += [_padded(areas, *around) * back for around in _AROUND_LETTERS]
        for mask in _even_areas(scaled, config):
            found.append(_areas(mask, config) * back)
    boxes = np.concatenate(found).clip(0, np.tile([width, height], 2)).astype(np.float32)
    scores = plausibility(image, boxes)
    one_class = torch.zeros(len(boxes), dtype=torch.int64)
    kept = AXIS_ALIGNED.nms(torch.from_numpy(boxes), torch.from_numpy(scores), config.overlap, one_class)
    best = kept.numpy()[: config.count]
    return Proposals(boxes[best], scores[best])


def _lettered_areas(grey: npt.NDArray[np.uint8], threshold: float) -> Iterator[_Mask]:
    """Areas full of vertical edges: more energy than around them and than in the whole image."""
    energy = edge_energy(grey, across=True)
    usual = (cv2.blur(energy, (_SURROUNDINGS, _SURROUNDINGS)).astype(np.float32) + float(energy.mean())) / 2
    strong = (energy > np.maximum(threshold * usual, _LEAST_EDGE)).astype(np.uint8)
    for width, height in _LETTERS:
        yield np.asarray(cv2.morphologyEx(strong, cv2.MORPH_CLOSE, np.ones((height, width), np.uint8)), np.uint8)


def _even_areas(grey: npt.NDArray[np.uint8], config: ProposalsConfig) -> Iterator[_Mask]:
    """Areas brighter, and areas darker, than what is around them; letters are holes in them."""
    for window in config.windows:
        mean = cv2.blur(grey, (window, window))
        for difference in (cv2.subtract(grey, mean), cv2.subtract(mean, grey)):
            mask = (difference > config.brightness_threshold).astype(np.uint8)
            yield np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones(_SPECK[::-1], np.uint8)), np.uint8)


def _areas(mask: _Mask, config: ProposalsConfig) -> Boxes:
    """Boxes (N, 4) of the connected areas of a mask that have a plate's proportions and fill."""
    x, y, width, height, area = cv2.connectedComponentsWithStats(mask)[2][1:].astype(np.float32).T
    flattest, most = config.aspects
    likely = (height >= _LEAST_HEIGHT) & (width >= _LEAST_WIDTH) & (height < _LARGEST * len(mask))
    likely &= (width > flattest * height) & (width < most * height) & (area > config.fill * width * height)
    boxes: Boxes = np.stack([x, y, x + width, y + height], axis=1)[likely]
    return boxes


def _padded(boxes: Boxes, beside: float, above: float) -> Boxes:
    """Boxes with more around them, as parts of their heights."""
    sides = np.array([-beside, -above, beside, above], np.float32)
    return boxes + (boxes[:, 3:] - boxes[:, 1:2]) * sides
