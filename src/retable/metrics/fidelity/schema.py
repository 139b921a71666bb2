"""What may be set of the scores of generated images: ``conf/model/fidelity/*.yaml``."""

from dataclasses import dataclass
from typing import Any

from omegaconf import MISSING

from retable.options import Options


@dataclass
class FidelityConfig(Options):
    """Scores of generated images against real ones.

    Attributes:
        extractor: Makes the `Extractor`, called with ``weights``.
        weights: File of the published Inception weights; null: downloaded where that is possible.
    """

    _target_: str = "retable.metrics.fidelity.metric.FidelityMetric"
    extractor: Any = MISSING
    weights: str | None = None


SCHEMAS: dict[str, Any] = {"model/fidelity/base": FidelityConfig}
