"""A cell of known length for the benchmarks of tables: sleeps BENCH_SECONDS, then writes a record."""

import os
import sys
import time
from pathlib import Path

from retable.run.record import Record


def record(words: list[str], key: str, seed: int, value: float) -> Record:
    """A record of the size that a run's has."""
    metrics = {f"test/metric{index}": value for index in range(10)} | {"test/ap50_voc07": value, "train/seconds": 1.0}
    return Record(
        command=" ".join(["python", "train.py", *words]),
        choices={"model": "larsd", "data": "hrsd", "budget": "small"},
        overrides=words,
        config={"model": {f"key{index}": index for index in range(100)}},
        config_hash=key,
        differs_from_paper={},
        metrics=metrics,
        metric_info={name: {"unit": "fraction", "direction": "higher"} for name in metrics},
        data={"kind": "synthetic", "source": "none", "fingerprint": "f", "splits": {"test": 3}, "tested_split": "test"},
        model={"parameters": 1, "weights_origin": "scratch"},
        seed=seed,
        wall_seconds=1.0,
        peak_memory_bytes={"cpu": 1},
        devices={"kind": "cpu"},
        versions={"torch": "none"},
        git={"commit": "none", "dirty": False},
        wandb_id=None,
        checkpoints={},
        pictures={},
        started="2026-01-01T00:00:00+00:00",
        finished="2026-01-01T00:00:01+00:00",
        resumed=0,
    )


if __name__ == "__main__":
    given = dict(word.split("=", 1) for word in sys.argv[1:])
    folder = Path(given["hydra.run.dir"])
    folder.mkdir(parents=True, exist_ok=True)
    time.sleep(float(os.environ["BENCH_SECONDS"]))
    record(sys.argv[1:], folder.name, int(given["seed"]), 0.5).write(folder)
