"""A program that stands for train.py: it sleeps and writes a record. Called with the words of a cell.

What it finds wrong about how it is called it notes in its folder: a second process beside it (``overlapped``), or a run
after it was done (``ran_again``).
"""

import fcntl
import json
import os
import random
import sys
import time
from dataclasses import asdict
from pathlib import Path

from retable.run.record import Record


def record(words: list[str], key: str, seed: int, value: float, kind: str = "synthetic") -> Record:
    """A record as a run of these words would leave."""
    return Record(
        command=" ".join(["python", "train.py", *words]),
        choices={"model": "dummy", "data": "dummy", "budget": "smoke"},
        overrides=words,
        config={},
        config_hash=key,
        differs_from_paper={"model.optimizer": ["adamw", "sgd"]},
        metrics={"test/ap50_voc07": value, "train/seconds": 0.1},
        metric_info={
            "test/ap50_voc07": {"unit": "fraction", "direction": "higher"},
            "train/seconds": {"unit": "s", "direction": "lower"},
        },
        data={"kind": kind, "source": "dummy", "fingerprint": "f", "splits": {"test": 3}, "tested_split": "test"},
        model={"parameters": 1, "weights_origin": "scratch"},
        seed=seed,
        wall_seconds=0.1,
        peak_memory_bytes={"cpu": 1000},
        devices={"kind": "cpu"},
        versions={"torch": "0"},
        git={"commit": "c", "dirty": False},
        wandb_id=None,
        checkpoints={},
        pictures={},
        started="2026-01-01T00:00:00+00:00",
        finished="2026-01-01T00:00:01+00:00",
        resumed=0,
    )


def main(words: list[str]) -> None:
    """Does what the words say; ``DUMMY_*`` in the environment makes it slow or has it fail."""
    given = dict(word.split("=", 1) for word in words)
    folder = Path(given["hydra.run.dir"].strip("'"))
    busy = (folder / "busy").open("w")
    try:
        fcntl.flock(busy, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        (folder / "overlapped").touch()
    if (folder / "record.json").exists():
        (folder / "ran_again").touch()
    print("working", flush=True)
    time.sleep(float(os.environ.get("DUMMY_SECONDS", "0.05")))
    if given.get("model.lasa") == os.environ.get("DUMMY_FAILS", "nothing"):
        print("this is why", flush=True)
        sys.exit(3)
    seed = int(given["seed"])
    value = random.Random(" ".join(word for word in words if "outputs" not in word and "dir" not in word)).random()
    if "DUMMY_EFFECT" in os.environ:  # of any alignment, beside noise, the same on every machine
        noise = random.Random(" ".join(word for word in words if word.startswith(("model.", "seed=")))).random() / 20
        value = 0.5 + noise + float(os.environ["DUMMY_EFFECT"]) * ("model.lasa=none" not in words)
    made = record(words, folder.name, seed, value)
    temporary = folder / "record.tmp"
    temporary.write_text(json.dumps(asdict(made)))
    os.link(temporary, folder / "record.json")  # fails if there is one
    temporary.unlink()


if __name__ == "__main__":
    main(sys.argv[1:])
