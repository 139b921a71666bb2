"""Detectors on a backbone that may begin with trained weights."""

from abc import ABC
from typing import Any

from retable.detection.detector import Detector


class PretrainedDetector(Detector, ABC):
    """A detector whose network has a ``backbone``; checkpoints keep where its weights began.

    Attributes:
        network: Has ``backbone``, a `retable.nn.backbones.Backbone`.
    """

    network: Any

    @property
    def weights_origin(self) -> str:
        """Where the weights began: ``scratch``, ``imagenet:...`` or ``file:...``."""
        return str(self.network.backbone.weights_origin)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keeps the origin of the weights as well."""
        super().on_save_checkpoint(checkpoint)
        checkpoint["weights_origin"] = self.weights_origin

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Takes up the origin of the weights as well."""
        super().on_load_checkpoint(checkpoint)
        self.network.backbone.weights_origin = checkpoint.get("weights_origin", self.weights_origin)
