"""Tables of runs that never happened, for the tests of reports."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from retable.run.record import Record
from retable.tables import results, spec
from retable.tables.cells import Cell
from retable.tables.results import TableResult
from retable.tables.store import Failure, State, Status

YAML = """
title: Result of locality-aware score alignment
source: Liu, Bai and Li, "Locality-Aware Rotated Ship Detection", Table II
base: model=larsd
metric: ap50_voc07
scale: 100
unit: AP (%)
rows:
  Baseline: {overrides: model.lasa=none, about: {Distribution: /, Number of points: /}}
  LARSD-1: {overrides: model.lasa=rectangle-9, about: {Distribution: Rectangle, Number of points: "9"}}
  LARSD-3: {overrides: model.lasa=diamond-9, about: {Distribution: Diamond, Number of points: "9"}}
  R2CNN: {not_available: no model for region proposals yet, about: {Distribution: /}}
columns:
  HRSC2016: data=hrsc2016
  SSDD: data=ssdd
printed:
  Baseline: {HRSC2016: 83.3}
  LARSD-1: {HRSC2016: 85.5}
  LARSD-3: {HRSC2016: 87.2}
  R2CNN: {HRSC2016: 75.7}
claims:
  - {claim: LARSD-3 > LARSD-1 in HRSC2016, says: diamond distribution has better performance}
  - LARSD-3 > LARSD-1 > Baseline in HRSC2016
  - LARSD-3 - Baseline = 3.9 +- 0.5 in HRSC2016
  - Baseline > LARSD-3 in HRSC2016
  - LARSD-3 > Baseline in SSDD
notes:
  - The paper does not say which AP it measures.
"""
SYNTHETIC = {
    "kind": "synthetic",
    "source": "ship scenes, profile hrsc2016, generator version 1",
    "fingerprint": "cad59a1da2a1d35e2233cac51602f130728a87b5cc0317a0d63771eda0e05bb8",
    "splits": {"train": 436, "val": 181, "test": 444},
    "notes": [],
    "tested_split": "test",
}
REAL = {
    "kind": "real",
    "source": "SSDD, official release",
    "fingerprint": "9f2a1da2a1d35e2233cac51602f130728a87b5cc0317a0d63771eda0e05bbaa",
    "splits": {"train": 928, "test": 232},
    "notes": ["2 images without ships were kept"],
    "tested_split": "test",
}
FAILURE = Failure(
    reason="killed by SIGKILL (by hand, or for want of memory)",
    exit_code=-9,
    lines=("epoch 3 | loss 1.2", "\x1b[31mKilled\x1b[0m <now> & `here`"),
    attempts=2,
    transient=True,
    finished="2026-11-22T09:00:00+00:00",
)
DONE = {
    ("Baseline", "HRSC2016"): (58.1, 57.4, 58.9),
    ("LARSD-1", "HRSC2016"): (60.2, 59.6, 61.3),
    ("LARSD-3", "HRSC2016"): (62.3, 61.9, 63.0),
    ("Baseline", "SSDD"): (71.0, 70.2, 70.9),
    ("LARSD-1", "SSDD"): (72.5, 73.9, 72.8),
    ("LARSD-3", "SSDD"): (73.0, 72.2, 74.1),
}
MIXED = {
    ("Baseline", "HRSC2016"): (58.1, 57.4, 58.9),
    ("LARSD-1", "HRSC2016"): (60.2, FAILURE, State.running),
    ("LARSD-3", "HRSC2016"): (62.3, 61.9, State.pending),
    ("Baseline", "SSDD"): (71.0, 70.2, 70.9),
    ("LARSD-1", "SSDD"): (FAILURE, FAILURE, FAILURE),
    ("LARSD-3", "SSDD"): (State.pending, State.running, State.pending),
}

Outcome = float | State | Failure


def build(
    folder: Path,
    outcomes: Mapping[tuple[str, str], Sequence[Outcome]] | None = None,
    text: str = YAML,
    seeds: Sequence[int] = (1, 2, 3),
    data: Mapping[str, dict[str, Any]] | None = None,
    columns: Mapping[str, str] | None = None,
    metrics: Mapping[str, float | None] | None = None,
    changes: Mapping[str, Any] | None = None,
) -> TableResult:
    """The result of a table.

    Args:
        folder: For the table's file and the outputs.
        outcomes: By row and column, for each seed: the number in printed units of a cell that is done, a state, or how
            it failed; pending where there is none.
        text: The table's file.
        seeds: The seeds.
        data: Provenance by column; synthetic, if it is not given here, except for a column SSDD.
        columns: Columns of the command line.
        metrics: More metrics of every record.
        changes: Other values of every record.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "table2.yaml"
    path.write_text(text, encoding="utf-8")
    table = spec.extend(spec.load(path, "larsd/2"), {}, dict(columns or {}))
    plan, statuses = {}, {}
    for row in table.rows.values():
        for column in table.columns.values():
            found = (outcomes or {}).get((row.label, column.label), ())
            for index, seed in enumerate(seeds):
                if row.not_available:
                    continue
                overrides = (*table.base, "budget=small", *column.overrides, *row.overrides, f"seed={seed}")
                identity = hashlib.sha256(" ".join(overrides).encode()).hexdigest()[:12]
                plan[row.label, column.label, seed] = cell = Cell(identity, overrides, seed, 1)
                outcome = found[index] if index < len(found) else State.pending
                default = REAL if column.label == "SSDD" else SYNTHETIC
                provenance = (data or {}).get(column.label, default)
                run = folder / "outputs" / "cells" / identity
                if isinstance(outcome, Failure):
                    statuses[identity] = Status(State.failed, run, failure=outcome)
                elif isinstance(outcome, State):
                    statuses[identity] = Status(outcome, run)
                else:
                    known = statuses[identity].record if identity in statuses else None  # of a column that shares it
                    numbers = {**(known.metrics if known else {}), f"test/{column.metric}": outcome / column.scale}
                    numbers |= metrics or {}
                    record = make_record(cell, run, numbers, provenance, **(changes or {}))
                    statuses[identity] = Status(State.done, run, record)
    command = f"python reproduce.py table=larsd/2 budget=small outputs={folder / 'outputs'}"
    return results.gather(table, "small", seeds, plan, statuses, command)


