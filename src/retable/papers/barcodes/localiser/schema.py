"""What may be set of the localiser, ``conf/model/barcode_unet.yaml``."""

from dataclasses import dataclass
from typing import Any, ClassVar

from omegaconf import MISSING

from retable.errors import ConfigError
from retable.options import Options, option
from retable.papers.barcodes.datasets.schema import GRID, BarcodesConfig


@dataclass
class BarcodeUNetConfig(Options):
    """The network, its training, and what becomes of its masks.

    Attributes:
        image_size: Longer side of the input in pixels, a multiple of 64.
        shrink: Pixels of the input on a side of which the U-Net sees the mean; corners are refined on the input itself.
        refiner: Channels of the first layer of what refines corners.
        refinements: How often they are refined; 0 leaves those of the mask.
        stem: Convolutions of stride 2 before the U-Net: two make masks of a quarter of the resolution, none is the
            U-Net as it was published.
        widths: Channels of the U-Net from its finest to its coarsest level.
        lr: Learning rate at the start, after the warm-up, of AdamW and a cosine.
        weight_decay: Of AdamW.
        warmup: Iterations of linear warm-up.
        dice_weight: Weight of the Dice loss, beside the cross-entropy's 1.
        mask_threshold: Probability from which on a pixel belongs to a barcode.
        score_threshold: Mean probability of its pixels below which a barcode is none.
        ean13_threshold: Probability to be of EAN-13 or UPC-A below which a barcode is of another kind. Readers refuse
            other kinds as well, so that this one should rather let some pass.
        least_area: Area of a barcode at least, pixels of the input.
    """

    task: ClassVar[str] = BarcodesConfig.task
    inference_options: ClassVar[frozenset[str]] = frozenset(
        {"image_size", "mask_threshold", "score_threshold", "ean13_threshold", "least_area", "refinements"}
    )

    _target_: str = "retable.papers.barcodes.localiser.lightning_model.BarcodeUNet"
    image_size: int = option(512, least=64)
    shrink: int = option(1, least=1, most=4)
    refiner: int = option(16, least=1)
    refinements: int = option(2, least=0)
    stem: int = option(2, least=0, most=3)
    widths: list[int] = option([16, 32, 64, 96, 128], least=1)
    lr: float = option(2e-3, above=0)
    weight_decay: float = option(0.01, least=0)
    warmup: int = option(100, least=0)
    dice_weight: float = option(1.0, least=0)
    mask_threshold: float = option(0.5, above=0, below=1)
    score_threshold: float = option(0.6, least=0, most=1)
    ean13_threshold: float = option(0.3, least=0, most=1)
    least_area: float = option(150.0, least=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        multiple = self.shrink * 2 ** (self.stem + len(self.widths) - 1)
        if GRID % multiple:
            raise ConfigError(
                f"model.shrink={self.shrink}, model.stem={self.stem} and {len(self.widths)} model.widths need photos "
                f"whose sides are multiples of {multiple}; those of the data are multiples of {GRID}"
            )


@dataclass
class LocalisationOptions(Options):
    """What ``predict.py`` may be asked of a localiser.

    Attributes:
        input: A photo, a folder of photos, or a pattern such as ``photos/*.jpg``.
    """

    elsewhere: ClassVar[dict[str, str]] = {
        "localiser": "run= names a localiser already: give the reader's folder as run=, this one as localiser="
    }

    input: str = MISSING


SCHEMAS: dict[str, Any] = {"model/barcode_unet": BarcodeUNetConfig}
