"""The entry points: ``retable train ...`` of an installed package, ``python train.py ...`` of a checkout."""

import importlib
import sys
from pathlib import Path

NAMES = ("train", "test", "reproduce", "sweep", "predict", "export", "prepare")


def main() -> None:
    """Does what the first word of the command line names.

    Raises:
        SystemExit: With the exit code of the entry point, or 2 where the word names none.
    """
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in NAMES:
        wanted = name in ("", "-h", "--help")
        print(f"usage: retable {'|'.join(NAMES)} [key=value ...]; retable train --help says more", file=sys.stderr)
        raise SystemExit(0 if wanted else 2)
    # the file that does the same, as Lightning starts the other processes of a run by their script's name
    sys.argv = [str(Path(__file__).with_name(f"{name}.py")), *sys.argv[2:]]
    importlib.import_module(f"retable.commands.{name}").main()
