"""What may be set of classifiers."""

from dataclasses import dataclass

from omegaconf import MISSING

from retable.options import Options


@dataclass
class PredictionOptions(Options):
    """What ``predict.py`` may be asked of a classifier.

    Attributes:
        input: An image or a folder of images.
    """

    input: str = MISSING


SCHEMAS: dict[str, type] = {}
