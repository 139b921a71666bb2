"""The generated photos as a sequence."""

from __future__ import annotations

from retable.papers.barcodes.artwork.symbols import EAN13
from retable.papers.barcodes.scenes.layout import KnownSymbol, SceneLayout, draw_layout
from retable.papers.barcodes.scenes.render import render
from retable.synthetic.dataset import GeneratedDataset
from retable.synthetic.raster import Image


class BarcodeScenes(GeneratedDataset):
    """Synthetic photos of packages with barcodes; see `retable.synthetic.dataset.GeneratedDataset`.

    Most show one EAN-13 or UPC-A, some several, other kinds of codes or none. Half of them are so far out of focus that
    bars of one module cannot be told apart.

    Args:
        split: `train`, `val` or `test`.
        count: Number of photos.
        image_size: Width of the photos in pixels, 160 to 1280; they are three quarters as high.
        seed: Seed of the whole dataset.

    Raises:
        ConfigError: A parameter is out of range or unknown.
    """

    title = "barcode scenes"
    version = 2
    sizes = (160, 1280)
    splits = ("train", "val", "test")

    def __init__(self, split: str, count: int = 1000, image_size: int = 640, seed: int = 0) -> None:
        super().__init__(count, image_size, seed, split)
        self.height = image_size * 3 // 4

    def layout(self, index: int, epoch: int = 0) -> SceneLayout:
        """Returns what a scene shows, without rendering it; another epoch has others at the same places.

        Raises:
            IndexError: There is no such image.
        """
        return draw_layout(self._stream(index, epoch), self.size, self.height)

    def load(self, index: int, epoch: int = 0) -> tuple[Image, list[KnownSymbol], list[KnownSymbol]]:
        """Renders a scene; another epoch has others at the same places.

        Returns:
            uint8 RGB (height, size, 3); its symbols of EAN-13 and UPC-A, the largest first; and those of other kinds,
            add-ons among them.

        Raises:
            IndexError: There is no such image.
        """
        layout = self.layout(index, epoch)
        symbols = layout.symbols
        targets = [symbol for symbol in symbols if symbol.kind == EAN13]
        return render(layout), targets, [symbol for symbol in symbols if symbol.kind != EAN13]
