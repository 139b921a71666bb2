"""Trains and tests one model on one dataset: ``python train.py model=larsd data=hrsd``."""

from omegaconf import DictConfig

from retable.run.command_line import main


def train(config: DictConfig) -> None:
    """Runs a checked configuration; torch is imported only now."""
    from retable.run.train import train

    train(config)


if __name__ == "__main__":
    main(train, "train")
