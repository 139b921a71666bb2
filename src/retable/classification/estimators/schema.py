"""What may be set of the classical models: ``conf/model/emoji_{svm,random_forest,...}.yaml``."""

from dataclasses import dataclass
from typing import Any

from omegaconf import MISSING


@dataclass
class EstimatorConfig:
    """A classical model.

    Attributes:
        estimator: A classifier of scikit-learn's kind, with its own keys.
        features: What it sees of a drawing; ``model/features=pixels`` or ``hog``.
        input_size: Side in pixels to which canvases are resized first.
    """

    _target_: str = "retable.classification.estimators.lightning_model.EstimatorClassifier"
    _convert_: str = "all"
    estimator: Any = MISSING
    features: Any = MISSING
    input_size: int = 32


SCHEMAS: dict[str, Any] = {"model/emoji_estimator": EstimatorConfig}
