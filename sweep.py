"""Searches hyperparameters: each trial is a run of train.py, and Optuna chooses the values that it tries."""

from retable.commands.sweep import main

if __name__ == "__main__":
    main()
