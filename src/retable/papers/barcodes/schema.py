"""What may be set of models that read symbols."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from omegaconf import MISSING

from retable.options import Options, option


@dataclass
class SymbolReaderConfig(Options):
    """What all of them have: they learn from symbols that are cut out already."""

    task: ClassVar[str] = "images of one symbol each"


@dataclass
class PredictionOptions(Options):
    """What ``predict.py`` may be asked of a reader.

    Attributes:
        input: A photo, a folder of photos, or a pattern such as ``photos/*.jpg``.
        localiser: Folder of the run of a localiser, which finds the symbols; null: each picture is one symbol.
        all: Whether all symbols of a photo are told, rather than the largest one that can be read.
        certain: Confidence below which an answer is withheld; null: the model's own threshold.
    """

    input: str = MISSING
    localiser: str | None = None
    all: bool = False
    certain: float | None = option(None, least=0, most=1)


@dataclass
class PeerReaderConfig(SymbolReaderConfig):
    """A decoder that others keep, as a reader of symbols.

    Attributes:
        peer: The decoder, see `retable.papers.barcodes.peers.Peer`.
    """

    _target_: str = "retable.papers.barcodes.peers.PeerReader"
    peer: Any = MISSING


SCHEMAS: dict[str, Any] = {"model/barcode_peer": PeerReaderConfig}