def make_record(
    cell: Cell, folder: Path, metrics: dict[str, float | None], data: dict[str, Any], **changes: Any
) -> Record:
    """A record of a run that took 6 minutes."""
    numbers = {**metrics, "train/seconds": 350.0, "train/epochs": 32.0, "train/steps": 3200.0}
    values = {
        "command": f"python train.py {' '.join(cell.overrides)} hydra.run.dir={folder}",
        "choices": {"model": "larsd", "data": "hrsc2016"},
        "overrides": list(cell.overrides),
        "config": {},
        "config_hash": cell.id,
        "differs_from_paper": {"model.optimizer": ["adamw", "sgd"]},
        "metrics": numbers,
        "metric_info": {name: {"unit": "fraction", "direction": "higher"} for name in numbers},
        "data": dict(data),
        "model": {"parameters": 845022, "weights_origin": "scratch"},
        "seed": cell.seed,
        "wall_seconds": 360.0,
        "peak_memory_bytes": {"resident": 1247408128, "workers": 938012672, "gpu": 0},
        "devices": {"accelerator": "cpu", "count": 1, "name": "x86_64", "system": "Linux", "threads": 2},
        "versions": {"python": "3.11.7", "torch": "2.15.0", "torchvision": "0.29.2"},
        "git": {"commit": "cd8a52d509e496c5d155149ea8aeae6f2b12122d", "dirty": False},
        "wandb_id": "52e8bd24dafa",
        "checkpoints": {},
        "pictures": {},
        "started": f"2026-11-22T08:0{cell.seed % 10}:22+00:00",
        "finished": f"2026-11-22T08:1{cell.seed % 10}:42+00:00",
        "resumed": 0,
    }
    return Record(**{**values, **changes})
