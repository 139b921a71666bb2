"""Metrics that two papers share.

Names are loaded when first used: torchmetrics and numba cost seconds at start-up.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from retable.metrics.average_precision import average_precision_voc07, average_precision_voc12
    from retable.metrics.detection import DetectionAveragePrecision

__all__ = ["DetectionAveragePrecision", "average_precision_voc07", "average_precision_voc12"]

_HOMES = {
    "DetectionAveragePrecision": "retable.metrics.detection",
    "average_precision_voc07": "retable.metrics.average_precision",
    "average_precision_voc12": "retable.metrics.average_precision",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
