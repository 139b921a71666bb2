"""zxing-cpp, ZBar and OpenCV, and a reader of our own, side by side on photos.

    python benchmarks/barcode_peers.py FOLDER [reader=RUN localiser=RUN]

FOLDER has a labels.csv or a markup.csv (docs/barcodes.md); its sets are told apart. Without it 100 generated photos are
read. A photo is read if one of its codes is told, and the answer is wrong if any other code is. Times are processor
times on one core, of photos in memory. A decoder that is not installed is named and left out.
"""

import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from retable.data.images import read_image
from retable.errors import ConfigError, RetableError
from retable.papers.barcodes.datasets.tables import find_lists, read_list
from retable.papers.barcodes.locating import load_localiser
from retable.papers.barcodes.peers import OpenCv, Pyzbar, ZxingCpp
from retable.papers.barcodes.scenes import BarcodeScenes
from retable.run.predict import load_run, stored_config

GENERATED = 100

Image = NDArray[np.uint8]
Read = Callable[[Image], set[str]]
"""Maps a photo, uint8 RGB (H, W, 3), to the codes that it reads."""


def photos(folder: str | None) -> Iterator[tuple[str, Image, set[str]]]:
    """Photos with the set that each belongs to, and their codes."""
    if folder is None:
        scenes = BarcodeScenes("test", GENERATED)
        for index in range(GENERATED):
            image, symbols, _ = scenes.load(index)
            yield "generated", image, {symbol.code for symbol in symbols}
        return
    for path in find_lists(Path(folder)).values():
        for photo in read_list(path).photos:
            codes = {symbol.code for symbol in photo.symbols}
            yield f"set {photo.group or path.parent.name}", read_image(photo.path), codes


def peers() -> Iterator[tuple[str, Read]]:
    """The decoders that are installed."""
    for name, peer in (("zxing-cpp", ZxingCpp), ("pyzbar", Pyzbar), ("OpenCV", OpenCv)):
        try:
            decoder = peer()
        except ConfigError as error:
            print(f"{name} is left out: {error}")
            continue
        yield name, lambda image, decoder=decoder: {found.code for found in decoder(image)}


def own(reader: str, localiser: str) -> Read:
    """A reader of our own with its localiser, by the folders of their runs."""
    model, _ = load_run(Path(reader), key="reader")
    data = stored_config(Path(reader), "reader").data
    whole = model.photo_reader(load_localiser(localiser, torch.device("cpu"))[0], data)

    def read(image: Image) -> set[str]:
        found = whole.first(image)
        return {found.code} if found is not None and found.code is not None else set()

    return read


def measure(read: Read, given: list[tuple[str, Image, set[str]]]) -> dict[str, tuple[int, int, int, float]]:
    """Photos, those that were read, those of which anything wrong was told, and seconds, by set."""
    read(given[0][1])  # what is only loaded when it is used
    found: dict[str, list[float]] = defaultdict(lambda: [0, 0, 0, 0.0])
    for group, image, codes in given:
        start = time.process_time()
        told = read(image)
        row = (1, bool(told & codes), bool(told - codes), time.process_time() - start)
        found[group] = [old + new for old, new in zip(found[group], row, strict=True)]
    return {group: (int(row[0]), int(row[1]), int(row[2]), row[3]) for group, row in found.items()}


def main(arguments: list[str]) -> int:
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    options = dict(word.split("=", 1) for word in arguments if "=" in word)
    folder = next((word for word in arguments if "=" not in word), None)
    try:
        given = list(photos(folder))
        readers = dict(peers())
        if options:
            readers["retable"] = own(options["reader"], options["localiser"])
    except (RetableError, KeyError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for name, read in readers.items():
        for group, (count, right, wrong, seconds) in sorted(measure(read, given).items()):
            print(
                f"{name:10} {group:12} {count:4} photos: read {right:4} ({right / count:6.1%}), "
                f"wrong {wrong:3} ({wrong / count:5.1%}), {1000 * seconds / count:7.1f} ms a photo"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
