"""A photo of 640 x 480 to digits on one core, and clean symbols at every angle.

    python benchmarks/barcode_reading.py LOCALISER READER [STEP]

The two are folders of runs, of model=barcode_unet and model=scanline_reader; without them the newest ones below
outputs/runs are taken. STEP is the number of degrees from one angle to the next, 15 without it, 1 for every angle.
Targets: at most 60 ms a photo, localiser included, the median of generated photos after the first; at every angle at
least 58 of 60 clean symbols read, and none of them wrongly. Exit code 1 if one is missed.
"""

import sys
import time
from pathlib import Path
from statistics import median

import cv2
import numpy as np
import torch

from retable.papers.barcodes.locating import load_localiser
from retable.papers.barcodes.reading import PhotoReader
from retable.papers.barcodes.scenes import BarcodeScenes
from retable.papers.barcodes.symbology.ean13 import encode
from retable.papers.barcodes.symbology.numbers import draw_code
from retable.run.predict import load_run, stored_config
from retable.synthetic.rng import RandomStream

RUNS = Path("outputs/runs")
SYMBOLS, LEAST = 60, 58
MILLISECONDS = 60.0


def load(localiser: str, reader: str) -> PhotoReader:
    """Loads both runs."""
    locate, _ = load_localiser(localiser, torch.device("cpu"))
    model, _ = load_run(Path(reader))
    found: PhotoReader = model.photo_reader(locate, stored_config(Path(reader)).data)
    return found


def clean(code: str, angle: float) -> np.ndarray:
    """Draws a symbol of 285 x 150 pixels in the middle of a white photo, turned."""
    bars = np.repeat(np.where(encode(code), 0, 255).astype(np.uint8), 12)[None].repeat(600, 0)
    sheet = np.full((1000, 1500), 255, np.uint8)
    sheet[200:800, 180:1320] = bars
    matrix = cv2.getRotationMatrix2D((750, 500), angle, 0.25)
    matrix[:, 2] += (320 - 750, 240 - 500)
    smooth = cv2.GaussianBlur(sheet, (0, 0), 1.6)  # what a pixel of the photo covers
    photo = cv2.warpAffine(smooth, matrix, (640, 480), flags=cv2.INTER_LINEAR, borderValue=255)
    return cv2.cvtColor(photo, cv2.COLOR_GRAY2RGB)


def angles(reader: PhotoReader, step: int) -> bool:
    """Counts the clean symbols that are read at each angle."""
    codes = [draw_code(RandomStream(35, index)) for index in range(SYMBOLS)]
    read, wrong = {}, 0
    for angle in range(0, 360, step):
        found = [reader.first(clean(code, angle)) for code in codes]
        read[angle] = sum(each is not None and each.code == code for each, code in zip(found, codes, strict=True))
        wrong += sum(
            each is not None and each.code not in (None, code) for each, code in zip(found, codes, strict=True)
        )
    worst = min(read, key=lambda angle: read[angle])
    print(
        f"clean symbols at {len(read)} angles: {sum(read.values())} of {SYMBOLS * len(read)} read, {wrong} wrongly; "
        f"at the worst, {worst} degrees, {read[worst]} of {SYMBOLS} ({LEAST})"
    )
    return read[worst] >= LEAST and not wrong


def speed(reader: PhotoReader) -> bool:
    """Times generated photos."""
    scenes = BarcodeScenes("test", 60)
    photos = [scenes.load(index)[0] for index in range(60)]
    reader.first(photos[0])
    whole, locating = [], []
    for photo in photos:
        start = time.perf_counter()
        reader.locate(photo)
        middle = time.perf_counter()
        reader.first(photo)
        locating.append(1000 * (middle - start))
        whole.append(1000 * (time.perf_counter() - middle))
    found, share = median(whole), median(locating)
    print(f"a photo of 640 x 480: {found:.1f} ms ({MILLISECONDS:.0f}), of which the localiser takes {share:.1f}")
    return found <= MILLISECONDS


def main(words: list[str]) -> int:
    """Prints both."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    if len(words) < 2:
        kinds = ("barcode_unet-barcodes", "scanline_reader-barcode_symbols")
        runs = [sorted(RUNS.glob(f"{kind}/*/record.json")) for kind in kinds]
        if not all(runs):
            print("no trained localiser and reader in outputs/runs: make demo PAPER=barcodes trains both")
            return 0
        words = [str(found[-1].parent) for found in runs]
    reader = load(*words[:2])
    fast = speed(reader)
    turned = angles(reader, int(words[2]) if len(words) > 2 else 15)
    return int(not (fast and turned))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
