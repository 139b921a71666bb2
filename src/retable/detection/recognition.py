"""What a classifier of another run says of each detection."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from retable.boxes import ROTATED, format_of
from retable.classification.classifier import Classifier
from retable.classification.prediction import UNKNOWN, answer_keys, answers
from retable.detection.cutting import cut_box, cut_quadrangle
from retable.detection.tiles import Prediction
from retable.detection.transforms import Image
from retable.errors import ConfigError, DataError
from retable.run.predict import load_run


def load_classifier(folder: str, device: torch.device) -> tuple[Classifier, dict[str, str]]:
    """Builds the classifier of a run, with the checks that every stored configuration goes through.

    Returns:
        The classifier with its trained weights, and what is to be told of it in results.

    Raises:
        ConfigError: The folder is no run, or its model is no classifier.
        CheckpointError: Its checkpoint is missing, damaged or of another model.
    """
    model, path = load_run(Path(folder).expanduser(), key="classifier")
    if not isinstance(model, Classifier):
        raise ConfigError(
            f"classifier: the model of {folder} is a {type(model).__name__}, no classifier; give the run of a "
            "model that was trained on images of one class each"
        )
    return model.to(device), {"run": folder, "checkpoint": path.name}


class Recogniser:
    """Cuts out what was found and classifies it.

    Args:
        classifier: A trained classifier, in evaluation mode.
        about: What is to be told of it in results.
        unknown_below: Probability below which an answer is unknown; None: the classifier's own threshold.

    Attributes:
        keys: What is told of a detection, as columns of a table.
    """

    def __init__(self, classifier: Classifier, about: dict[str, str], unknown_below: float | None = None) -> None:
        self._threshold = classifier.threshold if unknown_below is None else unknown_below
        self.about = {**about, "unknown_below": round(self._threshold, 6)}
        self._subject, self._classify = classifier.config.subject, classifier.classify()
        self._classes = classifier.classes
        self._titles = dict(zip(self._classes.names, self._classes.titles, strict=True)) | {UNKNOWN: UNKNOWN}
        self.keys = answer_keys(self._classes)

    def cut(self, image: Image, prediction: Prediction) -> list[Image]:
        """Cuts detections out of an image (H, W, 3), upright where their corners are known, with the subject's margin.

        Args:
            image: uint8 (H, W, 3) RGB.
            prediction: boxes (N, 5) or (N, 4), in its pixels, and perhaps corners (N, 4, 2), clockwise from top left.

        Returns:
            For each detection uint8 (h, w, 3), of one pixel at least.
        """
        boxes, margin = prediction["boxes"], self._subject.margin
        if "corners" not in prediction and format_of(boxes) is not ROTATED:
            return [cut_box(image, box, margin) for box in boxes.tolist()]
        corners = prediction["corners"] if "corners" in prediction else ROTATED.corners(boxes)
        return [cut_quadrangle(image, points, margin) for points in corners.cpu().numpy().astype(np.float32)]

    def answers(self, crops: Sequence[Image]) -> list[dict[str, Any] | None]:
        """Classifies what was cut out.

        Returns:
            For each crop what the classifier's own prediction tells of an image, or None where it is too small, or
            shows nothing.
        """
        prepared = [self._prepared(crop) for crop in crops]
        images = [image for image in prepared if image is not None]
        found = iter(answers(self._classify, self._classes, images, self._threshold) if images else ())
        return [None if image is None else next(found) for image in prepared]

    def text(self, answer: dict[str, Any] | None) -> str:
        """Says an answer as it is written on a picture."""
        return "" if answer is None else f"{self._titles[answer['class']]} {answer['probability']:.2f}"

    def _prepared(self, crop: Image) -> Image | None:
        try:
            image: Image = self._subject.prepare(crop)
        except DataError:
            return None
        return image
