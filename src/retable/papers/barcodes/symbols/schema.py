"""What may be set of symbols that are cut out already: ``conf/data/barcode_symbols.yaml``."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from retable.options import Options, option
from retable.papers.barcodes.schema import SymbolReaderConfig


@dataclass
class SymbolCounts(Options):
    """Generated symbols of each split."""

    train: int = option(8199, least=1)
    val: int = option(819, least=1)
    test: int = option(1000, least=1)


@dataclass
class BarcodeSymbolsConfig(Options):
    """Pictures of one symbol each, upright.

    Attributes:
        root: Folder of real photos, out of which symbols are cut; null takes the generators.
        corners: Where the symbols of photos are: ``reference`` takes the corners that they come with, any other word is
            the folder of a localiser's run. Null is ``reference`` where there is a root, and else takes symbols that
            are generated without photos.
        photos: The photos, as of ``data=barcodes``.
        counts: Generated symbols of each split.
        symbols_seed: Seed of the generated symbols; apart from the run's seed, so that all seeds see one dataset.
        fresh: Whether each epoch has other generated symbols to learn from, so that none comes twice.
        clean: Whether they are print as it is, cut out exactly, instead of photos.
        others: Part of the generated pictures that show anything but a symbol of EAN-13 the right way up. Readers that
            may withhold an answer learn when to.
        width: Of the pictures in pixels, margins included.
        height: Of the pictures in pixels.
        margin: What is seen beside a symbol on either side, as a part of its width.
        batch_size: Pictures of a training batch, over all processes.
        eval_batch_size: Pictures of a validation or test batch, of one process.
        workers: Loader processes of each process; null: one less than its cores, at least 1, at most 4.
    """

    task: ClassVar[str] = SymbolReaderConfig.task

    _target_: str = "retable.papers.barcodes.symbols.data_module.SymbolsDataModule"
    root: str | None = None
    corners: str | None = None
    photos: Any = None
    counts: SymbolCounts = field(default_factory=SymbolCounts)
    symbols_seed: int = option(0, least=0)
    fresh: bool = False
    clean: bool = False
    others: float = option(0.0, least=0, below=1)
    width: int = option(416, least=60, most=2048)
    height: int = option(32, least=8, most=1000)
    margin: float = option(0.1, least=0, most=0.24)
    batch_size: int = option(128, least=1)
    eval_batch_size: int = option(100, least=1)
    workers: int | None = None


SCHEMAS: dict[str, Any] = {"data/barcode_symbols": BarcodeSymbolsConfig}
