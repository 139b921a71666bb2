"""What all detectors of plates share."""

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor

from retable.boxes import AXIS_ALIGNED
from retable.detection.detector import Detector
from retable.detection.tiles import Prediction
from retable.errors import DivergenceError


class PlateDetector(Detector, ABC):
    """A detector of upright boxes, tested for each country by itself."""

    box_format = AXIS_ALIGNED
    published_time = "the paper's Table III: 90 ms a photo on a GPU of 2016"

    def group_of(self, dataset: Any, index: int) -> str:
        """Tells the country of a scene's plates, where the data tell it: Table IV."""
        return str(dataset.country(index)) if hasattr(dataset, "country") else ""

    def best_of(self, found: Prediction) -> Prediction:
        """Returns what is above the threshold, without doubles, best first.

        Args:
            found: What was found in an image; labels are 0 where there are none.
        """
        config = self.config
        found = {"labels": torch.zeros_like(found["scores"], dtype=torch.int64), **found}
        likely = {key: value[found["scores"] > config.score_threshold] for key, value in found.items()}
        kept = AXIS_ALIGNED.nms(likely["boxes"], likely["scores"], config.nms_threshold, likely["labels"])
        return {key: value[kept[: config.max_detections]] for key, value in likely.items()}


class TrainedPlateDetector(PlateDetector, ABC):
    """One that is trained by gradient.

    Training batches hold ``images`` (B, 3, S, S) and ``targets``, B dicts of boxes, labels, difficult and, where they
    are known, corners.

    Attributes:
        rate_key: The option of the learning rate, for messages.
    """

    rate_key = "model.lr"

    @abstractmethod
    def loss(self, images: Tensor, targets: list[dict[str, Tensor]]) -> Any:
        """Computes the loss of a batch, differentiable: a dataclass of its parts, with their sum as ``total``."""

    def training_step(self, batch: dict[str, Any], batch_index: int) -> Tensor:
        """Computes the loss of a training batch.

        Raises:
            DivergenceError: It is not finite.
        """
        parts = self.loss(batch["images"], batch["targets"])
        total: Tensor = parts.total
        if not torch.isfinite(total):
            raise DivergenceError(
                f"the loss is not finite at step {self.global_step}: try a lower {self.rate_key} or "
                "trainer.gradient_clip_val, and look at the data"
            )
        interval = self.trainer.log_every_n_steps  # type: ignore[attr-defined]
        if interval and (self.global_step + 1) % interval == 0:
            values = {f"train/loss_{name}": value.detach() for name, value in vars(parts).items()}
            size = len(batch["images"])
            self.log("train/loss", total.detach(), prog_bar=True, batch_size=size, sync_dist=True)
            self.log_dict(values, batch_size=size, sync_dist=True)
            self.log("lr", self.trainer.optimizers[0].param_groups[0]["lr"], batch_size=size)
        return total
