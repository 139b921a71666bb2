"""Trains and tests one model on one dataset, and records the result."""

from retable.commands.train import main

if __name__ == "__main__":
    main()
