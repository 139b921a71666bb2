"""Stands in for train.py: quick, resumes by epochs, and fails as it is told to by the environment.

A trial's score rises with the epochs towards -(log10(lr) + 2.5)^2, which is best at lr = 0.00316.
DUMMY is a JSON object: seconds (of an epoch), nan_above and crash_below (of lr), killed_once, exit_code, metric.
"""

import json
import math
import os
import signal
import sys
import time
from pathlib import Path

from retable.files import write_text
from retable.run.record import Record

words = dict(word.split("=", 1) for word in sys.argv[1:])
behaviour = json.loads(os.environ.get("DUMMY", "{}"))
folder = Path(words["hydra.run.dir"])
lr, epochs = float(words["model.lr"]), int(words.get("trainer.max_epochs", 4))
metric = behaviour.get("metric", "val/score")

assert words["resume"] == "auto"
assert folder.is_dir()
if (folder / "config.yaml").exists():
    assert (folder / "config.yaml").read_text() == words["model.lr"], "continued with other values"
(folder / "config.yaml").write_text(words["model.lr"])
with (folder / "starts.txt").open("a") as file:
    file.write(f"{os.getpid()}\n")

if "exit_code" in behaviour:
    sys.exit(behaviour["exit_code"])
if lr > behaviour.get("nan_above", math.inf):
    print("error: the loss is not finite at step 3", file=sys.stderr)
    sys.exit(5)
if lr < behaviour.get("crash_below", 0.0):
    raise RuntimeError("a bug")

table = folder / "metrics.csv"
rows = table.read_text().splitlines() if table.exists() else [f"epoch,step,train/loss,{metric}"]
scores = [float(row.split(",")[-1]) for row in rows[1:]]
for epoch in range(len(scores), epochs):
    time.sleep(behaviour.get("seconds", 0.0))
    scores.append(-((math.log10(lr) + 2.5) ** 2) - 1 / (epoch + 1))
    rows.append(f"{epoch},{10 * epoch},0.5,{scores[-1]!r}")
    write_text(table, "\n".join(rows) + "\n")
    if behaviour.get("killed_once") and len((folder / "starts.txt").read_text().split()) == 1:
        os.kill(os.getpid(), signal.SIGKILL)
metrics = {"test/score": -max(scores), "train/epochs": float(epochs)}  # whoever goes by the test takes the worst
dicts = ("choices", "config", "metric_info", "data", "model", "peak_memory_bytes", "devices", "versions", "git")
texts = ("command", "config_hash", "started", "finished")
rest = {name: {} for name in (*dicts, "checkpoints", "differs_from_paper", "pictures")} | dict.fromkeys(texts, "")
Record(metrics=metrics, seed=1, wall_seconds=1.0, wandb_id=None, resumed=0, overrides=[], **rest).write(folder)
