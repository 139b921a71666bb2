"""What may be set of the reader, ``conf/model/scanline_reader.yaml``."""

from dataclasses import dataclass
from typing import Any, ClassVar

from omegaconf import II

from retable.errors import ConfigError
from retable.options import option
from retable.papers.barcodes.schema import SymbolReaderConfig


@dataclass
class ScanlineReaderConfig(SymbolReaderConfig):
    """The network, its training, and when it answers.

    Attributes:
        rows: Channels of the first part, which still knows rows.
        channels: Channels of the part along the symbol.
        blocks: Residual blocks along the symbol.
        kernel: Samples that each of their convolutions sees.
        width: Of the pictures in pixels, as of the data.
        height: Of the pictures in pixels, as of the data.
        margin: What is seen beside a symbol, as of the data.
        lr: Learning rate at the start, after the warm-up, of AdamW and a cosine.
        weight_decay: Of AdamW.
        warmup: Iterations of linear warm-up.
        wrong_answers: Part of the validation pictures that may be answered wrongly: an answer is withheld below the
            probability that leaves so many.
        certain: Probability below which an answer is withheld instead; null takes that of the last validation.
    """

    inference_options: ClassVar[frozenset[str]] = frozenset({"certain"})

    _target_: str = "retable.papers.barcodes.scanline.lightning_model.ScanlineReader"
    rows: int = option(16, least=1)
    channels: int = option(64, least=1)
    blocks: int = option(6, least=1)
    kernel: int = option(7, least=1)
    width: int = II("data.width")
    height: int = II("data.height")
    margin: float = II("data.margin")
    lr: float = option(3e-3, above=0)
    weight_decay: float = option(0.01, least=0)
    warmup: int = option(100, least=0)
    wrong_answers: float = option(0.001, least=0, below=1)
    certain: float | None = option(None, least=0, most=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kernel % 2 == 0:
            raise ConfigError(f"model.kernel={self.kernel}: must be odd, so that it has a middle")


SCHEMAS: dict[str, Any] = {"model/scanline_reader": ScanlineReaderConfig}
