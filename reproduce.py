"""Runs a paper's table: every cell that is missing, then paper against ours with a verdict for each claim."""

from retable.commands.reproduce import main

if __name__ == "__main__":
    main()
