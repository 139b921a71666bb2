"""A program that stands for test.py, beside dummy.py."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import dummy  # this file's folder is where Python looks first

given = dict(word.split("=", 1) for word in sys.argv[1:])
trained = json.loads((Path(given["run"]) / "record.json").read_text())
folder = Path(given["output"])
made = dummy.record(sys.argv[1:], folder.name, trained["seed"], 0.5)
replace(made, trained={"run": Path(given["run"]).name, "finished": trained["finished"]}).write(folder)
