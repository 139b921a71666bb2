"""Options of the reader."""

from dataclasses import dataclass

from retable.options import Options, option


@dataclass
class ScanlineNetConfig(Options):
    """The network.

    Attributes:
        rows: Channels of the first part, which still knows rows.
        channels: Channels of the part along the symbol.
        blocks: Residual blocks along the symbol.
        kernel: Samples that each of their convolutions sees.
    """

    _target_: str = "retable.papers.barcodes.scanline.network.ScanlineNet"
    _partial_: bool = True
    rows: int = option(24, least=1)
    channels: int = option(96, least=1)
    blocks: int = option(6, least=1)
    kernel: int = option(7, least=1)
