"""Trains and tests one model on one dataset, and records the result.

python train.py model=larsd data=hrsd                     built-in ship scenes, minutes on a CPU
python train.py model=larsd data=ssdd data.root=PATH      your copy of a published dataset
python train.py budget=paper trainer=ddp trainer.devices=2
python train.py hydra.run.dir=DIR resume=auto             goes on where it was interrupted
python train.py -m model.lr=1e-2,1e-3                     one run after another
python train.py new_paper=NAME                            writes a paper of your own into the folder NAME, to begin with
"""

import sys
from pathlib import Path

from omegaconf import DictConfig

from retable.run import command_line, scaffold
from retable.run.configuration import check_run

_NEW = "new_paper="


def main() -> None:
    """Runs ``train.py``."""
    names = [word.removeprefix(_NEW) for word in sys.argv[1:] if word.startswith(_NEW)]
    if names:
        failure = command_line.attempt(lambda: _write_paper(names[0]))
        raise SystemExit(0 if failure is None else failure.exit_code)
    command_line.main(_train, "train", __doc__, check=check_run)


def _write_paper(name: str) -> None:
    folder = Path.cwd() / name
    scaffold.write(name, folder)
    print(f"{folder} holds a model, a dataset, a table and their tests; its README.md says how to use them. Try")
    print(f"  python train.py papers={name} model={name}_net data={name}_shapes budget=smoke")


def _train(config: DictConfig) -> None:
    from retable.run.train import train  # torch is imported only once the configuration is known to be sound

    train(config)


if __name__ == "__main__":
    main()
