"""Evaluates a finished run again: its checkpoint on its own test split, on other data, or otherwise."""

from retable.commands.test import main

if __name__ == "__main__":
    main()
