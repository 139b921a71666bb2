"""What may be set of our own detector, ``conf/model/plate_net.yaml``."""

from dataclasses import dataclass
from typing import Any, ClassVar

from retable.detection.schema import DetectorConfig
from retable.options import option


@dataclass
class PlateNetConfig(DetectorConfig):
    """A detector without anchors at strides 4, 8 and 16.

    Attributes:
        stem: Channels at stride 2.
        widths: Channels at strides 4, 8, 16 and 32.
        blocks: Residual blocks at each of them.
        channels: Channels of the maps that detect.
        candidates: Places at most that learn a plate, those that predict it best.
        alignment: Power of the IoU in how well a place predicts a plate, beside the first power of its score.
        box_weight: Weight of the boxes' loss.
        corner_weight: Weight of the corners' loss, where corners are known.
        lr: Learning rate at the start, after the warm-up, of AdamW and a cosine.
        weight_decay: Of AdamW.
        warmup: Iterations of linear warm-up.
        first_side: Images of a larger side are looked at shrunk to this side in pixels first; null: only as they are.
        second_below: Images in which nothing has such a score at least are looked at as they are, too.
    """

    inference_options: ClassVar[frozenset[str]] = DetectorConfig.inference_options | {"first_side", "second_below"}

    _target_: str = "retable.papers.plates.net.lightning_model.PlateNetModule"
    stem: int = option(16, least=1)
    widths: tuple[int, int, int, int] = option((24, 48, 96, 128), least=1)
    blocks: tuple[int, int, int, int] = option((1, 2, 2, 2), least=0)
    channels: int = option(32, least=1)
    candidates: int = option(10, least=1)
    alignment: float = option(6.0, least=0)
    box_weight: float = option(2.0, least=0)
    corner_weight: float = option(1.0, least=0)
    lr: float = option(2e-3, above=0)
    weight_decay: float = option(0.02, least=0)
    warmup: int = option(100, least=0)
    first_side: int | None = option(416, least=32)
    second_below: float = option(0.3, least=0, most=1)


SCHEMAS: dict[str, Any] = {"model/plate_net": PlateNetConfig}
