"""Evaluates a finished run again: its checkpoint on its own test split, on other data, or otherwise.

python test.py run=outputs/runs/...                              the same test once more
python test.py run=... split=val checkpoint=last
python test.py run=... data=ssdd data.root=PATH                  on other data with the same classes
python test.py run=... model.nms_threshold=0.3                   with options that act at inference only
python test.py run=A,B,C data=ssdd data.root=PATH                several runs, which end in one table

All words whose key is not listed below are overrides of the run's configuration: data=, data.*, trainer.* and those
options of the model that act at inference. It leaves a record and pictures in the run's folder, tests/ID.
"""

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from omegaconf import DictConfig

from retable.run import command_line
from retable.run.overrides import quote_list
from retable.run.schema import TestConfig


def main() -> None:
    """Runs ``test.py``."""
    command_line.main(_test, "test", __doc__, words=words)


def words(arguments: Sequence[str]) -> list[str]:
    """Returns the words in Hydra's grammar.

    Those of keys that `TestConfig` lacks become the list ``overrides=``; commas of ``run=`` make a list.
    """
    own = {part.name for part in fields(TestConfig)}
    mine = [word for word in arguments if word.startswith(("-", "hydra")) or word.partition("=")[0] in own]
    others = [word for word in arguments if word not in mine]
    mine = [_of_runs(word) if word.startswith("run=") else word for word in mine]
    return [*mine, f"overrides={quote_list(others)}"] if others else mine


def _of_runs(word: str) -> str:
    value = word.removeprefix("run=")
    if value.startswith(("[", "'", '"')):
        return word
    folders = [value] if Path(value).expanduser().exists() else value.split(",")  # a folder's name may have a comma
    return f"run={quote_list([folder.strip() for folder in folders])}"


def _test(config: DictConfig) -> None:
    from retable.run.test import test  # torch is imported only once the configuration is known to be sound

    test(config)


if __name__ == "__main__":
    main()
