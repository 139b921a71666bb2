"""Photos of the generator as files, in the notebook's layout: to look at, and to try a reader on."""

from __future__ import annotations

import csv
import io
import json
import logging
from pathlib import Path
from typing import Any

from retable.errors import StorageError
from retable.files import write_atomically, write_text
from retable.papers.barcodes.datasets.schema import BarcodePhotosConfig
from retable.papers.barcodes.datasets.tables import MARKUP
from retable.visualization.drawing import write_picture

log = logging.getLogger(__name__)


class BarcodePhotosBuilder:
    """Writes ``Images/NUMBER.jpg`` and ``markup.csv``, with a row for each symbol.

    Args:
        config: What is wanted.
    """

    def __init__(self, config: BarcodePhotosConfig) -> None:
        self._config = config

    def build(self, about: dict[str, Any]) -> None:
        """Builds the folder.

        Args:
            about: What is told of the call in ``dataset.json``.

        Raises:
            StorageError: The folder holds a list of photos already, or cannot be written.
        """
        config = self._config
        output = Path(config.output).expanduser()
        if (output / MARKUP).exists():
            raise StorageError(f"output={output}: there is a {MARKUP} already; give another folder, or remove it")
        scenes = config.scenes(split="test", count=config.count, image_size=config.size, seed=config.seed)
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        try:
            for index in range(config.count):
                image, symbols, _ = scenes.load(index)
                name = f"{index:05d}.jpg"
                write_picture(output / "Images" / name, image)
                for symbol in symbols:
                    rows.writerow([name, symbol.code, *symbol.corners.round(2).ravel().tolist(), "EAN-13"])
            told = {"dataset": "barcode_photos", "fingerprint": scenes.fingerprint(), **about}
            write_text(output / "dataset.json", json.dumps(told, indent=1) + "\n")
            write_atomically(output / MARKUP, lambda path: path.write_text(text.getvalue(), encoding="utf-16"))
        except OSError as error:
            raise StorageError(f"cannot write into {output}: {error.strerror}") from error
        log.info("%d photos in %s", config.count, output)
