"""Trains and tests one model on one dataset, and records the result.

python train.py model=larsd data=hrsd                     built-in ship scenes, minutes on a CPU
python train.py model=larsd data=ssdd data.root=PATH      your copy of a published dataset
python train.py budget=paper trainer=ddp trainer.devices=2
python train.py hydra.run.dir=DIR resume=auto             goes on where it was interrupted
python train.py -m model.lr=1e-2,1e-3                     one run after another
"""

from omegaconf import DictConfig

from retable.run import command_line
from retable.run.configuration import check_run


def main() -> None:
    """Runs ``train.py``."""
    command_line.main(_train, "train", __doc__, check=check_run)


def _train(config: DictConfig) -> None:
    from retable.run.train import train  # torch is imported only once the configuration is known to be sound

    train(config)


if __name__ == "__main__":
    main()
