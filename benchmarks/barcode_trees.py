"""Training of the digits' boosted trees: thirteen models as in the notebook against one that all places share.

Both learn from the same features, one band of 240 columns, of 1,000 clean generated symbols, with XGBoost's defaults on
one core, in processor time. Exit code 1 if the shared one is not 2.5 times as quick to train, or reads fewer than 97 %
of 500 other symbols as a whole.
"""

import sys
import time

import numpy as np
from numpy.typing import NDArray
from xgboost import XGBClassifier

from retable.papers.barcodes.digits.boosted import BoostedDigitsNetwork, DigitsNetwork
from retable.papers.barcodes.digits.features import Projections
from retable.papers.barcodes.digits.schema import ProjectionsConfig, SharedBoostedDigitsConfig
from retable.papers.barcodes.digits.shared import SharedBoostedDigitsNetwork
from retable.papers.barcodes.symbols.dataset import BarcodeSymbols

TARGET, ACCURACY = 2.5, 0.97
SPLITS = {"train": 1000, "test": 500}


def main() -> int:
    config = ProjectionsConfig(width=240, margin=0.1)
    features = Projections(config)
    rows: dict[str, NDArray[np.float32]] = {}
    codes: dict[str, NDArray[np.int64]] = {}
    for split, count in SPLITS.items():
        symbols = BarcodeSymbols(count, split=split, clean=True)
        images, digits = zip(*(symbols.sample(index) for index in range(count)), strict=True)
        rows[split] = np.stack([features.of(image).ravel() for image in images]).astype(np.float32)
        codes[split] = np.stack(digits)

    def trained(network: DigitsNetwork, name: str) -> tuple[float, float]:
        start = time.process_time()
        network.fit(rows["train"], codes["train"])
        seconds = time.process_time() - start
        right = network.decide(rows["test"])[0].numpy() == codes["test"]
        whole = float(right.all(axis=1).mean())
        print(f"{name:18} {seconds:6.1f} s, {whole:6.1%} of codes and {right.mean():6.1%} of digits read")
        return seconds, whole

    thirteen, _ = trained(BoostedDigitsNetwork(features, XGBClassifier(n_jobs=1)), "thirteen models")
    options = SharedBoostedDigitsConfig(features=config, estimator=XGBClassifier(n_jobs=1))
    shared, whole = trained(SharedBoostedDigitsNetwork(options), "one for all places")
    print(f"{thirteen / shared:.1f}x, {TARGET}x wanted; {whole:.1%} of codes, {ACCURACY:.0%} wanted")
    return 1 if thirteen < TARGET * shared or whole < ACCURACY else 0


if __name__ == "__main__":
    sys.exit(main())
