"""Builds a dataset from files that others published."""

from retable.commands.prepare import main

if __name__ == "__main__":
    main()
