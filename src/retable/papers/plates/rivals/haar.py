"""Cascades of Haar features (Viola and Jones) from OpenCV's XML, evaluated as OpenCV 4 did.

OpenCV 5 has neither its evaluation nor the files any more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import cv2
import numpy as np
import numpy.typing as npt

from retable.detection.annotation_files import parse_xml
from retable.errors import DataError

_Numbers = npt.NDArray[np.float64]
_RECTANGLES = 3  # of a feature at most
_EPSILON = 1e-5  # by which OpenCV lowers the thresholds of stages


@dataclass
class Cascade:
    """Stages of stumps; a window that a stage turns down is not looked at further.

    Attributes:
        height: Of the window, pixels.
        width: Likewise.
        rectangles: int64 (F, 3, 4), x, y, width and height of each feature's rectangles in the window.
        weights: (F, 3), by which their sums count; 0 where there are fewer.
        tilted: bool (F,): by 45 degrees about their upper corner.
        features: int64 (S,) of each stump.
        thresholds: (S,).
        values: (S, 2) below the threshold and above it.
        ends: int64 (K,): which stump is the first that no longer belongs to the stage.
        stage_thresholds: (K,): less turns the window down.
    """

    height: int
    width: int
    rectangles: npt.NDArray[np.int64]
    weights: _Numbers
    tilted: npt.NDArray[np.bool_]
    features: npt.NDArray[np.int64]
    thresholds: _Numbers
    values: _Numbers
    ends: npt.NDArray[np.int64]
    stage_thresholds: _Numbers

    def windows(self, grey: npt.NDArray[np.uint8], scale: float) -> _Numbers:
        """Finds the windows that pass all stages.

        Args:
            grey: uint8 (H, W).
            scale: Factor from one size of the window to the next.

        Returns:
            (N, 4), x1, y1, x2, y2 in pixels.
        """
        from retable.papers.plates.rivals._haar_kernel import passing

        found, factor = [np.zeros((0, 4))], 1.0
        while self.height * factor <= grey.shape[0] and self.width * factor <= grey.shape[1]:
            size = round(grey.shape[1] / factor), round(grey.shape[0] / factor)
            scaled = cv2.resize(grey, size, interpolation=cv2.INTER_LINEAR_EXACT)
            sums, squares, tilted = cv2.integral3(scaled, sdepth=cv2.CV_64F, sqdepth=cv2.CV_64F)
            corners = passing(
                np.stack([sums, tilted]), squares, self.height, self.width, 1 if factor >= 2 else 2, self.rectangles,
                self.weights, self.tilted, self.features, self.thresholds, self.values, self.ends,
                self.stage_thresholds,
            )  # fmt: skip
            corners, sides = np.rint(corners * factor), np.rint(np.array([self.width, self.height]) * factor)
            found.append(np.concatenate([corners, corners + sides], axis=1))
            factor *= scale
        return np.concatenate(found)


def read_cascade(path: Path) -> Cascade:
    """Reads a cascade of stumps on Haar features.

    Raises:
        DataError: The file is missing or damaged, or of another kind.
    """
    root = parse_xml(path, "opencv_storage").find("cascade")
    if root is None or root.findtext("featureType") != "HAAR":
        raise DataError(f"{path}: no cascade of Haar features in OpenCV's form of 2011 and later")
    try:
        cascade = _cascade(root)
    except (ValueError, IndexError, TypeError) as error:
        raise DataError(f"{path}: damaged, or no cascade of stumps ({error})") from error
    return cascade


def _cascade(root: Element) -> Cascade:
    height, width = (int(root.findtext(side) or "") for side in ("height", "width"))
    features = root.findall("features/_")
    rectangles, weights = np.zeros((len(features), _RECTANGLES, 4), np.int64), np.zeros((len(features), _RECTANGLES))
    for feature, entry in enumerate(features):
        for place, rectangle in enumerate(entry.findall("rects/_")):
            numbers = _numbers(rectangle)
            rectangles[feature, place], weights[feature, place] = numbers[:4], numbers[4]
    tilted = np.array([int(entry.findtext("tilted") or 0) for entry in features], np.bool_)
    stages = root.findall("stages/_")
    stumps = [stump for stage in stages for stump in stage.findall("weakClassifiers/_")]
    nodes = np.array([_numbers(_part(stump, "internalNodes")) for stump in stumps])
    values = np.array([_numbers(_part(stump, "leafValues")) for stump in stumps])
    _require(nodes.shape[1:] == (4,) and values.shape[1:] == (2,), "its trees have more than one node")
    used = nodes[:, 2].astype(np.int64)
    _require(((used >= 0) & (used < len(features))).all(), "its features")
    _check_inside(rectangles, tilted, height, width)
    return Cascade(
        height, width, rectangles, weights, tilted, used, nodes[:, 3], values,
        np.cumsum([len(stage.findall("weakClassifiers/_")) for stage in stages]),
        np.array([float(stage.findtext("stageThreshold") or "") - _EPSILON for stage in stages]),
    )  # fmt: skip


def _check_inside(rectangles: npt.NDArray[np.int64], tilted: npt.NDArray[np.bool_], height: int, width: int) -> None:
    """Refuses rectangles that reach beyond the window: nothing else looks where they lead."""
    x, y, across, down = np.moveaxis(rectangles, -1, 0)
    turned = tilted[:, None]
    left, right = np.where(turned, x - down, x), x + across
    bottom = np.where(turned, y + across + down, y + down)
    _require(min(height, width) > 2 and (rectangles >= 0).all(), "its sizes")
    _require((left >= 0).all() and (right <= width).all() and (bottom <= height).all(), "its rectangles")


def _part(parent: Element, tag: str) -> Element:
    found = parent.find(tag)
    if found is None:
        raise ValueError(f"<{tag}> is missing")
    return found


def _numbers(element: Element) -> Sequence[float]:
    return [float(number) for number in (element.text or "").split()]


def _require(holds: Any, part: str) -> None:
    if not holds:
        raise ValueError(part)
